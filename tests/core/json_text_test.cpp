// SPDX-License-Identifier: Apache-2.0
#include "core/json_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace troupe::core;
using namespace std::string_view_literals;

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonText, EscapesWhatAStringMustNotHold) {
  EXPECT_EQ(quoted("plain"), "\"plain\"");
  EXPECT_EQ(quoted("\"\\\n\r\t"), R"("\"\\\n\r\t")");
  EXPECT_EQ(quoted("\0\x1F\x7F"sv), R"("\u0000\u001f\u007f")");
}

TEST(JsonText, IsPureAscii) {
  EXPECT_EQ(quoted("\xC3\xA4"), R"("\u00e4")");
  EXPECT_EQ(quoted("\xE2\x82\xAC"), R"("\u20ac")");
  EXPECT_EQ(quoted("\xF0\x9F\x98\x80"), R"("\ud83d\ude00")");
}

TEST(JsonText, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(quoted("\xFF"), R"("\ufffd")");
  EXPECT_EQ(quoted("\xC3"), R"("\ufffd")") << "cut short";
  EXPECT_EQ(quoted("\xC3z"), R"("\ufffdz")") << "the next byte counts again";
  EXPECT_EQ(quoted("\xE0\x80\x80"), R"("\ufffd")") << "overlong";
  EXPECT_EQ(quoted("\xED\xA0\x80"), R"("\ufffd")") << "a lone surrogate";
  EXPECT_EQ(quoted("\xF4\x90\x80\x80"), R"("\ufffd")") << "above U+10FFFF";
}

TEST(JsonWriter, PutsCommasBetweenAndNowhereElse) {
  json_writer out;
  out.begin_object()
      .member("a", std::uint64_t{1})
      .member("b", std::int64_t{-2})
      .member("c", "text")
      .member("d", true);
  out.key("e").null();
  out.key("f").begin_array().value("x").begin_object().end_object();
  out.begin_array().end_array().end_array();
  out.key("g").raw("{\"raw\":1}");
  out.member("h", false).end_object();
  EXPECT_EQ(std::move(out).text(),
            R"({"a":1,"b":-2,"c":"text","d":true,"e":null,)"
            R"("f":["x",{},[]],"g":{"raw":1},"h":false})");
}

} // namespace
