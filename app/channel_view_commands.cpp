// SPDX-License-Identifier: Apache-2.0
#include "app/admin_client.hpp"
#include "app/admin_report.hpp"
#include "app/commands.hpp"

#include <boost/json/serialize.hpp>

#include <cmath>
#include <ostream>
#include <string>
#include <vector>

namespace troupe::app {
namespace {

namespace json = boost::json;
using table = std::vector<std::vector<std::string>>;

/// With one decimal: JSON writes 12.5 as 1.25E1.
std::string rate_at(const json::value& of, std::string_view key) {
  const auto* members = of.if_object();
  const auto* value = members ? members->if_contains(key) : nullptr;
  if (value == nullptr || !value->is_number())
    return "";
  const auto tenths = std::llround(value->to_number<double>() * 10);
  return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10);
}

json::value member_of(const json::value& of, std::string_view key) {
  const auto* members = of.if_object();
  const auto* value = members ? members->if_contains(key) : nullptr;
  return value == nullptr ? json::value{} : *value;
}

std::string nodes_text(const json::value& row) {
  json::array all;
  for (const auto& each : array_at(row, "nodes"))
    all.emplace_back(text_at(each, "node") + ":" + text_at(each, "listeners"));
  return joined(all);
}

void print_list(const json::value& answer, bool cluster, std::ostream& out) {
  table rows{{"TOPIC", "REALM", "LISTENERS", "USERS", "PER SECOND", "PUBLISHED",
              "RECEIVED", "DELIVERED", "DROPPED"}};
  if (cluster)
    rows.front().emplace_back("NODES");
  for (const auto& each : array_at(answer, "channels")) {
    rows.push_back({text_at(each, "topic"), text_at(each, "realm"),
                    text_at(each, "listeners"), text_at(each, "users"),
                    rate_at(each, "rate"), text_at(each, "published"),
                    text_at(each, "received"), text_at(each, "delivered"),
                    text_at(each, "dropped")});
    if (cluster)
      rows.back().push_back(nodes_text(each));
  }
  print_table(rows, out);
  if (!text_at(answer, "next").empty())
    out << "there are more: see --limit, --prefix\n";
  if (const auto silent = array_at(answer, "silent"); !silent.empty()) {
    out << "no answer from node";
    for (const auto& each : silent)
      out << ' ' << text_of(each);
    out << '\n';
  } else if (text_at(answer, "complete") == "false") {
    out << "there are more: what is shown may lack a node's share\n";
  }
}

void print_state(const json::value& state, std::ostream& out) {
  const auto counters = member_of(state, "counters");
  const auto rates = member_of(state, "rates");
  const auto history = member_of(state, "history");
  out << "topic:     " << text_at(state, "topic") << " of realm "
      << text_at(state, "realm")
      << (text_at(state, "private") == "true" ? " (private)\n" : "\n")
      << "listeners: " << text_at(state, "listeners") << ", users "
      << text_at(state, "users") << "; came " << text_at(state, "joined")
      << ", went " << text_at(state, "left") << '\n'
      << "published: " << text_at(counters, "published") << " here, "
      << text_at(counters, "received") << " elsewhere, "
      << rate_at(rates, "publications") << " a second, last "
      << time_at(state, "last_published_ms") << '\n'
      << "delivered: " << text_at(counters, "delivered") << ", dropped "
      << text_at(counters, "dropped") << ", " << rate_at(rates, "deliveries")
      << " a second\n"
      << "history:   "
      << (history.is_object() ? text_at(history, "messages") + " messages, " +
                                    text_at(history, "bytes") + " bytes"
                              : std::string{"none"})
      << '\n';
  table rows{{"SESSION", "UID", "DOOR", "LOOP", "SINCE"}};
  for (const auto& each : array_at(state, "sessions"))
    rows.push_back({text_at(each, "session"), text_at(each, "uid"),
                    text_at(each, "door"), text_at(each, "loop"),
                    time_at(each, "since_ms")});
  if (rows.size() > 1)
    print_table(rows, out);
  if (const auto unnamed = text_at(state, "listeners_unnamed");
      !unnamed.empty() && unnamed != "0")
    out << "and " << unnamed << " more\n";
}

/// With "cluster", the rows of all nodes put together, in it: none if nobody
/// listens anywhere.
core::result<json::value> fetch_channel(const admin_client& admin,
                                        const channel_show_options& options) {
  const auto everywhere = admin.get("/channels?scope=cluster&limit=1&realm=" +
                                    percent_encoded(options.realm) +
                                    "&topic=" + percent_encoded(options.topic));
  if (!everywhere)
    return everywhere.error();
  const auto rows = array_at(*everywhere, "channels");
  auto here = admin.get("/actors/channels/" + percent_encoded(options.realm) +
                        "/" + percent_encoded(options.topic));
  if (!here && rows.empty())
    return here.error();
  return json::value{{"here", here ? *here : json::value{}},
                     {"cluster", rows.empty() ? json::value{} : rows.front()}};
}

} // namespace

int run(const channel_list_options& options, terminal& screen) {
  auto target = "/channels?limit=" + std::to_string(options.limit) +
                "&sort=" + options.sort;
  if (options.cluster)
    target += "&scope=cluster";
  if (!options.prefix.empty())
    target += "&prefix=" + percent_encoded(options.prefix);
  return report("channel list", admin_client{options.admin}.get(target),
                options.admin, screen, [&](const json::value& answer) {
                  print_list(answer, options.cluster, screen.out);
                });
}

int run(const channel_show_options& options, terminal& screen) {
  return report("channel show",
                fetch_channel(admin_client{options.admin}, options),
                options.admin, screen, [&](const json::value& answer) {
                  const auto here = member_of(answer, "here");
                  if (here.is_object())
                    print_state(member_of(here, "state"), screen.out);
                  const auto all = member_of(answer, "cluster");
                  if (!all.is_object() || array_at(all, "nodes").empty())
                    return;
                  screen.out << "all nodes: " << text_at(all, "listeners")
                             << " listeners (node:listeners " << nodes_text(all)
                             << ")\n";
                });
}

} // namespace troupe::app
