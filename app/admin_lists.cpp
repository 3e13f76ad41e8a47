// SPDX-License-Identifier: Apache-2.0
// Distribution lists, and the page that administrators of websocket.MQ know.
#include "actors/account_operations.hpp"
#include "actors/messages.hpp"
#include "app/admin.hpp"
#include "app/admin_query.hpp"
#include "core/name_path.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <map>
#include <optional>
#include <utility>

namespace troupe::app {
namespace {

namespace json = boost::json;

constexpr auto realm = admin_realm;
constexpr std::string_view members_suffix = "/members";
constexpr std::size_t rows_max = 10'000;

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '&':
      out += "&amp;";
      break;
    case '"':
      out += "&quot;";
      break;
    case '\'':
      out += "&#39;";
      break;
    default:
      out += c;
    }
  }
  return out;
}

struct page_request {
  std::size_t limit = rows_max;
  std::string after; ///< a name; "": from the beginning
};

std::optional<page_request> page_of(const net::http_request& request) {
  const auto limit = limit_of(request, rows_max, rows_max);
  if (!limit)
    return std::nullopt;
  return page_request{*limit,
                      std::string{request.query_value("after").value_or("")}};
}

net::http_response wrong_page() {
  return net::http_error(400, "limit is a number from 1 to 10000");
}

/// Rows by name until the page is full; "next" is the last one if there are
/// more.
class page_writer {
public:
  explicit page_writer(std::size_t limit) : limit_(limit) {}

  /// False at the end of the page.
  bool add(std::string_view name, json::object row) {
    if (rows_.size() == limit_) {
      more_ = true;
      return false;
    }
    last_ = name;
    rows_.push_back(std::move(row));
    return true;
  }
  net::http_response response(json::object body, std::string_view key) {
    body[key] = std::move(rows_);
    body["next"] = nullptr;
    if (more_)
      body["next"] = last_;
    return json_response(body);
  }

private:
  std::size_t limit_;
  json::array rows_;
  std::string last_;
  bool more_ = false;
};

net::http_response lists_page(const core::directory& directory,
                              const page_request& asked) {
  page_writer page{asked.limit};
  directory.each_list(
      realm, asked.after,
      [&](std::string_view name, const core::list_record& list) {
        return page.add(name, {{"name", name}, {"members", list.members}});
      });
  return page.response({}, "lists");
}

net::http_response members_page(const core::directory& directory,
                                const std::string& list,
                                const page_request& asked) {
  if (!directory.find_list(realm, list))
    return error_response({core::errc::list_unknown, list});
  page_writer page{asked.limit};
  directory.each_member(
      realm, list,
      [&](std::string_view uid, const core::list_member& m) {
        json::object row{{"uid", uid}};
        if (m.state == core::membership::invited)
          row["invited_as"] = m.alias;
        return page.add(uid, std::move(row));
      },
      asked.after);
  return page.response({{"name", list}}, "members");
}

std::string legacy_page(const core::directory& directory) {
  std::multimap<std::string, std::string> by_alias;
  bool complete = true;
  directory.each_user(realm, "",
                      [&](std::string_view uid, const core::user_record& user) {
                        if (user.aliases.empty())
                          by_alias.emplace("", uid);
                        for (const auto& alias : user.aliases)
                          by_alias.emplace(alias, uid);
                        complete = by_alias.size() < rows_max;
                        return complete;
                      });
  std::string page = "<!doctype html><meta charset=utf-8><title>Troupe: users"
                     "</title><table><tr><th>alias<th>user<th>";
  for (const auto& [alias, uid] : by_alias)
    page += "<tr><td>" + escaped(alias) + "<td>" + escaped(uid) +
            "<td><form method=post action=\"/mq/admin?uid=" +
            escaped(core::encode_path_segment(uid)) +
            "\"><button>delete</button></form>";
  page += "</table>";
  if (!complete)
    page += "<p>There are more; use <code>troupe user list</code>.";
  return page;
}

} // namespace

void admin::add_list_routes() {
  route("GET", "/lists", [this](const net::http_request& r, net::responder a) {
    const auto asked = page_of(r);
    if (!asked)
      return a.send(wrong_page());
    in_background(a, [this, asked] {
      return lists_page(*parts_.engine.context().directory, *asked);
    });
  });
  constexpr std::size_t prefix = std::string_view{"/lists/"}.size();
  route(
      "GET", "/lists/*", [this](const net::http_request& r, net::responder a) {
        const auto asked = page_of(r);
        if (!asked)
          return a.send(wrong_page());
        in_background(a, [this, asked, name = r.path.substr(prefix)] {
          return members_page(*parts_.engine.context().directory, name, *asked);
        });
      });
  route(
      "POST", "/lists/*", [this](const net::http_request& r, net::responder a) {
        auto name = r.path.substr(prefix);
        if (name.size() <= members_suffix.size() ||
            name.substr(name.size() - members_suffix.size()) != members_suffix)
          return a.send(net::http_error(404, "no such resource"));
        name.resize(name.size() - members_suffix.size());
        edit_list(name, r, std::move(a));
      });
}

void admin::edit_list(const std::string& list, const net::http_request& request,
                      net::responder answer) {
  boost::system::error_code bad;
  const auto parsed = json::parse(request.body, bad);
  const auto* body = bad ? nullptr : parsed.if_object();
  const auto* op = body == nullptr ? nullptr : body->if_contains("op");
  const auto* member = body == nullptr ? nullptr : body->if_contains("member");
  if (op == nullptr || !op->is_string() || member == nullptr ||
      !member->is_string() ||
      (op->as_string() != "add" && op->as_string() != "remove"))
    return answer.send(net::http_error(
        400, "a JSON object with op (add or remove) and member is wanted"));
  core::edit_list command;
  command.list = list;
  command.kind = op->as_string() == "add" ? core::list_edit_kind::add
                                          : core::list_edit_kind::remove;
  command.member = std::string{member->as_string()};
  order([answer, command](actors::operator_state& operate) mutable {
    command.request = operate.expect([answer](core::session_event& event) {
      const auto& done = std::get<core::list_edited>(event);
      if (done.failure.code != core::errc::ok)
        return respond(answer, error_response(done.failure));
      respond(answer, json_response({{"status", "ok"}}));
    });
    operate.run(std::make_unique<actors::edit_list_operation>(
        std::move(command), std::string{}));
  });
}

void admin::add_legacy_page() {
  route("GET", "/mq/admin", [this](const net::http_request&, net::responder a) {
    in_background(a, [this] {
      net::http_response response;
      response.content_type = "text/html; charset=utf-8";
      response.body = legacy_page(*parts_.engine.context().directory);
      response.headers.emplace_back("Content-Security-Policy",
                                    "default-src 'none'; form-action 'self'");
      return response;
    });
  });
  route("POST", "/mq/admin",
        [this](const net::http_request& r, net::responder a) {
          const std::string uid{r.query_value("uid").value_or("")};
          remove_user(uid, [a](core::error why) {
            net::http_response response;
            if (why.code == core::errc::ok) {
              response.status = 303;
              response.headers.emplace_back("Location", "/mq/admin");
            } else {
              response.content_type = "text/plain; charset=utf-8";
              response.body = "Not found";
            }
            respond(a, std::move(response));
          });
        });
}

} // namespace troupe::app
