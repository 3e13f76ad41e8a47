// SPDX-License-Identifier: Apache-2.0
// The channels of a node, and of all nodes put together.
#include "app/admin.hpp"
#include "app/channel_rows.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace troupe::app {
namespace {

namespace json = boost::json;

/// Answers of all nodes, put together when the last is there.
struct gathering {
  explicit gathering(net::responder to) : answer(std::move(to)) {}

  void take(core::node_id node, const net::http_response& response) {
    auto page = response.status == 200 ? channel_page_of(response.body)
                                       : std::optional<channel_page>{};
    if (page) {
      cut = cut || !page->next.empty();
      sums.add(node, *page);
    } else {
      silent.emplace_back(node.value());
    }
    if (--missing == 0)
      finish();
  }
  void finish() {
    auto page = page_of(sums.rows(), wanted);
    cut = cut || !page.next.empty();
    page.next.clear();
    auto all = to_json(page);
    // Somewhere there was more than a page: what is shown may lack the share
    // of a node in whose page it was not.
    all["complete"] = !cut && silent.empty();
    all["silent"] = std::move(silent);
    answer.send(json_response(all));
  }

  net::responder answer;
  channel_question wanted;
  channel_sums sums;
  json::array silent;
  std::size_t missing = 0;
  bool cut = false;
};

} // namespace

void admin::add_channel_routes() {
  route("GET", "/channels",
        [this](const net::http_request& r, net::responder a) {
          const auto scope = r.query_value("scope").value_or("node");
          if (scope == "node")
            return list_channels(r, std::move(a));
          if (scope == "cluster")
            return list_cluster_channels(r, std::move(a));
          a.send(net::http_error(400, "scope is node or cluster"));
        });
}

void admin::list_channels(const net::http_request& request,
                          net::responder answer) {
  const auto wanted = channel_question::of(request);
  if (!wanted)
    return answer.send(net::http_error(
        400, "limit is 1 to " + std::to_string(channel_question::limit_max) +
                 ", sort listeners, rate or name, after what 'next' gave"));
  in_background(answer, [this, wanted = *wanted] {
    const auto& host = parts_.engine.channels();
    const auto now = parts_.engine.clock().now();
    std::vector<channel_row> rows;
    for (const auto& each : host.list())
      rows.push_back(row_of(*each, now));
    auto all = to_json(page_of(std::move(rows), wanted));
    all["live"] = host.stats().live.load();
    all["live_max"] = host.options().channels_max;
    all["unshown"] = host.stats().unshown.load();
    return json_response(all);
  });
}

void admin::ask_node(core::node_id node, const net::http_request& request,
                     http_reply then) {
  run_inner_request(
      [this, node](const net::http_request& r, net::responder a) {
        if (node == parts_.engine.identity().node)
          return answer_relayed(r, std::move(a));
        parts_.engine.cluster()->relay().ask(node, r, std::move(a));
      },
      request, std::move(then));
}

std::vector<core::node_id> admin::nodes_to_ask() {
  std::vector<core::node_id> nodes{parts_.engine.identity().node};
  if (parts_.engine.cluster() != nullptr)
    parts_.engine.context().directory->each_node(
        [&](core::node_id id, const core::node_record& record) {
          if (id != nodes.front() && record.state != core::node_state::removed)
            nodes.push_back(id);
          return true;
        });
  return nodes;
}

void admin::list_cluster_channels(const net::http_request& request,
                                  net::responder answer) {
  const auto wanted = channel_question::of(request);
  if (!wanted || wanted->after)
    return answer.send(net::http_error(
        400, "limit is 1 to " + std::to_string(channel_question::limit_max) +
                 ", sort listeners, rate or name, and there is no after"));
  auto all = std::make_shared<gathering>(std::move(answer));
  all->wanted = *wanted;
  net::http_request inner;
  inner.method = "GET";
  inner.path = "/channels";
  inner.query = {{"limit", std::to_string(channel_question::limit_max)}};
  for (const auto* key : {"sort", "realm", "topic", "prefix"})
    if (const auto value = request.query_value(key))
      inner.query.emplace_back(key, *value);
  const auto nodes = nodes_to_ask();
  all->missing = nodes.size();
  for (const auto node : nodes)
    ask_node(node, inner, [all, node](const net::http_response& response) {
      all->take(node, response);
    });
}

} // namespace troupe::app
