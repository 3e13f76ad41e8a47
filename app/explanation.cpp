// SPDX-License-Identifier: Apache-2.0
#include "app/explanation.hpp"

#include "net/mqtt/crossing.hpp"
#include "net/mqtt/outgoing_publish.hpp"
#include "net/mqtt/publish_line.hpp"
#include "net/mqtt/topic_spelling.hpp"

#include <algorithm>
#include <utility>

namespace troupe::app {

namespace json = boost::json;

namespace {

json::value optional_number(const std::optional<double>& value) {
  return value ? json::value{*value} : json::value{};
}

json::object row_of(const core::listener_fate& one) {
  json::object row{
      {"door", one.door},     {"session", one.session},
      {"client", one.client}, {"user", one.uid},
      {"loop", one.loop},     {"becomes", core::to_string(one.what)},
      {"why", one.why},       {"qos", one.qos},
      {"retain", one.retain}};
  json::array filters;
  for (const auto& each : one.filters)
    filters.emplace_back(each);
  row["filters"] = std::move(filters);
  if (!one.share.empty())
    row["share"] = one.share;
  return row;
}

/// Those that permit it first.
json::array grants_of(const core::authorizer& judge, const core::principal& who,
                      const core::publication& what, std::size_t most) {
  json::array permitting;
  json::array others;
  for (const auto& each : judge.sources(who)) {
    if (each.what.what != core::right::publish)
      continue;
    const auto filter = each.what.expand({who.uid, who.client});
    const bool permits = filter && filter->matches(what.topic);
    auto& to = permits ? permitting : others;
    if (to.size() < most)
      to.push_back({{"from", each.from},
                    {"grant", core::to_string(each.what)},
                    {"permits", permits}});
  }
  for (auto& each : others)
    if (permitting.size() < most)
      permitting.push_back(std::move(each));
  return permitting;
}

json::object said_of(const core::authorizer& judge, const core::principal& who,
                     const core::publication& what, std::size_t most) {
  json::object said{
      {"user", who.uid},        {"client", who.client},
      {"address", who.address}, {"by", core::to_string(who.by)},
      {"ban", nullptr},         {"grants", grants_of(judge, who, what, most)}};
  if (const auto ban = judge.ban_of(who)) {
    json::object told{{"of", ban->name},
                      {"reason", ban->record.reason},
                      {"until_ms", nullptr}};
    if (ban->record.until)
      told["until_ms"] = core::to_millis(*ban->record.until);
    said["ban"] = std::move(told);
  }
  const auto room = judge.message_room_of(who);
  said["messages_left"] =
      json::object{{"of_user", optional_number(room.of_user)},
                   {"of_address", optional_number(room.of_address)}};
  return said;
}

/// As a PUBLISH of its publisher, about: without a topic alias.
bool fits_packet(const core::publication& what, net::mqtt::qos level,
                 std::size_t most) {
  net::mqtt::publish_terms terms;
  terms.level = level;
  if (level != net::mqtt::qos::at_most_once)
    terms.id = net::mqtt::packet_id{1};
  return net::mqtt::outgoing_publish{net::mqtt::name_of(what.topic),
                                     net::mqtt::properties_of(what),
                                     what.payload}
      .fits(net::mqtt::version::v5, terms, most);
}

/// Of those queued, how many have it by a subscription of their own; one for
/// each share follows, see actors::recipients_of().
std::size_t direct_of(const topic_forecast& found) {
  return static_cast<std::size_t>(
      std::count_if(found.routes.direct.begin(), found.routes.direct.end(),
                    [](const auto& each) { return each.qos > 0; }));
}

json::object member_of(const core::route_match& one) {
  return {{"client", one.session}, {"qos", one.qos}};
}

} // namespace

publisher_verdict
verdict_on(const core::authorizer& judge, const core::principal& who,
           const core::publication& what, const explain_question& asked,
           const net::mqtt::mqtt_options& options,
           const core::publication_limits& limits, bool keeps) {
  publisher_verdict found;
  found.said = said_of(judge, who, what, asked.rows);
  core::session_rights rights{judge, who};
  auto why = what.topic.text().starts_with('$')
                 ? core::deny_reason::not_granted
                 : rights.foretell(core::right::publish, what.topic);
  const auto* by = rights.permitted_by(core::right::publish, what.topic);
  found.said["granted_by"] = by == nullptr || why != core::deny_reason::none
                                 ? json::value{}
                                 : json::value(*by);
  if (why == core::deny_reason::none)
    why = judge.message_room_of(who).why;
  if (why != core::deny_reason::none) {
    found.why = core::to_string(why);
    return found;
  }
  if (!fits_packet(what, asked.level, options.packet_bytes_max)) {
    found.why = "larger than mqtt.packet_bytes_max: the connection ends";
    return found;
  }
  const bool is_kept = asked.retain && keeps;
  if (const auto fits =
          core::check(what, is_kept ? net::mqtt::limits_of_retained() : limits);
      !fits) {
    found.why = "out of bounds: " + core::to_string(fits.error());
    return found;
  }
  found.published = true;
  if (asked.retain && !keeps)
    found.why = "nothing is retained here: a client of MQTT 5 is disconnected, "
                "for others it is published and not kept";
  return found;
}

json::object to_json(const core::fate_list& list) {
  json::object all{{"total", list.total()}};
  for (const auto each : core::fates_all)
    all[core::to_string(each)] = list.count(each);
  json::array rows;
  for (const auto& each : list.rows())
    rows.push_back(row_of(each));
  all["rows"] = std::move(rows);
  return all;
}

json::array filters_of(const actors::topics::publish_forecast& live,
                       std::size_t most) {
  json::array all;
  for (const auto& row : live.filters) {
    if (all.size() >= most)
      break;
    json::array nodes;
    for (const auto peer : row.peers)
      nodes.emplace_back(peer.value());
    all.push_back({{"filter", row.filter},
                   {"subscriptions", row.held},
                   {"nodes", std::move(nodes)}});
  }
  return all;
}

json::object sessions_of(const topic_forecast& found, net::mqtt::qos level,
                         std::size_t most) {
  const auto published = static_cast<std::uint8_t>(level);
  std::uint64_t total = 0;
  std::uint64_t queued = 0;
  json::array rows;
  const auto add = [&](json::object row) {
    ++total;
    if (rows.size() < most)
      rows.push_back(std::move(row));
  };
  const auto direct = direct_of(found);
  for (const auto& each : found.queued)
    add({{"client", each.name},
         {"qos", std::min(each.qos, published)},
         {"becomes", "queued"},
         {"why", queued++ < direct ? "" : "its turn in a share"}});
  for (const auto& each : found.routes.direct)
    if (each.qos == 0)
      add({{"client", each.session},
           {"qos", 0},
           {"becomes", "dropped"},
           {"why", "subscribed with QoS 0: only while it is connected"}});
  for (const auto& each : found.own)
    add({{"client", each},
         {"qos", 0},
         {"becomes", "dropped"},
         {"why", "no local: it is the client's own"}});
  return {{"total", total},
          {"queued", queued},
          {"as_of", found.routes.as_of.value()},
          {"waits_for_routes", found.waits_for_routes},
          {"rows", std::move(rows)}};
}

json::array shares_of(const topic_forecast& found, core::node_id self,
                      std::size_t most) {
  json::array all;
  auto place = direct_of(found);
  for (const auto& group : found.routes.shared) {
    if (all.size() >= most)
      break;
    json::array members;
    bool any = false;
    for (const auto& each : group.members) {
      any = any || each.qos > 0;
      if (members.size() < most)
        members.push_back(member_of(each));
    }
    json::value next;
    if (any)
      next = found.queued[place++].name;
    all.push_back({{"share", group.share},
                   {"filter", group.filter},
                   {"by", "sessions that stay"},
                   {"members", std::move(members)},
                   {"total", group.members.size()},
                   {"next", std::move(next)}});
  }
  for (const auto& [group, next] : found.live.shares) {
    if (all.size() >= most)
      break;
    json::array members;
    if (group.here() > 0)
      members.push_back({{"node", self.value()}, {"members", group.here()}});
    for (const auto& [node, count] : group.peers)
      members.push_back({{"node", node.value()}, {"members", count}});
    all.push_back(
        {{"share", group.share},
         {"filter", group.filter},
         {"by", "connections"},
         {"members", std::move(members)},
         {"total", group.members()},
         {"next", {{"node", next.node.value()}, {"which", next.which}}}});
  }
  return all;
}

void add_record(json::object& row, const json::object& told) {
  for (const auto* key : {"user", "connected", "queued", "queued_bytes",
                          "ends_ms", "shard", "room"})
    if (const auto* value = told.if_contains(key))
      row[key] = *value;
  const auto* room = told.if_contains("room");
  if (room == nullptr || !room->is_string() || row["becomes"] != "queued")
    return;
  if (room->get_string() == "refused") {
    row["becomes"] = "dropped";
    row["why"] = "as much waits for it as may (mqtt.session_messages_max, "
                 "mqtt.session_bytes_max)";
  } else if (room->get_string() == "drops_oldest") {
    row["why"] = "as much waits for it as may: its oldest message goes";
  }
}

} // namespace troupe::app
