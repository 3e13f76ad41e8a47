// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/principal.hpp"
#include "core/result.hpp"
#include "core/rights_command.hpp"
#include "core/rights_store.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

/// Rights as the admin listener writes and reads them (docs/admin.md). What
/// is wrong in a body is malformed, with a detail for people.
namespace troupe::app {

[[nodiscard]] core::result<boost::json::object>
object_of(const std::string& body);
/// "" if there is no such text.
[[nodiscard]] std::string text_in(const boost::json::object& body,
                                  std::string_view name);

/// Without hashes: they are of no use to anybody.
[[nodiscard]] boost::json::object view_of(std::string_view uid,
                                          const core::account_record& record);
[[nodiscard]] boost::json::object view_of(std::string_view role,
                                          const core::role_record& record);
[[nodiscard]] boost::json::object view_of(std::string_view id,
                                          const core::token_record& record);
[[nodiscard]] boost::json::object view_of(std::string_view name,
                                          const core::ban_record& record);
[[nodiscard]] boost::json::object view_of(const core::principal& who);

[[nodiscard]] core::result<core::change_account>
read_account_change(const boost::json::object& body);
[[nodiscard]] core::result<core::change_role>
read_role_change(const boost::json::object& body);
[[nodiscard]] core::result<core::change_blocks>
read_block_change(const boost::json::object& body);
/// Without id and hash.
[[nodiscard]] core::result<core::add_token>
read_token(const boost::json::object& body, core::timestamp now);
[[nodiscard]] core::result<core::set_ban>
read_ban(const boost::json::object& body, core::timestamp now);

} // namespace troupe::app
