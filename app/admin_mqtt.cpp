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

} // namespace

void admin::add_mqtt_routes() {
  route("GET", "/mqtt/sessions",
        [this](const net::http_request& r, net::responder a) {
          list_mqtt(r, std::move(a));
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

} // namespace troupe::app
