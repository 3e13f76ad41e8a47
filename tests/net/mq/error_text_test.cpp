// SPDX-License-Identifier: Apache-2.0
#include "net/mq/error_text.hpp"

#include <gtest/gtest.h>

#include <array>

namespace troupe::net::mq {
namespace {

using enum core::errc;

constexpr std::array every_code{ok,
                                user_exists,
                                user_unknown,
                                user_inactive,
                                device_unknown,
                                device_exists,
                                device_name_required,
                                device_busy,
                                previous_device_invalid,
                                no_device_offset,
                                alias_unknown,
                                list_unknown,
                                not_a_member,
                                no_recipients,
                                not_permitted,
                                not_logged_in,
                                already_logged_in,
                                name_invalid,
                                conflict,
                                too_large,
                                inbox_full,
                                overloaded,
                                storage_full,
                                rate_limited,
                                too_many,
                                not_leader,
                                unavailable,
                                timed_out,
                                shutting_down,
                                draining,
                                duplicate,
                                malformed,
                                corrupt,
                                newer_format,
                                wrong_cluster,
                                in_use,
                                io_error,
                                not_found,
                                invalid_config};

TEST(MqErrorText, TableOfCodesIsComplete) {
  // core::to_string() names every code and nothing else.
  std::size_t named = 0;
  for (unsigned number = 0; number <= 0xffff; ++number)
    if (core::to_string(static_cast<core::errc>(number)) != "unknown error")
      ++named;
  EXPECT_EQ(named, every_code.size());
}

TEST(MqErrorText, EveryCodeHasATextOfPlainAscii) {
  for (const auto code : every_code) {
    const auto text = error_text(code);
    EXPECT_FALSE(text.empty());
    for (const char c : text)
      EXPECT_TRUE(c >= ' ' && c < 0x7f && c != '"' && c != '\\') << text;
    if (code != ok) {
      EXPECT_NE(text, "ok");
      EXPECT_FALSE(register_error_text(code).empty());
      EXPECT_FALSE(farewell_text({code, {}}).empty());
      for (const auto kind :
           {core::list_edit_kind::add, core::list_edit_kind::invite,
            core::list_edit_kind::remove})
        EXPECT_FALSE(list_edit_error_text(code, kind, "L", "M", "C").empty());
    }
    EXPECT_EQ(post_error_text({{code, "d"}}, "s").empty(),
              code == duplicate || code == ok);
  }
}

TEST(MqErrorText, ClientsKnowTheseTexts) {
  const std::vector<std::pair<core::errc, std::string_view>> rows{
      {user_exists, "user exists"},
      {device_name_required, "new nodename required"},
      {previous_device_invalid, "prev nodename invalid"},
      {device_exists, "new nodename exists"},
      {no_device_offset, "no offsets available"},
      {user_unknown, "userId unknown"},
      {device_unknown, "nodeId unknown"},
      {device_busy, "node already active"},
      {already_logged_in, "node already active"},
      {shutting_down, "shutdown"},
      {alias_unknown, "alias not defined"},
      {no_recipients, "msg lacks recipients"},
      {not_logged_in, "illegal op on unauthenticated socket"},
      {user_inactive, "userId inactive"},
  };
  for (const auto& [code, text] : rows)
    EXPECT_EQ(error_text(code), text);
  EXPECT_EQ(register_error_text(user_unknown), "no such user");
}

TEST(MqErrorText, TroublesOfTheNodeStayItsOwn) {
  for (const auto code :
       {corrupt, newer_format, wrong_cluster, in_use, io_error, invalid_config})
    EXPECT_EQ(error_text(code), "server error");
}

} // namespace
} // namespace troupe::net::mq
