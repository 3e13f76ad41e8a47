// SPDX-License-Identifier: Apache-2.0
#include "net/mq/ascii_json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <string>

namespace troupe::net::mq {
namespace {

std::string quoted(std::string_view text) {
  std::string json;
  append_json(json, text);
  return json;
}

TEST(AsciiJson, EscapesWhatIsNotPrintableAscii) {
  EXPECT_EQ(quoted("plain / text"), "\"plain / text\"");
  EXPECT_EQ(quoted("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
  EXPECT_EQ(quoted(std::string_view("\0\x1f\x7f", 3)),
            R"("\u0000\u001f\u007f")");
  EXPECT_EQ(quoted("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
            R"("\u00e9\u20ac\ud83d\ude00")");
}

TEST(AsciiJson, WrongUtf8BecomesTheReplacementCharacter) {
  for (const std::string_view wrong :
       {"\xff", "\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
        "\xf4\x90\x80\x80", "\xe2\x82", "\xc3"}) {
    const auto json = quoted(wrong);
    EXPECT_NE(json.find("\\ufffd"), std::string::npos);
    EXPECT_NO_THROW((void)boost::json::parse(json));
  }
  EXPECT_EQ(quoted("\xe2\x82!"), R"("\ufffd!")");
}

TEST(AsciiJson, ValuesAreCompact) {
  const std::string json =
      R"({"a":[1,-2,2.5,1e+300,true,false,null,"x"],"b":{},"c":[]})";
  std::string again;
  append_json(again, boost::json::parse(json));
  EXPECT_EQ(again, json);
}

} // namespace
} // namespace troupe::net::mq
