// SPDX-License-Identifier: Apache-2.0
// The processes that serve clients.
#include "app/admin.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace troupe::app {
namespace {

namespace json = boost::json;

json::object describe(const workers::worker_view& v) {
  const auto& p = v.process;
  json::object row{{"worker", p.worker},
                   {"state", workers::to_string(p.state)},
                   {"pid", nullptr},
                   {"started_ms", nullptr},
                   {"restarts", p.restarts},
                   {"retry_in_ms", nullptr},
                   {"last_end", nullptr},
                   {"connections", v.connections},
                   {"bytes_in", v.bytes_in},
                   {"bytes_out", v.bytes_out},
                   {"words_waiting", v.words_waiting}};
  if (p.pid != 0) {
    row["pid"] = p.pid;
    row["started_ms"] = core::to_millis(p.started);
  }
  if (p.state == workers::worker_state::backing_off)
    row["retry_in_ms"] = p.retry_in.count();
  if (!p.last_end.empty())
    row["last_end"] = p.last_end;
  return row;
}

} // namespace

std::vector<std::string> admin::not_ready() const {
  auto reasons = parts_.engine.not_ready();
  if (parts_.workers != nullptr)
    if (auto why = parts_.workers->not_ready(); !why.empty())
      reasons.push_back(std::move(why));
  return reasons;
}

void admin::add_worker_routes() {
  route(
      "GET", "/workers",
      [this](const net::http_request&, net::responder answer) {
        json::array rows;
        if (parts_.workers != nullptr)
          for (const auto& each : parts_.workers->views())
            rows.push_back(describe(each));
        answer.send(json_response(json::object{{"workers", std::move(rows)}}));
      });
}

} // namespace troupe::app
