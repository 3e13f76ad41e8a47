// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/channel_name.hpp"
#include "net/msgbus/event_writer.hpp"
#include "net/msgbus/part_cache.hpp"
#include "net/msgbus/part_writer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net::msgbus {
namespace {

std::string written(std::string_view body, framing how, bool root = false,
                    std::string_view user = "") {
  part message;
  message.sender = user;
  message.has_location = root;
  message.location = "foo";
  message.type = "text/plain";
  message.body = core::as_bytes(body);
  return std::string{encode(message, how).text()};
}

constexpr auto chunked = framing::parts_chunked;
constexpr auto plain = framing::parts_plain;

TEST(PartWriter, TheExamplesOfTheOriginal) {
  EXPECT_EQ(written("hello", chunked),
            "2c\r\nContent-Type: text/plain\n\nhello--00MsgBus00\n\r\n");
  EXPECT_EQ(written("hello", plain), "Content-Type: text/plain\n"
                                     "Content-Length: 5\n\n"
                                     "hello--00MsgBus00\n");
  EXPECT_EQ(written("hello", chunked, true),
            "4a\r\nContent-Location: /msgbus/foo\n"
            "Content-Type: text/plain\n\nhello--00MsgBus00\n\r\n");
  EXPECT_EQ(written("hello", plain, true),
            "Content-Location: /msgbus/foo\nContent-Type: text/plain\n"
            "Content-Length: 5\n\nhello--00MsgBus00\n");
  EXPECT_EQ(written("hi", chunked, false, "dugsong"),
            "37\r\nFrom: dugsong\nContent-Type: text/plain\n\n"
            "hi--00MsgBus00\n\r\n");
  EXPECT_EQ(written("hi", chunked, true, "dugsong"),
            "55\r\nFrom: dugsong\nContent-Location: /msgbus/foo\n"
            "Content-Type: text/plain\n\nhi--00MsgBus00\n\r\n");
  EXPECT_EQ(written("", chunked),
            "27\r\nContent-Type: text/plain\n\n--00MsgBus00\n\r\n");
}

TEST(PartWriter, TheFirstBoundaryIsAChunkOfItsOwn) {
  EXPECT_EQ(opening(chunked), "d\r\n--00MsgBus00\n\r\n");
  EXPECT_EQ(opening(plain), "--00MsgBus00\n");
}

TEST(PartWriter, AFieldMakesNoLineOfItsOwn) {
  EXPECT_EQ(written("x", plain, false, "eve\r\nContent-Type: evil"),
            "From: eveContent-Type: evil\nContent-Type: text/plain\n"
            "Content-Length: 1\n\nx--00MsgBus00\n");
}

TEST(PartWriter, ALargeBodyIsOneChunk) {
  const std::string body(1'500'000, 'x');
  const auto bytes = written(body, chunked);
  const auto line = bytes.find("\r\n");
  const auto size = std::stoul(bytes.substr(0, line), nullptr, 16);
  EXPECT_EQ(bytes.size(), line + 2 + size + 2);
}

TEST(EventWriter, LinesOfABodyAreLinesOfData) {
  part message;
  message.body = core::as_bytes("one\ntwo\n");
  EXPECT_EQ(text_event(message),
            "event: message\ndata: one\ndata: two\ndata: \n\n");
  message.id = "7-1";
  message.body = {};
  EXPECT_EQ(text_event(message), "id: 7-1\nevent: message\ndata: \n\n");
}

TEST(EventWriter, WhatLinesCannotCarryIsBase64) {
  part message;
  message.body = core::as_bytes("a\rb");
  EXPECT_EQ(text_event(message), "event: base64\ndata: YQ1i\n\n");
  message.body = core::as_bytes("\xff\xfe");
  EXPECT_EQ(text_event(message), "event: base64\ndata: //4=\n\n");
}

TEST(EventWriter, JsonSaysWhatThereIs) {
  part message;
  message.sender = "alice";
  message.has_location = true;
  message.location = "foo";
  message.type = "text/plain";
  message.body = core::as_bytes("a\r\n\"b\"");
  EXPECT_EQ(json_event(message),
            "event: message\ndata: {\"channel\":\"foo\",\"sender\":\"alice\","
            "\"type\":\"text/plain\",\"data\":\"a\\r\\n\\\"b\\\"\"}\n\n");
  part binary;
  binary.body = core::as_bytes("\xff");
  EXPECT_EQ(json_event(binary),
            "event: message\ndata: {\"base64\":\"/w==\"}\n\n");
}

TEST(EventWriter, AChunkAnEventAndAComment) {
  part message;
  message.body = core::as_bytes("x");
  EXPECT_EQ(encode(message, framing::events_chunked).text(),
            "18\r\nevent: message\ndata: x\n\n\r\n");
  EXPECT_EQ(heart_beat(framing::events_chunked), "3\r\n:\n\n\r\n");
  EXPECT_EQ(heart_beat(framing::events_plain), ":\n\n");
}

TEST(Base64, PadsToFour) {
  EXPECT_EQ(base64({}), "");
  EXPECT_EQ(base64(core::as_bytes("f")), "Zg==");
  EXPECT_EQ(base64(core::as_bytes("fo")), "Zm8=");
  EXPECT_EQ(base64(core::as_bytes("foobar")), "Zm9vYmFy");
}

core::publication_ptr message(std::string_view body) {
  core::publication p;
  p.topic = *topic_of("foo");
  p.content_type = "text/plain";
  p.payload = core::shared_bytes::copy_of(body);
  return std::make_shared<const core::publication>(std::move(p));
}

TEST(PartCache, BytesAreWrittenOnceAWay) {
  part_cache cache;
  const auto first = message("hello");
  const auto* bytes = cache.get(first, chunked, false).data();
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(cache.get(first, chunked, false).data(), bytes);
  EXPECT_EQ(cache.written(), 1U);
  EXPECT_EQ(cache.get(first, chunked, true).text(),
            "4a\r\nContent-Location: /msgbus/foo\n"
            "Content-Type: text/plain\n\nhello--00MsgBus00\n\r\n");
  EXPECT_EQ(cache.written(), 2U);
  cache.get(first, chunked, false);
  EXPECT_EQ(cache.written(), 2U);
}

TEST(PartCache, AnotherPublicationIsWrittenAnew) {
  part_cache cache;
  auto first = message("one");
  cache.get(first, plain, false);
  first.reset(); // the next one may get its place in memory
  const auto second = message("two");
  EXPECT_NE(cache.get(second, plain, false).text().find("two"),
            std::string_view::npos);
  cache.clear();
  EXPECT_EQ(cache.size(), 0U);
}

TEST(PartCache, WhatHasNoTypeIsBytes) {
  part_cache cache;
  auto p = std::make_shared<core::publication>();
  EXPECT_EQ(cache.get(p, plain, false).text(),
            "Content-Type: application/octet-stream\n"
            "Content-Length: 0\n\n--00MsgBus00\n");
}

} // namespace
} // namespace troupe::net::msgbus
