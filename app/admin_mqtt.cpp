// SPDX-License-Identifier: Apache-2.0
// MQTT's sessions of this node: who is here, and how to end one.
#include "app/admin.hpp"
#include "app/admin_query.hpp"
#include "net/mqtt_door.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstddef>
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

} // namespace

void admin::add_mqtt_routes() {
  route("GET", "/mqtt/sessions",
        [this](const net::http_request& r, net::responder a) {
          list_mqtt(r, std::move(a));
        });
  route("GET", "/mqtt/trace",
        [this](const net::http_request& r, net::responder a) {
          trace_mqtt(r, std::move(a));
        });
  route("DELETE", "/mqtt/sessions",
        [this](const net::http_request& r, net::responder a) {
          const std::string client{r.query_value("client").value_or("")};
          if (parts_.mqtt == nullptr || !parts_.mqtt->kick(client))
            return a.send(error_response({core::errc::not_found, client}));
          a.send(json_response(json::object{{"ended", client}}));
        });
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
