// SPDX-License-Identifier: Apache-2.0
#include "app/rights_json.hpp"

#include "net/ip_endpoint.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value_from.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace troupe::app {
namespace {

namespace json = boost::json;

core::error wrong(std::string why) {
  return {core::errc::malformed, std::move(why)};
}

json::array texts_of(const std::vector<core::grant>& grants) {
  json::array texts;
  for (const auto& each : grants)
    texts.emplace_back(core::to_string(each));
  return texts;
}

json::value time_of(const std::optional<core::timestamp>& time) {
  return time ? json::value(core::to_millis(*time)) : json::value{};
}

/// A list of texts; empty if there is no such member.
core::result<std::vector<std::string>> names_in(const json::object& body,
                                                std::string_view name) {
  std::vector<std::string> names;
  const auto* value = body.if_contains(name);
  if (value == nullptr)
    return names;
  const auto* list = value->if_array();
  if (list == nullptr)
    return wrong(std::string{name} + " is a list of texts");
  for (const auto& each : *list) {
    if (!each.is_string())
      return wrong(std::string{name} + " is a list of texts");
    names.emplace_back(each.get_string());
  }
  return names;
}

core::result<std::vector<core::grant>> grants_in(const json::object& body) {
  const auto texts = names_in(body, "grants");
  if (!texts)
    return texts.error();
  std::vector<core::grant> grants;
  for (const auto& text : *texts) {
    auto grant = core::grant::parse(text);
    if (!grant)
      return grant.error();
    grants.push_back(std::move(*grant));
  }
  return grants;
}

core::result<core::give_or_take> way_in(const json::object& body) {
  const auto text = text_in(body, "op");
  if (text == "give")
    return core::give_or_take::give;
  if (text == "take")
    return core::give_or_take::take;
  return wrong("op is give or take");
}

/// `name` milliseconds from now; nothing if there is no such member.
core::result<std::optional<core::timestamp>>
end_in(const json::object& body, std::string_view name, core::timestamp now) {
  constexpr std::int64_t longest = std::int64_t{36'500} * 86'400'000;
  const auto* value = body.if_contains(name);
  if (value == nullptr || value->is_null())
    return std::optional<core::timestamp>{};
  const auto* millis = value->if_int64();
  if (millis == nullptr || *millis <= 0 || *millis > longest)
    return wrong(std::string{name} + " is a number of milliseconds above 0");
  return std::optional{now + core::milliseconds{*millis}};
}

} // namespace

core::result<json::object> object_of(const std::string& body) {
  boost::system::error_code bad;
  auto parsed = json::parse(body, bad);
  if (bad || !parsed.is_object())
    return wrong("a JSON object is wanted");
  return std::move(parsed.get_object());
}

std::string text_in(const json::object& body, std::string_view name) {
  const auto* value = body.if_contains(name);
  return value != nullptr && value->is_string()
             ? std::string{value->get_string()}
             : std::string{};
}

json::object view_of(std::string_view uid, const core::account_record& record) {
  return {{"uid", uid},
          {"password", !record.password.empty()},
          {"scram", !record.scram.empty()},
          {"roles", json::value_from(record.roles)},
          {"grants", texts_of(record.grants)},
          {"tokens", json::value_from(record.tokens)}};
}

json::object view_of(std::string_view role, const core::role_record& record) {
  return {{"role", role}, {"grants", texts_of(record.grants)}};
}

json::object view_of(std::string_view id, const core::token_record& record) {
  return {{"id", id},
          {"uid", record.uid},
          {"label", record.label},
          {"created_ms", core::to_millis(record.created)},
          {"expires_ms", time_of(record.expires)},
          {"roles", json::value_from(record.roles)},
          {"grants", texts_of(record.grants)}};
}

json::object view_of(std::string_view name, const core::ban_record& record) {
  return {{"name", name},
          {"since_ms", core::to_millis(record.since)},
          {"until_ms", time_of(record.until)},
          {"reason", record.reason}};
}

json::object view_of(const core::principal& who) {
  return {{"uid", who.uid},
          {"by", core::to_string(who.by)},
          {"token", who.token},
          {"expires_ms", time_of(who.expires)},
          {"own_rights_only", who.own_rights_only},
          {"roles", json::value_from(who.roles)},
          {"grants", texts_of(who.grants)}};
}

core::result<core::change_account>
read_account_change(const json::object& body) {
  const auto how = way_in(body);
  auto roles = names_in(body, "roles");
  auto grants = grants_in(body);
  if (!how)
    return how.error();
  if (!roles)
    return roles.error();
  if (!grants)
    return grants.error();
  return core::change_account{text_in(body, "uid"), *how, std::move(*roles),
                              std::move(*grants)};
}

core::result<core::change_role> read_role_change(const json::object& body) {
  const auto how = way_in(body);
  auto grants = grants_in(body);
  if (!how)
    return how.error();
  if (!grants)
    return grants.error();
  return core::change_role{text_in(body, "role"), *how, std::move(*grants)};
}

core::result<core::change_blocks> read_block_change(const json::object& body) {
  const auto how = way_in(body);
  auto blocked = names_in(body, "blocked");
  if (!how)
    return how.error();
  if (!blocked)
    return blocked.error();
  return core::change_blocks{text_in(body, "uid"), *how, std::move(*blocked)};
}

core::result<core::add_token> read_token(const json::object& body,
                                         core::timestamp now) {
  auto roles = names_in(body, "roles");
  auto grants = grants_in(body);
  const auto end = end_in(body, "expires_in_ms", now);
  if (!roles)
    return roles.error();
  if (!grants)
    return grants.error();
  if (!end)
    return end.error();
  core::add_token command;
  command.uid = text_in(body, "uid");
  command.label = text_in(body, "label");
  command.expires = *end;
  command.roles = std::move(*roles);
  command.grants = std::move(*grants);
  return command;
}

core::result<core::set_ban> read_ban(const json::object& body,
                                     core::timestamp now) {
  const auto end = end_in(body, "for_ms", now);
  if (!end)
    return end.error();
  core::set_ban command;
  command.until = *end;
  command.reason = text_in(body, "reason");
  if (const auto uid = text_in(body, "uid"); !uid.empty()) {
    command.name = uid;
    return command;
  }
  // As the node spells the addresses of its clients.
  boost::system::error_code bad;
  const auto address =
      boost::asio::ip::make_address(text_in(body, "address"), bad);
  if (bad)
    return wrong("wanted is a uid, or an address");
  command.kind = core::ban_kind::address;
  command.name = net::unmapped(address).to_string();
  return command;
}

} // namespace troupe::app
