// SPDX-License-Identifier: Apache-2.0
// Users: show, add, remove, import, export.
#include "actors/account_operations.hpp"
#include "actors/admin_operations.hpp"
#include "actors/messages.hpp"
#include "actors/runtime/loop.hpp"
#include "app/admin.hpp"
#include "app/admin_query.hpp"
#include "app/registry_json.hpp"
#include "core/name_rules.hpp"

#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value_from.hpp>

#include <memory>
#include <utility>

namespace troupe::app {
namespace {

namespace json = boost::json;

constexpr auto realm = admin_realm;
constexpr std::size_t users_page_default = 100;
constexpr std::size_t users_page_max = 1000;
constexpr std::size_t export_bytes_max = std::size_t{1} << 30;

json::object describe(std::string_view uid, const core::user_record& user) {
  json::array devices;
  for (const auto& device : user.devices)
    devices.push_back(json::object{{"offset", device.offset.value()},
                                   {"device", "(secret)"}});
  return {{"uid", uid},
          {"aliases", json::value_from(user.aliases)},
          {"created_ms", core::to_millis(user.created)},
          {"devices", std::move(devices)}};
}

std::string tail_of(const net::http_request& request, std::size_t prefix) {
  return request.path.substr(prefix);
}

/// A member that must be a string.
const json::string* text_member(const json::object& body,
                                std::string_view name) {
  const auto* found = body.if_contains(name);
  return found == nullptr ? nullptr : found->if_string();
}

struct import_job : std::enable_shared_from_this<import_job> {
  static constexpr int retries_max = 300;
  static constexpr std::chrono::milliseconds retry_after{100};

  std::vector<core::import_directory> batches;
  std::size_t next = 0;
  int retries = 0;
  core::import_counts total;
  net::responder answer;
  std::function<void(std::function<void(actors::operator_state&)>)> order;

  explicit import_job(net::responder to) : answer(std::move(to)) {}

  void step() {
    if (next == batches.size()) {
      if (total.users_added + total.users_kept + total.lists_added == 0 &&
          total.users_refused + total.lists_refused > 0)
        return respond(answer,
                       error_response({core::errc::malformed,
                                       "no user or list in it is acceptable"}));
      return respond(
          answer, json_response({{"users", total.users_added},
                                 {"users_kept", total.users_kept},
                                 {"users_refused", total.users_refused},
                                 {"aliases_dropped", total.aliases_dropped},
                                 {"lists", total.lists_added},
                                 {"lists_kept", total.lists_kept},
                                 {"lists_refused", total.lists_refused},
                                 {"members_dropped", total.members_dropped}}));
    }
    order([self = shared_from_this()](actors::operator_state& op) {
      op.run(std::make_unique<actors::import_operation>(
          self->batches[self->next],
          [self](core::error why, const core::import_counts& counts) {
            self->on_batch(why, counts);
          }));
    });
  }

  /// A log that has no room just now is no reason to leave half an import
  /// behind: repeating a batch does no harm.
  void on_batch(const core::error& why, const core::import_counts& counts) {
    const bool busy = why.code == core::errc::overloaded;
    if (busy && ++retries < retries_max) {
      auto& home = answer.home();
      return home.post([self = shared_from_this(), &home] {
        home.call_at(home.clock().now() + retry_after,
                     [self] { self->step(); });
      });
    }
    if (why.code != core::errc::ok)
      return respond(answer, error_response(why));
    retries = 0;
    add(counts);
    batches[next++] = {};
    step();
  }

  void add(const core::import_counts& c) {
    total.users_added += c.users_added;
    total.users_kept += c.users_kept;
    total.users_refused += c.users_refused;
    total.aliases_dropped += c.aliases_dropped;
    total.lists_added += c.lists_added;
    total.lists_kept += c.lists_kept;
    total.lists_refused += c.lists_refused;
    total.members_dropped += c.members_dropped;
  }
};

} // namespace

void admin::add_user_routes() {
  route("GET", "/users", [this](const net::http_request& r, net::responder a) {
    const auto limit = limit_of(r, users_page_default, users_page_max);
    if (!limit)
      return a.send(net::http_error(400, "limit is a number, 1 to 1000"));
    const std::string prefix{r.query_value("prefix").value_or("")};
    std::string after{r.query_value("after").value_or("")};
    in_background(a, [this, limit = *limit, prefix, after]() mutable {
      json::array rows;
      std::string last;
      bool more = false;
      const auto& directory = *parts_.engine.context().directory;
      // A walk begins behind a name: for a prefix, behind nothing that could
      // have it, and the name that is the prefix itself comes first.
      if (after < prefix) {
        after = prefix;
        if (const auto named = directory.find_user(realm, prefix)) {
          rows.push_back(describe(prefix, *named));
          last = prefix;
        }
      }
      directory.each_user(
          realm, after,
          [&](std::string_view uid, const core::user_record& user) {
            if (uid.substr(0, prefix.size()) != prefix)
              return false;
            if (rows.size() == limit) {
              more = true;
              return false;
            }
            last = uid;
            rows.push_back(describe(uid, user));
            return true;
          });
      json::object body{{"users", std::move(rows)}, {"next", nullptr}};
      if (more)
        body["next"] = last;
      return json_response(body);
    });
  });
  route("POST", "/users", [this](const net::http_request& r, net::responder a) {
    add_user(r, std::move(a));
  });
  route("POST", "/users/import",
        [this](const net::http_request& r, net::responder a) {
          import_users(r, std::move(a));
        });
  route("GET", "/users/export",
        [this](const net::http_request&, net::responder a) {
          in_background(a, [this] {
            net::http_response response;
            // The answer stands in memory as a whole.
            bool fits = true;
            export_registry(*parts_.engine.context().directory, realm,
                            [&](std::string_view piece) {
                              fits = response.body.size() + piece.size() <=
                                     export_bytes_max;
                              if (fits)
                                response.body += piece;
                              return fits;
                            });
            if (!fits)
              return error_response({core::errc::too_large, "the registry"});
            return response;
          });
        });
  constexpr std::size_t prefix = std::string_view{"/users/"}.size();
  route("GET", "/users/*",
        [this](const net::http_request& r, net::responder a) {
          show_user(tail_of(r, prefix), std::move(a));
        });
  route("DELETE", "/users/*",
        [this](const net::http_request& r, net::responder a) {
          const auto uid = tail_of(r, prefix);
          remove_user(uid, [a, uid](core::error why) {
            if (why.code != core::errc::ok)
              return respond(a, error_response(why));
            respond(a, json_response({{"removed", uid}}));
          });
        });
}

void admin::show_user(const std::string& uid, net::responder answer) {
  auto& context = parts_.engine.context();
  const auto user = context.directory->find_user(realm, uid);
  if (!user)
    return answer.send(error_response({core::errc::user_unknown, uid}));
  auto body = describe(uid, *user);
  json::array lists;
  context.directory->each_membership(realm, uid, [&](std::string_view list) {
    lists.emplace_back(list);
    return lists.size() < users_page_max;
  });
  body["lists"] = std::move(lists);
  const core::owner inbox{std::string{realm}, core::owner_kind::user, uid};
  ask_shard(context.group_of(inbox), "inboxes/" + uid, {},
            [answer, body](const net::http_response& state) mutable {
              boost::system::error_code bad;
              auto parsed = json::parse(state.body, bad);
              if (state.status != 200 || bad || !parsed.is_object())
                body["inbox"] = nullptr; // nobody could be asked just now
              else if (auto& fields = parsed.as_object(); !fields.empty()) {
                if (auto* devices = fields.if_contains("devices"))
                  body["devices"] = *devices;
                fields.erase("devices");
                body["inbox"] = std::move(parsed);
              }
              answer.send(json_response(body));
            });
}

void admin::add_user(const net::http_request& request, net::responder answer) {
  boost::system::error_code bad;
  const auto parsed = json::parse(request.body, bad);
  const auto* body = bad ? nullptr : parsed.if_object();
  const auto* uid = body == nullptr ? nullptr : text_member(*body, "uid");
  const auto* device = body == nullptr ? nullptr : text_member(*body, "device");
  if (uid == nullptr || device == nullptr)
    return answer.send(net::http_error(
        400, "a JSON object with the strings uid and device is wanted"));
  core::register_user command;
  command.uid = std::string{*uid};
  command.device = std::string{*device};
  if (const auto* aliases = body->if_contains("aliases")) {
    if (!aliases->is_array())
      return answer.send(
          net::http_error(400, "aliases is an array of strings"));
    for (const auto& alias : aliases->as_array()) {
      if (!alias.is_string())
        return answer.send(
            net::http_error(400, "aliases is an array of strings"));
      command.aliases.emplace_back(alias.as_string());
    }
  }
  order([answer, command](actors::operator_state& op) mutable {
    command.request =
        op.expect([answer, uid = command.uid](core::session_event& event) {
          auto& done = std::get<core::user_registered>(event);
          if (done.failure.code != core::errc::ok)
            return respond(answer, error_response(done.failure));
          respond(answer,
                  json_response({{"uid", uid},
                                 {"aliases", json::value_from(done.aliases)}},
                                201));
        });
    op.run(std::make_unique<actors::register_operation>(std::move(command)));
  });
}

void admin::remove_user(const std::string& uid,
                        std::function<void(core::error)> done) {
  order([uid, done = std::move(done)](actors::operator_state& op) {
    op.run(std::make_unique<actors::remove_user_operation>(uid, done));
  });
}

void admin::import_users(const net::http_request& request,
                         net::responder answer) {
  auto body = std::make_shared<std::string>(request.body);
  boost::asio::post(background_, [this, answer, body] {
    auto batches = parse_registry(*body, realm);
    if (!batches)
      return respond(answer, error_response(batches.error()));
    auto job = std::make_shared<import_job>(answer);
    job->batches = std::move(*batches);
    job->order = [this](auto work) { order(std::move(work)); };
    job->step();
  });
}

} // namespace troupe::app
