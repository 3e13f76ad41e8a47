// SPDX-License-Identifier: Apache-2.0
#include "app/unseen_users.hpp"

#include "app/admin_query.hpp"
#include "core/command.hpp"
#include "schema/stored_inboxes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <iterator>
#include <utility>

namespace troupe::app {
namespace {

namespace json = boost::json;

/// Devices of one page, but for the last user's; a user has at most 100.
constexpr std::size_t page_default = 1000;
constexpr std::size_t page_max = 10'000;

std::optional<unseen_device> device_of(const json::value& row) {
  const auto* fields = row.if_object();
  const auto* uid = fields ? fields->if_contains("uid") : nullptr;
  const auto* device = fields ? fields->if_contains("device") : nullptr;
  const auto* seen = fields ? fields->if_contains("last_seen") : nullptr;
  const auto* all = fields ? fields->if_contains("all") : nullptr;
  if (uid == nullptr || !uid->is_string() || device == nullptr ||
      !device->is_int64() || seen == nullptr || !seen->is_int64() ||
      all == nullptr || !all->is_bool())
    return std::nullopt;
  return unseen_device{std::string{uid->as_string()},
                       static_cast<std::uint64_t>(device->as_int64()),
                       seen->as_int64(), all->as_bool()};
}

} // namespace

std::optional<unseen_question>
unseen_question::of(const net::http_request& request) {
  const auto age = number_of<std::int64_t>(
      request.query_value("unseen_for_ms").value_or(""));
  const auto limit = limit_of(request, page_default, page_max);
  if (!age || *age < 0 || !limit)
    return std::nullopt;
  unseen_question question{core::milliseconds{*age}, *limit, {}};
  if (const auto after = request.query_value("after"))
    question.after = std::string{*after};
  return question;
}

http_query unseen_question::query() const {
  http_query all{{"unseen_for_ms", std::to_string(unseen_for.count())},
                 {"limit", std::to_string(limit)}};
  if (after)
    all.emplace_back("after", *after);
  return all;
}

unseen_page read_unseen(storage::state_store& state, core::group_id group,
                        const unseen_question& question, core::timestamp now) {
  const auto before = now - question.unseen_for;
  unseen_page page;
  std::optional<core::owner> after;
  if (question.after)
    after = core::owner{std::string{admin_realm}, core::owner_kind::user,
                        *question.after};
  const schema::stored_inboxes tables{state.space(group)};
  tables.each_head(std::move(after), [&](const core::owner& inbox,
                                         const core::inbox_head& head) {
    std::vector<unseen_device> found;
    for (const auto& c : head.cursors)
      if (c.seen < before)
        found.push_back(
            {inbox.name, c.device.value(), core::to_millis(c.seen), false});
    if (found.empty())
      return true;
    page.more = page.rows.size() >= question.limit;
    if (page.more)
      return false;
    for (auto& device : found)
      device.all = found.size() == head.cursors.size();
    page.rows.insert(page.rows.end(), std::make_move_iterator(found.begin()),
                     std::make_move_iterator(found.end()));
    return true;
  });
  return page;
}

json::value to_json(const unseen_page& page) {
  json::array rows;
  for (const auto& row : page.rows)
    rows.push_back(json::object{{"uid", row.uid},
                                {"device", row.device},
                                {"last_seen", row.last_seen},
                                {"all", row.all}});
  return json::object{{"users", std::move(rows)}, {"more", page.more}};
}

std::optional<unseen_page> unseen_page_of(std::string_view text) {
  boost::system::error_code bad;
  const auto parsed = json::parse(text, bad);
  const auto* fields = bad ? nullptr : parsed.if_object();
  const auto* rows = fields ? fields->if_contains("users") : nullptr;
  const auto* more = fields ? fields->if_contains("more") : nullptr;
  if (rows == nullptr || !rows->is_array() || more == nullptr ||
      !more->is_bool())
    return std::nullopt;
  unseen_page page;
  page.more = more->as_bool();
  for (const auto& row : rows->as_array())
    if (auto device = device_of(row))
      page.rows.push_back(std::move(*device));
    else
      return std::nullopt;
  if (page.more && page.rows.empty())
    return std::nullopt; // who asks would go in circles
  return page;
}

} // namespace troupe::app
