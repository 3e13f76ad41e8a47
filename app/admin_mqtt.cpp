// SPDX-License-Identifier: Apache-2.0
// MQTT's sessions: who is at this node, which ones the cluster keeps, and how
// to end one.
#include "actors/queue_operation.hpp"
#include "app/admin.hpp"
#include "app/admin_query.hpp"
#include "net/mqtt_door.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace troupe::app {
namespace {

namespace json = boost::json;

constexpr std::size_t page_default = 100;
constexpr std::size_t page_max = 10'000;

json::object row_of(const std::string& client,
                    const net::mqtt::tenant_facts& what) {
  return {{"client", client},
          {"user", what.user},
          {"remote", what.remote},
          {"version", what.version},
          {"websocket", what.websocket},
          {"tls", what.tls},
          {"connected_ms", core::to_millis(what.since)}};
}

std::string_view word_of(net::mqtt::trace_way way) {
  switch (way) {
  case net::mqtt::trace_way::received:
    return "received";
  case net::mqtt::trace_way::sent:
    return "sent";
  case net::mqtt::trace_way::event:
    return "event";
  }
  return "";
}
/// Pages of all shards, put together when the last is there.
struct kept_sessions {
  kept_sessions(net::responder to, std::size_t most, std::size_t shards)
      : answer(std::move(to)), limit(most), missing(shards) {}

  void take(std::size_t shard, const net::http_response& response) {
    boost::system::error_code bad;
    const auto body = response.status == 200 ? json::parse(response.body, bad)
                                             : json::value{};
    if (const auto* page = body.if_array(); page != nullptr && !bad)
      for (const auto& row : *page)
        rows.emplace(std::string{row.at("client").as_string()}, row);
    else
      silent.emplace_back(shard);
    if (--missing == 0)
      finish();
  }
  void finish() {
    json::object all;
    json::array page;
    all["next"] = nullptr;
    for (auto& [client, row] : rows) {
      page.push_back(std::move(row));
      if (page.size() < limit)
        continue;
      all["next"] = client;
      break;
    }
    all["sessions"] = std::move(page);
    all["silent"] = std::move(silent); // shards
    answer.send(json_response(all));
  }

  net::responder answer;
  std::size_t limit;
  std::size_t missing;
  std::map<std::string, json::value> rows;
  json::array silent;
};

} // namespace

void admin::add_mqtt_routes() {
  route("GET", "/mqtt/sessions",
        [this](const net::http_request& r, net::responder a) {
          const auto scope = r.query_value("scope").value_or("node");
          if (scope == "node")
            return list_mqtt(r, std::move(a));
          if (scope == "kept")
            return list_kept_mqtt(r, std::move(a));
          a.send(net::http_error(400, "scope is node or kept"));
        });
  route("GET", "/mqtt/trace",
        [this](const net::http_request& r, net::responder a) {
          trace_mqtt(r, std::move(a));
        });
  route("DELETE", "/mqtt/sessions",
        [this](const net::http_request& r, net::responder a) {
          end_mqtt(r, std::move(a));
        });
}

/// Of a session that is kept nothing stays, wherever its client is; any other
/// ends with its connection, at the node that has that.
void admin::end_mqtt(const net::http_request& request, net::responder answer) {
  const std::string client{request.query_value("client").value_or("")};
  const bool here = parts_.mqtt != nullptr && parts_.mqtt->kick(client);
  if (request.query_value("only_here").value_or("") == "true")
    return answer.send(here ? json_response(json::object{{"ended", client}})
                            : error_response({core::errc::not_found, client}));
  const core::owner name{std::string{admin_realm}, core::owner_kind::session,
                         client};
  auto& home = answer.home();
  order([this, name, here, answer, &home](actors::operator_state& op) {
    op.run(std::make_unique<actors::forgetting_operation>(
        name, [this, name, here, answer, &home](core::errc why) {
          if (why == core::errc::not_found && !here)
            return home.post([this, client = name.name, answer] {
              end_mqtt_elsewhere(client, answer);
            });
          if (why == core::errc::not_found)
            why = core::errc::ok;
          respond(answer,
                  why == core::errc::ok
                      ? json_response(json::object{{"ended", name.name}})
                      : error_response({why, name.name}));
        }));
  });
}

/// One that is not kept, at whichever other node it is.
void admin::end_mqtt_elsewhere(const std::string& client,
                               const net::responder& answer) {
  struct search {
    std::size_t missing = 1;
    bool found = false;
  };
  const auto all = std::make_shared<search>();
  const auto next = [all, client, answer] {
    if (--all->missing > 0)
      return;
    respond(answer, all->found
                        ? json_response(json::object{{"ended", client}})
                        : error_response({core::errc::not_found, client}));
  };
  net::http_request inner;
  inner.method = "DELETE";
  inner.path = mqtt_sessions_path;
  inner.query = {{"client", client}, {"only_here", "true"}};
  const auto nodes = nodes_to_ask();
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    ++all->missing;
    ask_node(nodes[i], inner, [all, next](const net::http_response& response) {
      all->found = all->found || response.status == 200;
      next();
    });
  }
  next();
}

void admin::list_kept_mqtt(const net::http_request& request,
                           net::responder answer) {
  const auto limit = limit_of(request, page_default, page_max);
  if (!limit)
    return answer.send(
        net::http_error(400, "limit is a number from 1 to 10000"));
  http_query query{{"limit", std::to_string(*limit)}};
  for (const auto* key : {"after", "realm"})
    if (const auto value = request.query_value(key))
      query.emplace_back(key, *value);
  auto all =
      std::make_shared<kept_sessions>(std::move(answer), *limit, shard_count());
  for (std::uint16_t g = 1; g <= shard_count(); ++g)
    ask_shard(core::group_id{g}, "sessions", query,
              [all, g](const net::http_response& page) { all->take(g, page); });
}

void admin::list_mqtt(const net::http_request& request, net::responder answer) {
  const auto limit = limit_of(request, page_default, page_max);
  if (!limit)
    return answer.send(
        net::http_error(400, "limit is a number from 1 to 10000"));
  json::object body;
  json::array rows;
  std::string last;
  if (parts_.mqtt != nullptr)
    parts_.mqtt->each_session(
        request.query_value("after").value_or(""),
        [&](const std::string& client, const net::mqtt::tenant_facts& what) {
          last = client;
          rows.push_back(row_of(client, what));
          return rows.size() < *limit;
        });
  body["next"] = nullptr;
  if (rows.size() == *limit)
    body["next"] = last;
  body["sessions"] = std::move(rows);
  body["live"] =
      parts_.mqtt == nullptr ? 0 : parts_.mqtt->stats().sessions.load();
  answer.send(json_response(body));
}

/// Looking begins a trace and keeps it up.
void admin::trace_mqtt(const net::http_request& request,
                       net::responder answer) {
  const std::string client{request.query_value("client").value_or("")};
  const auto after =
      number_of<std::uint64_t>(request.query_value("after").value_or("0"));
  if (client.empty() || !after)
    return answer.send(
        net::http_error(400, "client is an identifier, after a number"));
  if (parts_.mqtt == nullptr)
    return answer.send(error_response({core::errc::not_found, "no MQTT here"}));
  const auto page = parts_.mqtt->look(client, *after);
  if (!page)
    return answer.send(
        net::http_error(429, "as many clients are looked at already"));
  json::array lines;
  for (const auto& each : page->lines)
    lines.push_back({{"number", each.number},
                     {"at_ms", core::to_millis(each.when)},
                     {"way", word_of(each.way)},
                     {"text", each.text}});
  answer.send(json_response(json::object{{"client", client},
                                         {"connected", page->connected},
                                         {"next", page->next},
                                         {"left_out", page->left_out},
                                         {"lines", std::move(lines)}}));
}

} // namespace troupe::app
