// SPDX-License-Identifier: Apache-2.0
#include "net/mq/javascript.hpp"
#include "net/mq/message_decoder.hpp"
#include "tests/net/mq/mq_driver.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace troupe::net::mq {
namespace {

/// The decoder's complaint about a client's message, "" if it has none.
std::string complaint(std::string_view message) {
  message_decoder decoder;
  const auto read = decoder.decode_request(core::as_bytes(message));
  return read ? std::string{} : read.error().detail;
}

template <class Packet>
Packet request(message_decoder& decoder, std::string_view message) {
  auto read = decoder.decode_request(core::as_bytes(message));
  EXPECT_TRUE(read.has_value()) << message;
  return std::get<Packet>(*read);
}

TEST(MqMessageDecoder, LengthIsReadLikeParseInt) {
  const std::string_view login =
      R"({"op":"login","userId":"a","nodeId":"n"})"; // 0x28 bytes
  for (const std::string_view length :
       {"28  ", "28zz", "028 ", " 28 ", "0x28", "0028", "28,,"})
    EXPECT_EQ(complaint(std::string{length}.append(login)), "") << length;
  for (const std::string_view length : {"    ", "zz  ", "-28 ", "ffff", "29  "})
    EXPECT_EQ(complaint(std::string{length}.append(login)),
              "invalid length header")
        << length;
  EXPECT_EQ(complaint(""), "invalid length header");
  EXPECT_EQ(complaint("2{}"), "invalid length header");
}

TEST(MqMessageDecoder, TroubleWithTheJsonOrTheOpIsNamed) {
  EXPECT_EQ(complaint("0   ").substr(0, 20), "invalid JSON header:");
  EXPECT_EQ(complaint(packed("{\"op\":")).substr(0, 20),
            "invalid JSON header:");
  EXPECT_EQ(complaint(packed("{\"op\":\"\xff\"}")).substr(0, 20),
            "invalid JSON header:");
  EXPECT_EQ(complaint(packed(std::string(100, '['))).substr(0, 20),
            "invalid JSON header:");
  for (const std::string_view header :
       {"{}", "[]", "null", "7", R"({"op":1})", R"({"op":"nope"})",
        R"({"op":"deliver","id":"1","from":"a"})"})
    EXPECT_EQ(complaint(packed(header)), "invalid request op") << header;
}

TEST(MqMessageDecoder, EveryRequiredFieldIsMissedByName) {
  struct row {
    std::string op;
    std::vector<std::string> names;
  };
  const std::vector<row> rows{
      {"register", {"userId", "newNode", "aliases"}},
      {"addNode", {"userId", "newNode", "prevNode"}},
      {"login", {"userId", "nodeId"}},
      {"post", {"id", "to"}},
      {"ping", {"id", "alias"}},
      {"listEdit", {"id", "to", "type", "member"}},
      {"ack", {"id", "type"}},
  };
  for (const auto& [op, names] : rows) {
    for (const auto& absent : names) {
      for (const std::string wrong : {"", "7", "null", "true", "[]"}) {
        std::string header = R"({"op":")" + op + '"';
        for (const auto& name : names) {
          const std::string right =
              op == "post" && name == "to" ? "{}" : "\"x\"";
          if (name != absent)
            header += ",\"" + name + "\":" + right;
          else if (!wrong.empty())
            header += ",\"" + name + "\":" + wrong;
        }
        EXPECT_EQ(complaint(packed(header + '}')),
                  op + " request missing param " + absent)
            << header;
      }
    }
  }
  EXPECT_EQ(complaint(packed(R"({"op":"post","id":"1","to":"bob"})")),
            "post request missing param to");
}

TEST(MqMessageDecoder, BodiesBelongToPostPingAndListEditOnly) {
  const std::vector<std::string> rows{
      R"("register","userId":"a","newNode":"n","aliases":"")",
      R"("addNode","userId":"a","newNode":"n","prevNode":"m")",
      R"("login","userId":"a","nodeId":"n")", R"("ack","id":"1","type":"ok")"};
  for (const auto& fields : rows) {
    const auto op = fields.substr(1, fields.find('"', 1) - 1);
    const auto text = "message body disallowed for " + op;
    EXPECT_EQ(complaint(packed("{\"op\":" + fields + "}")), "");
    EXPECT_EQ(complaint(packed("{\"op\":" + fields + "}", "x")), text);
    EXPECT_EQ(complaint(packed("{\"op\":" + fields + ",\"etc\":false}")), text);
  }
  EXPECT_EQ(
      complaint(packed(
          R"({"op":"listEdit","id":"1","to":"l","type":"add","member":"m"})",
          "x")),
      "");
}

TEST(MqMessageDecoder, NumericEtcCutsTheBody) {
  message_decoder decoder;
  const auto message =
      packed(R"({"op":"post","id":"m1","to":{"bob":1},"etc":16})",
             "{\"subject\":\"hi\"}hel\x00\xfflo");
  const auto read = request<post_request>(decoder, message);
  EXPECT_EQ(core::as_text(read.body.etc), R"({"subject":"hi"})");
  EXPECT_EQ(core::as_text(read.body.data),
            std::string_view("hel\x00\xfflo").substr(0, 3));
  EXPECT_EQ(read.body.data.data(),
            core::as_bytes(message).data() + message.size() - 3);
}

TEST(MqMessageDecoder, EtcBeyondTheBodyOrNotWholeIsRefused) {
  for (const std::string etc : {"17", "-1", "1.5", "1e99"})
    EXPECT_EQ(
        complaint(packed(R"({"op":"post","id":"1","to":{},"etc":)" + etc + "}",
                         "0123456789abcdef")),
        "post request invalid param etc")
        << etc;
  EXPECT_EQ(complaint(packed(R"({"op":"post","id":"1","to":{},"etc":1.6e1})",
                             "0123456789abcdef")),
            "");
}

TEST(MqMessageDecoder, EtcInsideOfTheHeaderIsSerialised) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"false", "false"},
      {"null", "null"},
      {R"("str")", R"("str")"},
      {R"( { "a" : [ 1 , 2.5 , -3 ] } )", R"({"a":[1,2.5,-3]})"},
      {"\"\xc3\xa9\xf0\x9f\x98\x80\\n\"", R"("\u00e9\ud83d\ude00\n")"},
      {"{}", "{}"},
      {"[true,18446744073709551615]", "[true,18446744073709551615]"},
  };
  for (const auto& [given, expected] : rows) {
    message_decoder decoder;
    const auto message =
        packed(R"({"op":"post","id":"1","to":{},"etc":)" + given + "}", "data");
    const auto read = request<post_request>(decoder, message);
    EXPECT_EQ(core::as_text(read.body.etc), expected);
    EXPECT_EQ(core::as_text(read.body.data), "data");
  }
}

TEST(MqMessageDecoder, HeadersInUtf8CountBytes) {
  message_decoder decoder;
  const auto read = request<login_request>(
      decoder, packed("{\"op\":\"login\",\"userId\":\"Zo\xc3\xab\","
                      "\"nodeId\":\"\\u00eb\\\"\"}"));
  EXPECT_EQ(read.user, "Zo\xc3\xab");
  EXPECT_EQ(read.node, "\xc3\xab\"");
}

TEST(MqMessageDecoder, LastOfEqualFieldsCounts) {
  message_decoder decoder;
  const auto read = request<login_request>(
      decoder, packed(R"({"op":"login","userId":"a","userId":"b",)"
                      R"("nodeId":"n"})"));
  EXPECT_EQ(read.user, "b");
}

TEST(MqMessageDecoder, HowIsCoercedLikeJavaScript) {
  using enum core::recipient_kind;
  const std::vector<std::pair<std::string, core::recipient_kind>> rows{
      {"0", one_device},
      {"1", all_devices},
      {"2", list_without_sender},
      {"3", list_with_sender},
      {"4", all_devices},
      {"-1", all_devices},
      {"2.5", all_devices},
      {"2.0", list_without_sender},
      {"-0.0", one_device},
      {"true", all_devices},
      {"false", one_device},
      {"null", one_device},
      {R"("")", one_device},
      {R"(" 2\n")", list_without_sender},
      {R"("3")", list_with_sender},
      {R"("+3")", list_with_sender},
      {R"("+-3")", all_devices},
      {R"("0x2")", list_without_sender},
      {R"("0b11")", list_with_sender},
      {R"("20e-1")", list_without_sender},
      {R"("two")", all_devices},
      {R"("nan")", all_devices},
      {R"("Infinity")", all_devices},
      {"[]", one_device},
      {"[2]", list_without_sender},
      {R"(["3"])", list_with_sender},
      {"[[2]]", list_without_sender},
      {"[true]", all_devices},
      {"[null]", one_device},
      {"[0,0]", all_devices},
      {"{}", all_devices},
  };
  for (const auto& [how, kind] : rows)
    EXPECT_EQ(to_recipient_kind(boost::json::parse(how)), kind) << how;
}

TEST(MqMessageDecoder, NoNodesIsAnythingTruthy) {
  for (const std::string yes : {"true", "1", R"("no")", "[]", "{}", "-1"}) {
    message_decoder decoder;
    EXPECT_TRUE(
        request<post_request>(
            decoder,
            packed(R"({"op":"post","id":"1","to":{},"noNodes":)" + yes + "}"))
            .no_nodes)
        << yes;
  }
  for (const std::string no : {"false", "0", R"("")", "null", "0.0"}) {
    message_decoder decoder;
    EXPECT_FALSE(
        request<ping_request>(
            decoder, packed(R"({"op":"ping","id":"1","alias":"b","noNodes":)" +
                            no + "}"))
            .no_nodes)
        << no;
  }
}

TEST(MqMessageDecoder, ExtensionsOfALoginAreChecked) {
  message_decoder decoder;
  const auto read = request<login_request>(
      decoder, packed(R"({"op":"login","userId":"a","nodeId":"n",)"
                      R"("window":99999999999,"resume":17,"dedup":true})"));
  EXPECT_EQ(read.window, 0xffffffffU);
  EXPECT_EQ(read.resume, core::inbox_position{17});
  EXPECT_TRUE(read.deduplicate);
  for (const std::string bad :
       {R"("window":0)", R"("window":"2")", R"("window":1.5)", R"("resume":-1)",
        R"("resume":null)", R"("dedup":"x")"}) {
    const auto name = bad.substr(1, bad.find('"', 1) - 1);
    EXPECT_EQ(complaint(packed(R"({"op":"login","userId":"a","nodeId":"n",)" +
                               bad + "}")),
              "login request invalid param " + name);
  }
}

TEST(MqMessageDecoder, ExtensionsOfAPostAreChecked) {
  message_decoder decoder;
  auto post = [](const std::string& extra) {
    return packed(R"({"op":"post","id":"1","to":{})" + extra + "}");
  };
  auto read = request<post_request>(decoder, post(R"(,"ttl":1.5)"));
  EXPECT_EQ(read.time_to_live, core::milliseconds{1500});
  EXPECT_EQ(read.duplicates.what, deduplication::choice::as_login);
  read = request<post_request>(decoder, post(R"(,"ttl":1e300,"dedup":"k")"));
  EXPECT_EQ(read.time_to_live->count(), 316'224'000'000);
  EXPECT_EQ(read.duplicates.what, deduplication::choice::by_key);
  EXPECT_EQ(read.duplicates.key, "k");
  read = request<post_request>(decoder, post(R"(,"dedup":false)"));
  EXPECT_EQ(read.duplicates.what, deduplication::choice::off);
  for (const std::string bad : {R"("ttl":0)", R"("ttl":-1)", R"("ttl":"9")",
                                R"("dedup":"")", R"("dedup":1)"}) {
    const auto name = bad.substr(1, bad.find('"', 1) - 1);
    EXPECT_EQ(complaint(post("," + bad)), "post request invalid param " + name);
  }
}

TEST(MqMessageDecoder, IdsThatDoNotFitAnAnswerAreRefused) {
  const std::string fits(field_bytes_max, 'i');
  EXPECT_EQ(
      complaint(packed(R"({"op":"post","id":")" + fits + R"(","to":{}})")), "");
  EXPECT_EQ(
      complaint(packed(R"({"op":"post","id":")" + fits + R"(i","to":{}})")),
      "post request invalid param id");
}

TEST(MqMessageDecoder, LargestHeaderIsTaken) {
  std::string header = R"({"op":"post","id":"1","to":{)";
  while (header.size() < 0xffff - 30)
    header += "\"user" + std::to_string(header.size()) + "\":1,";
  header += R"("last":1}})";
  message_decoder decoder;
  const auto message = packed(header, "data");
  const auto read = request<post_request>(decoder, message);
  EXPECT_EQ(read.to.back().name, "last");
  EXPECT_GT(read.to.size(), 4000U);
  EXPECT_EQ(core::as_text(read.body.data), "data");
}

TEST(MqMessageDecoder, OneDecoderReadsManyMessages) {
  message_decoder decoder;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(request<ack_packet>(
                  decoder, packed(R"({"op":"ack","id":"7-0","type":"ok"})"))
                  .id,
              "7-0");
    EXPECT_FALSE(decoder.decode_request(core::as_bytes("5   {\"op\"")));
  }
}

} // namespace
} // namespace troupe::net::mq
