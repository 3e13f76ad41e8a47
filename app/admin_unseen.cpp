// SPDX-License-Identifier: Apache-2.0
// Users who have not been seen for long: who they are, and their end.
#include "app/admin.hpp"
#include "app/admin_query.hpp"
#include "schema/stored_inboxes.hpp"

#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace troupe::app {
namespace {

namespace json = boost::json;

constexpr std::string_view realm = "default";
/// Devices of one page, but for the last user's; a user has at most 100.
constexpr std::size_t page_default = 1000;
constexpr std::size_t page_max = 10'000;
/// Users that one request removes.
constexpr std::size_t purge_max = 1000;

/// A member of the query or of the body; negative if there is none.
core::milliseconds unseen_for(const net::http_request& request) {
  if (const auto text = request.query_value("unseen_for_ms"))
    return core::milliseconds{number_of<std::int64_t>(*text).value_or(-1)};
  boost::system::error_code bad;
  const auto parsed = json::parse(request.body, bad);
  if (!bad && parsed.is_object())
    if (const auto* value = parsed.as_object().if_contains("unseen_for_ms");
        value != nullptr && value->is_int64())
      return core::milliseconds{value->as_int64()};
  return core::milliseconds{-1};
}

/// Where a walk over all inboxes goes on: "GROUP" or "GROUP.UID", behind it.
struct place {
  std::uint16_t group = 1;
  std::optional<core::owner> after;
};

std::optional<place> place_of(std::string_view text) {
  if (text.empty())
    return place{};
  const auto dot = text.find('.');
  const auto group = number_of<std::uint16_t>(text.substr(0, dot));
  if (!group || *group == 0 || dot == std::string_view::npos)
    return std::nullopt;
  return place{*group, core::owner{std::string{realm}, core::owner_kind::user,
                                   std::string{text.substr(dot + 1)}}};
}

/// A user one of whose devices at least was not seen for the time asked for.
struct unseen_user {
  std::string uid;
  bool entirely = false; ///< none was
  std::vector<core::cursor> devices;
};

/// Visits them in order from `from` on until `visit` returns false.
void each_unseen(storage::state_store& state, std::uint16_t shards, place from,
                 core::timestamp before,
                 const std::function<bool(std::uint16_t, unseen_user)>& visit) {
  bool more = true;
  for (auto g = from.group; g <= shards && more; ++g) {
    const schema::stored_inboxes tables{state.space(core::group_id{g})};
    tables.each_head(
        std::exchange(from.after, std::nullopt),
        [&](const core::owner& inbox, const core::inbox_head& head) {
          unseen_user found{inbox.name, !head.cursors.empty(), {}};
          for (const auto& c : head.cursors)
            if (c.seen < before)
              found.devices.push_back(c);
            else
              found.entirely = false;
          if (!found.devices.empty())
            more = visit(g, std::move(found));
          return more;
        });
  }
}

} // namespace

void admin::add_unseen_routes() {
  route("GET", "/users/inactive",
        [this](const net::http_request& r, net::responder a) {
          list_unseen(r, std::move(a));
        });
  route("POST", "/users/purge",
        [this](const net::http_request& r, net::responder a) {
          purge_unseen(r, std::move(a));
        });
}

void admin::list_unseen(const net::http_request& request,
                        net::responder answer) {
  const auto unseen = unseen_for(request);
  if (unseen.count() < 0)
    return answer.send(
        net::http_error(400, "unseen_for_ms is a number of milliseconds"));
  const auto limit = limit_of(request, page_default, page_max);
  const auto from = place_of(request.query_value("after").value_or(""));
  if (!limit || !from)
    return answer.send(net::http_error(
        400, "limit is a number from 1 to 10000, after what 'next' gave"));
  in_background(answer, [this, unseen, limit = *limit, from = *from] {
    json::array rows;
    json::object body{{"next", nullptr}};
    std::string last;
    each_unseen(parts_.engine.state(), shard_count(), from,
                parts_.engine.clock().wall() - unseen,
                [&](std::uint16_t group, const unseen_user& user) {
                  if (rows.size() >= limit) {
                    body["next"] = last;
                    return false;
                  }
                  last = std::to_string(group) + "." + user.uid;
                  for (const auto& c : user.devices)
                    rows.push_back(
                        json::object{{"uid", user.uid},
                                     {"device", c.device.value()},
                                     {"last_seen", core::to_millis(c.seen)}});
                  return true;
                });
    body["users"] = std::move(rows);
    return json_response(body);
  });
}

namespace {

/// Removes one user after the other, so that a purge does not crowd out posts.
struct purge_job : std::enable_shared_from_this<purge_job> {
  using remover =
      std::function<void(const std::string&, std::function<void(core::error)>)>;

  explicit purge_job(net::responder to) : answer(std::move(to)) {}

  net::responder answer;
  remover remove;
  std::vector<std::string> victims;
  bool more = false;
  json::array removed;

  void step(std::size_t i) {
    if (i == victims.size())
      return respond(answer,
                     json_response(json::object{{"users", std::move(removed)},
                                                {"more", more}}));
    remove(victims[i], [self = shared_from_this(), i](const core::error& why) {
      if (why.code == core::errc::ok)
        self->removed.push_back(json::object{{"uid", self->victims[i]}});
      self->step(i + 1);
    });
  }
};

} // namespace

void admin::purge_unseen(const net::http_request& request,
                         net::responder answer) {
  const auto unseen = unseen_for(request);
  if (unseen.count() < 0)
    return answer.send(
        net::http_error(400, "unseen_for_ms is a number of milliseconds"));
  auto job = std::make_shared<purge_job>(std::move(answer));
  job->remove = [this](const std::string& uid, auto done) {
    remove_user(uid, std::move(done));
  };
  boost::asio::post(background_, [this, job, unseen] {
    each_unseen(parts_.engine.state(), shard_count(), {},
                parts_.engine.clock().wall() - unseen,
                [&](std::uint16_t, unseen_user user) {
                  job->more = job->victims.size() == purge_max;
                  if (user.entirely && !job->more)
                    job->victims.push_back(std::move(user.uid));
                  return !job->more;
                });
    job->step(0);
  });
}

} // namespace troupe::app
