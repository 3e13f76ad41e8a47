// SPDX-License-Identifier: Apache-2.0
// Users who have not been seen for long: who they are, and their end. Shard by
// shard, on whichever nodes these are kept.
#include "app/admin.hpp"
#include "app/admin_query.hpp"
#include "app/unseen_users.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace troupe::app {
namespace {

namespace json = boost::json;

/// Users that one request removes.
constexpr std::size_t purge_max = 1000;
/// Devices that it looks at a time.
constexpr std::size_t purge_page = 1000;

/// The age may stand in the body too.
std::optional<core::milliseconds> age_in(const std::string& body) {
  boost::system::error_code bad;
  const auto parsed = json::parse(body, bad);
  if (bad || !parsed.is_object())
    return std::nullopt;
  const auto* value = parsed.as_object().if_contains("unseen_for_ms");
  if (value == nullptr || !value->is_int64() || value->as_int64() < 0)
    return std::nullopt;
  return core::milliseconds{value->as_int64()};
}

/// Where a walk over all shards goes on: "SHARD.UID", behind it.
struct place {
  std::uint16_t group = 1;
  std::optional<std::string> after;

  [[nodiscard]] std::string text() const {
    return std::to_string(group) + "." + after.value_or("");
  }
};

std::optional<place> place_of(std::string_view text) {
  if (text.empty())
    return place{};
  const auto dot = text.find('.');
  const auto group = number_of<std::uint16_t>(text.substr(0, dot));
  if (!group || *group == 0 || dot == std::string_view::npos)
    return std::nullopt;
  place found{*group, {}};
  if (dot + 1 < text.size())
    found.after = std::string{text.substr(dot + 1)};
  return found;
}

/// One page after the other, on the loop of whoever asks.
struct unseen_walk : std::enable_shared_from_this<unseen_walk> {
  using asker =
      std::function<void(std::uint16_t, const unseen_question&, http_reply)>;

  asker ask;
  std::uint16_t shards = 0;
  core::milliseconds unseen_for{0};
  std::size_t limit = 0; ///< rows of a page
  place at;
  /// Looks at a page and at where the next one begins (nothing: this was the
  /// last); true: go on.
  std::function<bool(std::vector<unseen_device>, std::optional<place>)> on_page;
  std::function<void(net::http_response)> failed;

  void step() {
    ask(at.group, {unseen_for, limit, at.after},
        [self = shared_from_this()](const net::http_response& response) {
          self->on_answer(response);
        });
  }

  void on_answer(const net::http_response& response) {
    if (response.status != 200)
      return failed(response);
    auto page = unseen_page_of(response.body);
    if (!page)
      return failed(net::http_error(502, "a node answered without sense"));
    if (page->more)
      at.after = page->rows.back().uid;
    else
      at = {static_cast<std::uint16_t>(at.group + 1), {}};
    const auto next =
        at.group <= shards ? std::optional{at} : std::optional<place>{};
    if (on_page(std::move(page->rows), next) && next)
      step();
  }
};

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

  void take(std::vector<unseen_device> rows) {
    for (auto& row : rows) {
      if (!row.all || (!victims.empty() && victims.back() == row.uid))
        continue;
      more = victims.size() == purge_max;
      if (more)
        return;
      victims.push_back(std::move(row.uid));
    }
  }

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

json::value row_of(const unseen_device& device) {
  return json::object{{"uid", device.uid},
                      {"device", device.device},
                      {"last_seen", device.last_seen}};
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

void admin::ask_unseen(std::uint16_t group, const unseen_question& question,
                       http_reply then) {
  ask_shard(core::group_id{group}, "inactive", question.query(),
            std::move(then));
}

void admin::list_unseen(const net::http_request& request,
                        net::responder answer) {
  if (!number_of<std::uint64_t>(
          request.query_value("unseen_for_ms").value_or("")))
    return answer.send(
        net::http_error(400, "unseen_for_ms is a number of milliseconds"));
  const auto asked = unseen_question::of(request);
  const auto from = place_of(request.query_value("after").value_or(""));
  if (!asked || !from || from->group > shard_count())
    return answer.send(net::http_error(
        400, "limit is a number from 1 to 10000, after what 'next' gave"));
  auto walk = std::make_shared<unseen_walk>();
  walk->ask = [this](auto group, const auto& question, auto then) {
    ask_unseen(group, question, std::move(then));
  };
  walk->shards = shard_count();
  walk->unseen_for = asked->unseen_for;
  walk->limit = asked->limit;
  walk->at = *from;
  walk->failed = [answer](net::http_response why) {
    answer.send(std::move(why));
  };
  walk->on_page = [answer, most = asked->limit, all = json::array{},
                   raw = walk.get()](std::vector<unseen_device> rows,
                                     const std::optional<place>& next) mutable {
    for (const auto& row : rows)
      all.push_back(row_of(row));
    if (next && all.size() < most) {
      raw->limit = most - all.size();
      return true;
    }
    json::object body{{"users", std::move(all)}, {"next", nullptr}};
    if (next)
      body["next"] = next->text();
    answer.send(json_response(body));
    return false;
  };
  walk->step();
}

void admin::purge_unseen(const net::http_request& request,
                         net::responder answer) {
  const auto asked = unseen_question::of(request);
  const auto age = asked ? asked->unseen_for : age_in(request.body);
  if (!age)
    return answer.send(
        net::http_error(400, "unseen_for_ms is a number of milliseconds"));
  auto job = std::make_shared<purge_job>(answer);
  job->remove = [this](const std::string& uid, auto done) {
    remove_user(uid, std::move(done));
  };
  auto walk = std::make_shared<unseen_walk>();
  walk->ask = [this](auto group, const auto& question, auto then) {
    ask_unseen(group, question, std::move(then));
  };
  walk->shards = shard_count();
  walk->unseen_for = *age;
  walk->limit = purge_page;
  walk->failed = [answer](net::http_response why) {
    answer.send(std::move(why));
  };
  walk->on_page = [job](std::vector<unseen_device> rows,
                        const std::optional<place>& next) {
    job->take(std::move(rows));
    if (next && !job->more)
      return true;
    job->step(0);
    return false;
  };
  walk->step();
}

} // namespace troupe::app
