// SPDX-License-Identifier: Apache-2.0
// Nodes, groups and links, and what an operator changes about them.
#include "actors/admin_operations.hpp"
#include "actors/cluster_steward.hpp"
#include "actors/messages.hpp"
#include "app/admin.hpp"
#include "app/admin_query.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace troupe::app {
namespace {

namespace json = boost::json;
namespace links = actors::links;

std::string_view name_of(core::node_state state) {
  switch (state) {
  case core::node_state::joining:
    return "joining";
  case core::node_state::member:
    return "member";
  case core::node_state::draining:
    return "draining";
  case core::node_state::removed:
    return "removed";
  case core::node_state::absent:
    return "absent";
  }
  return "";
}

json::array ids_of(const std::vector<core::node_id>& nodes) {
  json::array all;
  for (const auto node : nodes)
    all.emplace_back(node.value());
  return all;
}

core::error alone() {
  return {core::errc::invalid_config,
          "this node is in no cluster: it has no cluster.listen"};
}

/// As far as is known here, if need be from hearsay.
core::node_id leader_of(const actors::broker_context& context,
                        core::group_id group) {
  const auto leader = context.leader_of(group);
  return leader != core::node_id{} ? leader
                                   : context.announced.leader_of(group);
}

/// Groups by node: led as far as is known here, and placed there.
struct shares {
  std::map<core::node_id, std::uint64_t> leads;
  std::map<core::node_id, std::uint64_t> placed;

  explicit shares(const actors::broker_context& context) {
    for (std::uint16_t g = 0; g <= context.options.shards; ++g) {
      const core::group_id group{g};
      ++leads[leader_of(context, group)];
      if (const auto nodes = context.directory->placement(group))
        for (const auto node : *nodes)
          ++placed[node];
    }
  }
};

/// Who shall vote in a group that is placed so.
json::array voters_of(core::group_id group,
                      const std::vector<core::node_id>& placed,
                      const actors::broker_context& context) {
  const auto state_of = [&](core::node_id node) {
    const auto record = context.directory->find_node(node);
    return record ? record->state : core::node_state::removed;
  };
  return ids_of(
      cluster::wish_of(group, placed, state_of, context.options.placement)
          .voters);
}

/// The state of one group, as its replica here says it.
json::object group_view(std::uint16_t group, const std::string& state,
                        const std::vector<core::node_id>& wanted,
                        const actors::broker_context& context) {
  json::object row{{"group", group},
                   {"kind", group == 0 ? "directory" : "shard"}};
  boost::system::error_code bad;
  const auto parsed = json::parse(state, bad);
  const auto* from = bad ? nullptr : parsed.if_object();
  for (const auto* key : {"leader", "term", "voters", "learners", "commit",
                          "applied", "ready", "pending", "followers"})
    if (const auto* value = from ? from->if_contains(key) : nullptr)
      row[key] = *value;
  if (const auto* gone = from ? from->if_contains("dismissed") : nullptr;
      gone != nullptr && *gone == true)
    row["voters"] = row["learners"] = json::array{}; // its own are outdated
  const core::group_id id{group};
  if (const auto* known = row.if_contains("leader");
      known == nullptr || *known == 0)
    row["leader"] = leader_of(context, id).value();
  if (const auto placed = context.directory->placement(id))
    row["placement"] = ids_of(*placed);
  row["wanted"] = voters_of(id, wanted, context);
  return row;
}

/// Whether a group has the node, as far as its replica here knows.
bool keeps(const json::value& row, core::node_id node) {
  for (const auto* key : {"voters", "learners"})
    if (const auto* members = row.as_object().if_contains(key))
      for (const auto& each : members->as_array())
        if (each.to_number<std::uint32_t>() == node.value())
          return true;
  return false;
}

/// All groups' answers, put together when the last is there.
struct gathering {
  json::array rows;
  cluster::placement wanted;
  std::size_t missing = 0;
};

/// "/nodes/{id}/{verb}".
std::optional<std::pair<core::node_id, std::string>>
order_of(std::string_view path) {
  path.remove_prefix(std::min(path.size(), std::string_view{"/nodes/"}.size()));
  const auto slash = path.find('/');
  if (slash == std::string_view::npos)
    return std::nullopt;
  const auto number = number_of<std::uint32_t>(path.substr(0, slash));
  if (!number)
    return std::nullopt;
  return std::pair{core::node_id{*number}, std::string{path.substr(slash + 1)}};
}

} // namespace

void admin::add_cluster_routes() {
  route("GET", "/nodes", [this](const net::http_request&, net::responder a) {
    a.send(json_response(nodes_view()));
  });
  route("GET", "/links", [this](const net::http_request&, net::responder a) {
    a.send(json_response(links_view()));
  });
  route("GET", "/shards", [this](const net::http_request&, net::responder a) {
    gather_shards([a](json::array rows) {
      respond(a, json_response(json::object{{"shards", std::move(rows)}}));
    });
  });
  route("GET", "/nodes/*",
        [this](const net::http_request& r, net::responder a) {
          show_at_node(r, std::move(a));
        });
  route("POST", "/nodes/*",
        [this](const net::http_request& r, net::responder a) {
          change_node(r, std::move(a));
        });
  route("POST", "/rebalance",
        [this](const net::http_request&, net::responder a) {
          auto* member = parts_.engine.cluster();
          if (member == nullptr)
            return a.send(error_response(alone()));
          member->balance_leaders();
          a.send(json_response(json::object{{"status", "ok"}}, 202));
        });
}

/// "/nodes/{id}/{path}": what that node answers to a GET of "/{path}".
void admin::show_at_node(const net::http_request& request,
                         net::responder answer) {
  const auto target = order_of(request.path);
  const auto& context = parts_.engine.context();
  if (!target || target->second.empty())
    return answer.send(error_response({core::errc::not_found, request.path}));
  const auto& [node, path] = *target;
  net::http_request inner;
  inner.method = "GET";
  inner.path = "/" + path;
  inner.query = request.query;
  if (node == parts_.engine.identity().node)
    return answer_relayed(inner, std::move(answer));
  auto* member = parts_.engine.cluster();
  if (member == nullptr || !context.directory->find_node(node))
    return answer.send(error_response(
        {core::errc::not_found, "node " + std::to_string(node.value())}));
  member->relay().ask(node, std::move(inner), std::move(answer));
}

/// A request that came to this node by way of another one, or of itself.
void admin::answer_relayed(const net::http_request& request,
                           net::responder answer) {
  // From node to node once, not in circles; and no change but the one that
  // only the other node can make.
  const bool taken =
      request.method == "GET" || request.path == mqtt_sessions_path;
  const auto found = request.path.starts_with("/nodes/") || !taken
                         ? net::http_router::found{}
                         : router_->find(request);
  if (found.handler == nullptr)
    return answer.send(error_response({core::errc::not_found, request.path}));
  found.handler->handle(request, std::move(answer));
}

json::value admin::nodes_view() {
  auto& context = parts_.engine.context();
  const auto self = parts_.engine.identity().node;
  const shares share{context};
  std::map<core::node_id, links::peer_info> peers;
  if (auto* member = parts_.engine.cluster())
    for (auto& peer : member->links().peers())
      peers.emplace(peer.node, peer);
  json::array rows;
  context.directory->each_node([&](core::node_id id,
                                   const core::node_record& record) {
    const auto peer = peers.find(id);
    const bool linked =
        id == self ||
        (peer != peers.end() && peer->second.state == links::peer_state::up);
    const auto count = [id](const auto& all) {
      const auto at = all.find(id);
      return at == all.end() ? 0 : at->second;
    };
    rows.push_back(json::object{
        {"id", id.value()},
        {"name", record.name},
        {"address", record.address},
        {"state", name_of(record.state)},
        {"incarnation", record.incarnation},
        {"admitted_ms", core::to_millis(record.admitted)},
        {"linked", linked},
        {"round_trip_us",
         peer == peers.end() ? 0 : peer->second.round_trip.count()},
        {"leads", count(share.leads)},
        {"groups", count(share.placed)}});
    return true;
  });
  return json::object{
      {"cluster", storage::to_string(parts_.engine.identity().cluster)},
      {"self", self.value()},
      {"nodes", std::move(rows)}};
}

json::value admin::links_view() {
  json::array rows;
  std::string listen;
  if (auto* member = parts_.engine.cluster()) {
    listen = member->links().listen_address();
    for (const auto& peer : member->links().peers()) {
      json::object dropped;
      for (std::size_t i = 0; i < links::drop_reasons; ++i)
        dropped[to_string(static_cast<links::drop_reason>(i))] =
            peer.dropped.at(i);
      json::object row{{"peer", peer.node.value()},
                       {"state", to_string(peer.state)},
                       {"address", peer.address},
                       {"dialed", peer.dialed},
                       {"encrypted", peer.encrypted},
                       {"times_up", peer.times_up},
                       {"round_trip_us", peer.round_trip.count()},
                       {"bytes_in", peer.bytes_in},
                       {"bytes_out", peer.bytes_out},
                       {"messages_in", peer.messages_in},
                       {"messages_out", peer.messages_out},
                       {"dropped", std::move(dropped)},
                       {"last_error", peer.last_error}};
      row["silence_ms"] = nullptr;
      if (peer.silence)
        row["silence_ms"] = peer.silence->count();
      for (const auto& [key, lane] : {std::pair{"control", peer.lane[0]},
                                      std::pair{"bulk", peer.lane[1]}})
        row[key] = json::object{{"queued_bytes", lane.queued_bytes},
                                {"in_flight_bytes", lane.in_flight_bytes},
                                {"credit_bytes", lane.credit_bytes}};
      rows.push_back(std::move(row));
    }
  }
  return json::object{{"listen", listen}, {"links", std::move(rows)}};
}

void admin::gather_shards(std::function<void(boost::json::array)> then) {
  order([this, then = std::move(then)](actors::operator_state& op) {
    auto& context = parts_.engine.context();
    auto all = std::make_shared<gathering>();
    all->missing = context.shards.size() + 1U;
    all->rows.resize(all->missing);
    all->wanted = actors::wanted_placement(context);
    for (std::uint16_t g = 0; g < all->rows.size(); ++g) {
      auto done = [&context, all, then, g](core::result<std::string> state) {
        all->rows[g] = group_view(g, state ? *state : std::string{},
                                  all->wanted[g], context);
        if (--all->missing == 0)
          then(std::move(all->rows));
      };
      if (g == 0)
        op.ask(context.directory_handle, actors::inspect{}, std::move(done));
      else
        op.ask(context.shard(core::group_id{g}), actors::inspect{},
               std::move(done));
    }
  });
}

bool admin::is_here(core::node_id node) const {
  const auto peers = parts_.engine.cluster()->links().peers();
  return node == parts_.engine.identity().node ||
         std::any_of(peers.begin(), peers.end(), [&](const auto& peer) {
           return peer.node == node && peer.state == links::peer_state::up;
         });
}

/// Why a node must not be removed yet: cutting off one that votes could leave
/// its groups without a majority. One that is gone may be removed at any time.
core::result<void> admin::may_remove(core::node_id node,
                                     const boost::json::array& shards) {
  const auto record = parts_.engine.context().directory->find_node(node);
  if (!record || record->state == core::node_state::removed)
    return {};
  if (!is_here(node))
    return {};
  const auto who = "node " + std::to_string(node.value());
  if (record->state == core::node_state::member)
    return core::error{core::errc::not_permitted,
                       who + " serves: drain it first"};
  // Of the directory it keeps a copy until the end.
  const auto kept =
      std::count_if(shards.begin(), shards.end(), [&](const json::value& row) {
        return row.at("group").to_number<int>() != 0 && keeps(row, node);
      });
  if (kept > 0)
    return core::error{core::errc::not_permitted,
                       who + " still keeps " + std::to_string(kept) +
                           " groups: wait until it is drained"};
  return {};
}

void admin::change_node(const net::http_request& request,
                        net::responder answer) {
  if (parts_.engine.cluster() == nullptr)
    return answer.send(error_response(alone()));
  const auto wanted = order_of(request.path);
  if (!wanted || (wanted->second != "drain" && wanted->second != "remove" &&
                  wanted->second != "undrain" && wanted->second != "replace"))
    return answer.send(net::http_error(404, "no such resource"));
  const auto [node, verb] = *wanted;
  if (verb == "drain")
    return set_state({node, core::node_state::draining}, std::move(answer));
  if (verb == "undrain")
    return undrain(node, std::move(answer));
  if (verb == "replace")
    return replace(node, request, std::move(answer));
  const core::set_node_state removal{node, core::node_state::removed};
  if (request.query_value("force").value_or("") == "true")
    return set_state(removal, std::move(answer));
  gather_shards([this, removal, answer](const json::array& shards) {
    if (auto may = may_remove(removal.node, shards); !may)
      return respond(answer, error_response(may.error()));
    set_state(removal, answer);
  });
}

/// Only what was drained: a node that joins or is absent becomes a member when
/// it has the directory.
void admin::undrain(core::node_id node, net::responder answer) {
  const auto record = parts_.engine.context().directory->find_node(node);
  const bool waits = record && (record->state == core::node_state::joining ||
                                record->state == core::node_state::absent);
  if (waits)
    return answer.send(error_response(
        {core::errc::not_permitted,
         "node " + std::to_string(node.value()) + " is " +
             std::string{name_of(record->state)} +
             ": it becomes a member by itself when it has caught up"}));
  set_state({node, core::node_state::member}, std::move(answer));
}

void admin::replace(core::node_id old, const net::http_request& request,
                    net::responder answer) {
  const auto by = request.query_value("by").value_or("");
  const auto number = number_of<std::uint32_t>(by).value_or(0);
  if (number == 0)
    return answer.send(
        net::http_error(400, "by=ID: the node that takes the seats"));
  const core::replace_node change{old, core::node_id{number}};
  // A dead one would make the groups worse; who it is is told by the directory.
  const auto known = parts_.engine.context().directory->find_node(change.fresh);
  if (known && known->state == core::node_state::member &&
      !is_here(change.fresh))
    return answer.send(
        error_response({core::errc::not_permitted,
                        "node " + std::to_string(number) +
                            " is not connected: it can't take anything over"}));
  order([answer, change](actors::operator_state& op) {
    op.run(std::make_unique<actors::change_cluster_operation>(
        change, [answer, change](core::error why, core::node_id) {
          if (why.code != core::errc::ok)
            return respond(answer, error_response(why));
          respond(answer, json_response(json::object{
                              {"id", change.old.value()},
                              {"by", change.fresh.value()},
                              {"state", name_of(core::node_state::draining)}}));
        }));
  });
}

void admin::set_state(core::set_node_state change, net::responder answer) {
  order([answer, change](actors::operator_state& op) {
    op.run(std::make_unique<actors::change_cluster_operation>(
        change, [answer, change](core::error why, core::node_id) {
          if (why.code != core::errc::ok)
            return respond(answer, error_response(why));
          respond(answer, json_response(
                              json::object{{"id", change.node.value()},
                                           {"state", name_of(change.state)}}));
        }));
  });
}

} // namespace troupe::app
