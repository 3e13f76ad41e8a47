// SPDX-License-Identifier: Apache-2.0
// Accounts, roles, tokens, blocks and bans: show and change.
#include "actors/operator_actor.hpp"
#include "actors/rights_operation.hpp"
#include "app/admin.hpp"
#include "app/admin_query.hpp"
#include "app/rights_json.hpp"
#include "net/identity/static_token.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <memory>
#include <string>
#include <utility>

namespace troupe::app {
namespace {

namespace json = boost::json;

constexpr auto realm = admin_realm;
constexpr std::size_t page_default = 100;
constexpr std::size_t page_max = 1000;

/// What a walk has found for one page.
struct page {
  json::array rows;
  std::size_t limit = page_default;
  std::string last;
  bool more = false;

  /// False when the page is full.
  bool add(std::string_view name, json::object row) {
    if (rows.size() == limit) {
      more = true;
      return false;
    }
    last = name;
    rows.push_back(std::move(row));
    return true;
  }
  net::http_response response(std::string_view what) {
    json::object body{{what, std::move(rows)}, {"next", nullptr}};
    if (more)
      body["next"] = last;
    return json_response(body);
  }
};

} // namespace

void admin::list_rights(
    const net::http_request& request, net::responder answer, const char* what,
    std::function<void(const core::rights_store&, std::string_view after,
                       const row_visitor&)>
        walk) {
  const auto limit = limit_of(request, page_default, page_max);
  if (!limit)
    return answer.send(net::http_error(400, "limit is a number, 1 to 1000"));
  const std::string after{request.query_value("after").value_or("")};
  in_background(answer, [this, limit, after, what, walk = std::move(walk)] {
    page rows;
    rows.limit = *limit;
    walk(parts_.engine.context().directory->rights(), after,
         [&](std::string_view name, json::object row) {
           return rows.add(name, std::move(row));
         });
    return rows.response(what);
  });
}

void admin::change_rights(core::rights_command change, net::responder answer,
                          json::value done, unsigned status) {
  order([answer, change = std::move(change), done = std::move(done),
         status](actors::operator_state& op) {
    op.run(std::make_unique<actors::change_rights_operation>(
        change, [answer, done, status](const core::error& why) {
          if (why.code != core::errc::ok)
            return respond(answer, error_response(why));
          respond(answer, json_response(done, status));
        }));
  });
}

template <class Command>
void admin::change_by(core::result<Command> (*read)(const json::object&),
                      const net::http_request& request, net::responder answer) {
  const auto body = object_of(request.body);
  if (!body)
    return answer.send(error_response(body.error()));
  auto command = read(*body);
  if (!command)
    return answer.send(error_response(command.error()));
  change_rights(std::move(*command), std::move(answer), {{"done", true}}, 200);
}

void admin::add_rights_routes() {
  using net::http_request;
  using net::responder;
  const auto tail = [](const http_request& r, std::string_view prefix) {
    return r.path.substr(prefix.size());
  };

  route("GET", "/rights/accounts", [this](const http_request& r, responder a) {
    list_rights(r, std::move(a), "accounts",
                [](const auto& store, auto after, const auto& add) {
                  store.each_account(realm, after,
                                     [&](auto uid, const auto& record) {
                                       return add(uid, view_of(uid, record));
                                     });
                });
  });
  route("GET", "/rights/accounts/*",
        [this, tail](const http_request& r, responder a) {
          show_account(tail(r, "/rights/accounts/"), std::move(a));
        });
  route("POST", "/rights/accounts", [this](const http_request& r, responder a) {
    change_by(&read_account_change, r, std::move(a));
  });
  route("POST", "/rights/passwords",
        [this](const http_request& r, responder a) {
          set_password(r, std::move(a));
        });

  route("GET", "/rights/roles", [this](const http_request& r, responder a) {
    list_rights(r, std::move(a), "roles",
                [](const auto& store, auto after, const auto& add) {
                  store.each_role(realm, after,
                                  [&](auto role, const auto& record) {
                                    return add(role, view_of(role, record));
                                  });
                });
  });
  route("POST", "/rights/roles", [this](const http_request& r, responder a) {
    change_by(&read_role_change, r, std::move(a));
  });
  route("DELETE", "/rights/roles/*",
        [this, tail](const http_request& r, responder a) {
          const auto role = tail(r, "/rights/roles/");
          change_rights(core::remove_role{role}, std::move(a),
                        {{"removed", role}}, 200);
        });

  route("GET", "/rights/tokens", [this](const http_request& r, responder a) {
    const std::string uid{r.query_value("uid").value_or("")};
    list_rights(r, std::move(a), "tokens",
                [uid](const auto& store, auto after, const auto& add) {
                  store.each_token(after, [&](auto id, const auto& record) {
                    return record.realm != realm ||
                           (!uid.empty() && record.uid != uid) ||
                           add(id, view_of(id, record));
                  });
                });
  });
  route("POST", "/rights/tokens", [this](const http_request& r, responder a) {
    add_token(r, std::move(a));
  });
  route("DELETE", "/rights/tokens/*",
        [this, tail](const http_request& r, responder a) {
          const auto id = tail(r, "/rights/tokens/");
          change_rights(core::revoke_token{id}, std::move(a), {{"revoked", id}},
                        200);
        });

  route("POST", "/rights/blocks", [this](const http_request& r, responder a) {
    change_by(&read_block_change, r, std::move(a));
  });
  add_ban_routes();
  add_login_routes();
}

void admin::add_ban_routes() {
  using net::http_request;
  using net::responder;
  for (const auto kind : {core::ban_kind::user, core::ban_kind::address}) {
    const bool user = kind == core::ban_kind::user;
    route("GET", user ? "/rights/bans/users" : "/rights/bans/addresses",
          [this, kind, user](const http_request& r, responder a) {
            list_rights(
                r, std::move(a), "bans",
                [kind, user](const auto& store, auto after, const auto& add) {
                  store.each_ban(kind, user ? realm : std::string_view{}, after,
                                 [&](auto name, const auto& record) {
                                   return add(name, view_of(name, record));
                                 });
                });
          });
    const std::string_view prefix =
        user ? "/rights/bans/users/" : "/rights/bans/addresses/";
    route("DELETE", user ? "/rights/bans/users/*" : "/rights/bans/addresses/*",
          [this, kind, prefix](const http_request& r, responder a) {
            const auto name = r.path.substr(prefix.size());
            change_rights(core::lift_ban{kind, name}, std::move(a),
                          {{"lifted", name}}, 200);
          });
  }
  route("POST", "/rights/bans", [this](const http_request& r, responder a) {
    const auto body = object_of(r.body);
    if (!body)
      return a.send(error_response(body.error()));
    auto command = read_ban(*body, parts_.engine.clock().wall());
    if (!command)
      return a.send(error_response(command.error()));
    change_rights(std::move(*command), std::move(a), {{"done", true}}, 200);
  });
}

void admin::show_account(const std::string& uid, net::responder answer) {
  in_background(answer, [this, uid] {
    const auto& store = parts_.engine.context().directory->rights();
    json::array blocked;
    store.each_block(realm, uid, {}, [&](std::string_view name) {
      blocked.emplace_back(name);
      return blocked.size() < page_max;
    });
    const auto account = store.account(realm, uid);
    const auto ban = store.ban(core::ban_kind::user, realm, uid);
    if (!account && !ban && blocked.empty())
      return error_response({core::errc::not_found, uid});
    auto body = view_of(uid, account.value_or(core::account_record{}));
    body["blocked"] = std::move(blocked);
    body["ban"] = ban ? json::value(view_of(uid, *ban)) : json::value{};
    return json_response(body);
  });
}

void admin::set_password(const net::http_request& request,
                         net::responder answer) {
  const auto body = object_of(request.body);
  if (!body)
    return answer.send(error_response(body.error()));
  const auto uid = text_in(*body, "uid");
  const auto* password = body->if_contains("password");
  if (uid.empty() || password == nullptr ||
      !(password->is_string() || password->is_null()))
    return answer.send(net::http_error(
        400, "wanted is uid and password, a string or null to take it away"));
  if (password->is_null())
    return change_rights(core::set_password{uid, {}}, std::move(answer),
                         {{"done", true}}, 200);
  // Called on the worker's thread.
  parts_.logins.hash(
      std::string{password->get_string()},
      [this, uid, answer](core::result<net::identity::password_record> made) {
        if (!made)
          return respond(answer, error_response(made.error()));
        const bool scram = !made->scram.empty();
        change_rights(core::set_password{uid, std::move(made->hash),
                                         std::move(made->scram)},
                      answer, {{"done", true}, {"scram", scram}}, 200);
      });
}

/// The text of a token is in this answer and nowhere else.
void admin::add_token(const net::http_request& request, net::responder answer) {
  const auto body = object_of(request.body);
  if (!body)
    return answer.send(error_response(body.error()));
  auto command = read_token(*body, parts_.engine.clock().wall());
  if (!command)
    return answer.send(error_response(command.error()));
  const auto token = net::identity::make_static_token();
  if (!token)
    return answer.send(error_response(token.error()));
  command->id = token->id;
  command->hash = net::identity::hash_of_token(token->secret);
  change_rights(std::move(*command), std::move(answer),
                {{"id", token->id}, {"token", token->text()}}, 201);
}

} // namespace troupe::app
