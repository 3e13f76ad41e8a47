// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/answers.hpp"
#include "net/msgbus/basic_credentials.hpp"
#include "net/msgbus/gatekeeper.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net::msgbus {
namespace {

std::string date() { return std::string{http_date()}; }

TEST(MsgbusAnswers, PublishedAsTheOriginalSaysIt) {
  EXPECT_EQ(published({11, true, false}),
            "HTTP/1.1 204 OK\r\nServer: msgbus\r\nDate: " + date() +
                "\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(published({11, false, false}),
            "HTTP/1.1 204 OK\r\nServer: msgbus\r\nDate: " + date() +
                "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(published({10, false, false}),
            "HTTP/1.0 204 OK\r\nServer: msgbus\r\n\r\n");
  EXPECT_EQ(published({10, true, false}),
            "HTTP/1.0 204 OK\r\nServer: msgbus\r\n"
            "Connection: keep-alive\r\nContent-Length: 0\r\n\r\n");
}

TEST(MsgbusAnswers, UnauthorizedAsTheOriginalSaysIt) {
  EXPECT_EQ(unauthorized({}),
            "HTTP/1.1 401 Unauthorized\r\nServer: msgbus\r\n"
            "WWW-Authenticate: Basic realm=\"msgbus\"\r\nDate: " +
                date() +
                "\r\nContent-Length: 21\r\n"
                "Content-Type: text/html; charset=ISO-8859-1\r\n\r\n"
                "<h1>Unauthorized</h1>");
}

TEST(MsgbusAnswers, AHeadHasNoBody) {
  const auto text = page({11, true, true}, 501, "Not Implemented");
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
  EXPECT_NE(text.find("Content-Length: 24\r\n"), std::string::npos);
}

TEST(MsgbusAnswers, StreamsOfBothVersions) {
  EXPECT_EQ(stream_head(framing::parts_chunked),
            "HTTP/1.1 200 OK\r\nServer: msgbus\r\n"
            "Content-Type: multipart/x-mixed-replace;boundary=00MsgBus00\r\n"
            "Transfer-Encoding: chunked\r\nDate: " +
                date() + "\r\n\r\n");
  EXPECT_EQ(stream_head(framing::parts_plain),
            "HTTP/1.0 200 OK\r\nServer: msgbus\r\nContent-Type: "
            "multipart/x-mixed-replace;boundary=00MsgBus00\r\n\r\n");
}

TEST(BasicCredentials, UserAndPasswordAroundTheFirstColon) {
  const auto found = parse_basic("Basic YWxpY2U6YTpi"); // alice:a:b
  ASSERT_TRUE(found);
  EXPECT_EQ(found->user, "alice");
  EXPECT_EQ(found->password, "a:b");
  EXPECT_EQ(parse_basic("bAsIc   Ong=")->password, "x"); // :x
  EXPECT_EQ(parse_basic("Basic YTpi")->user, "a");
}

TEST(BasicCredentials, NonsenseIsNone) {
  for (const auto* field : {"", "Basic", "Basic ", "Bearer YTpi",
                            "Basic YWI=", "Basic !!!!", "Basic Y", "BasicYTpi"})
    EXPECT_FALSE(parse_basic(field)) << field;
}

TEST(BasicCredentials, SecretsAreCompared) {
  EXPECT_TRUE(same_secret("", ""));
  EXPECT_TRUE(same_secret("abc", "abc"));
  EXPECT_FALSE(same_secret("abc", "abd"));
  EXPECT_FALSE(same_secret("abc", "ab"));
  EXPECT_FALSE(same_secret("ab", "abc"));
  EXPECT_FALSE(same_secret("abab", "ab"));
  EXPECT_FALSE(same_secret("", "a"));
  EXPECT_FALSE(same_secret("a", ""));
}

verdict asked(const password_gatekeeper& keeper, const std::string& field) {
  const connection_info info;
  verdict found;
  keeper.decide({field, info, deed::publish, "foo"},
                [&](verdict v) { found = std::move(v); });
  return found;
}

TEST(PasswordGatekeeper, WithoutAPasswordANameIsTaken) {
  const password_gatekeeper open{""};
  EXPECT_EQ(asked(open, "").what, verdict::kind::admitted);
  EXPECT_EQ(asked(open, "").sender, "");
  EXPECT_EQ(asked(open, "Basic YWxpY2U6eA==").sender, "alice");
}

TEST(PasswordGatekeeper, OnlyThePasswordCounts) {
  const password_gatekeeper closed{"x"};
  EXPECT_EQ(asked(closed, "").what, verdict::kind::unknown);
  EXPECT_EQ(asked(closed, "Basic YWxpY2U6eQ==").what, verdict::kind::unknown);
  EXPECT_EQ(asked(closed, "Basic YWxpY2U6eA==").sender, "alice");
  EXPECT_EQ(asked(closed, "Basic Ong=").what, verdict::kind::admitted);
}

TEST(PasswordGatekeeper, ANameMakesNoLine) {
  // "eve\r\nX: y:x"
  EXPECT_EQ(asked(password_gatekeeper{""}, "Basic ZXZlDQpYOiB5Ong=").sender,
            "eveX");
}

} // namespace
} // namespace troupe::net::msgbus
