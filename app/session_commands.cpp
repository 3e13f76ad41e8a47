// SPDX-License-Identifier: Apache-2.0
#include "app/admin_client.hpp"
#include "app/admin_report.hpp"
#include "app/admin_walk.hpp"
#include "app/cli.hpp"
#include "app/commands.hpp"
#include "core/clock.hpp"
#include "core/date_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace troupe::app {
namespace {

namespace json = boost::json;
using core::result;

/// ZenConn's sessions of a node by the address of their clients, which no two
/// connections share.
result<std::map<std::string, json::object>>
zenconn_of(const admin_client& admin, std::uint32_t node) {
  std::map<std::string, json::object> found;
  const auto read =
      each_row(admin, at_node(node) + "/zenconn/sessions", "sessions",
               [&](json::object row) {
                 auto remote = text_at(row, "remote");
                 found.insert_or_assign(std::move(remote), std::move(row));
                 return true;
               });
  if (!read)
    return read.error();
  return found;
}

/// The sessions of one node, ZenConn's with what their records say.
result<void> sessions_of(const admin_client& admin, std::uint32_t node,
                         const row_visitor& visit) {
  const auto zenconn = zenconn_of(admin, node);
  if (!zenconn)
    return zenconn.error();
  return each_row(
      admin, at_node(node) + "/sessions", "sessions", [&](json::object row) {
        const auto known = zenconn->find(text_at(row, "address"));
        if (text_at(row, "protocol") == "zenconn" && known != zenconn->end()) {
          row["uid"] = text_at(known->second, "user");
          row["session"] = text_at(known->second, "session");
          row["spelling"] = text_at(known->second, "protocol");
        }
        return visit(std::move(row));
      });
}

/// Of `wanted`, "" for any.
bool fits(const json::object& row, std::string_view key,
          const std::string& wanted) {
  return wanted.empty() || text_at(row, key) == wanted;
}

std::string age_text(std::optional<std::int64_t> milliseconds) {
  if (!milliseconds)
    return {};
  const auto seconds = *milliseconds / 1000;
  if (seconds < 60)
    return std::to_string(seconds) + "s";
  if (seconds < 3600)
    return std::to_string(seconds / 60) + "m" + std::to_string(seconds % 60) +
           "s";
  return std::to_string(seconds / 3600) + "h" +
         std::to_string(seconds / 60 % 60) + "m";
}

void print_sessions(const json::value& value, std::ostream& out) {
  std::vector<std::vector<std::string>> rows{
      {"NODE", "ID", "PROTOCOL", "USER", "ADDRESS", "TLS", "AGE", "SESSION"}};
  for (const auto& each : array_at(value, "sessions"))
    rows.push_back(
        {text_at(each, "node"), text_at(each, "id"), text_at(each, "protocol"),
         text_at(each, "uid"), text_at(each, "address"),
         text_at(each, "tls") == "true" ? "yes" : "no",
         age_text(number_at(each, "age_ms")), text_at(each, "session")});
  print_table(rows, out);
}

bool is_number(const std::string& id) {
  return !id.empty() && id.size() < 20 &&
         std::all_of(id.begin(), id.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

bool is_called(const json::object& row, const std::string& id) {
  return text_at(row, is_number(id) ? "id" : "session") == id;
}

core::error no_session(const std::string& id) {
  return {core::errc::not_found, "no session " + id + " at that node"};
}

result<json::object> find_session(const admin_client& admin, std::uint32_t node,
                                  const std::string& id) {
  std::optional<json::object> found;
  const auto read = sessions_of(admin, node, [&](json::object row) {
    if (!is_called(row, id))
      return true;
    found = std::move(row);
    return false;
  });
  if (!read)
    return read.error();
  if (!found)
    return no_session(id);
  return std::move(*found);
}

result<json::value> describe(const session_show_options& options) {
  const admin_client admin{options.admin};
  auto row = find_session(admin, options.node, options.id);
  if (!row)
    return row.error();
  const auto number = text_at(*row, "id");
  json::value whole = *row;
  // Only who speaks to inboxes has an actor.
  if (row->contains("device")) {
    const auto actor =
        admin.get(at_node(options.node) + "/actors/sessions/" + number);
    if (actor && actor->is_object() && actor->get_object().contains("state"))
      whole.get_object()["actor"] = actor->get_object().at("state");
  }
  return whole;
}

/// Where else a user has sessions: "2 at node 3".
std::vector<std::string> elsewhere(const admin_client& admin,
                                   const std::string& uid, terminal& screen) {
  std::vector<std::string> found;
  const auto nodes = all_nodes(admin, screen);
  if (!nodes)
    return found;
  for (const auto& [node, id] : *nodes) {
    std::size_t count = 0;
    if (node == 0)
      continue;
    const auto read = sessions_of(admin, node, [&](const json::object& row) {
      count += fits(row, "uid", uid) ? 1 : 0;
      return true;
    });
    if (!read)
      screen.err << "node " << id << ": " << core::to_string(read.error())
                 << '\n';
    if (count > 0)
      found.push_back(std::to_string(count) + " at node " + std::to_string(id));
  }
  return found;
}

std::optional<std::int64_t> moment_of(const json::object& record) {
  for (const auto* key : {"disconnected_ms", "at_ms", "connected_ms"})
    if (const auto found = number_at(record, key))
      return found;
  return std::nullopt;
}

bool is_wanted(const json::object& record, const records_options& options,
               std::optional<core::timestamp> from) {
  const auto when = moment_of(record).value_or(0);
  return fits(record, "user", options.uid) &&
         fits(record, "session", options.session) &&
         fits(record, "event", options.event) &&
         (!from || when >= core::to_millis(*from)) &&
         (!options.until || when < core::to_millis(*options.until));
}

std::vector<std::string> columns_of(const json::object& record) {
  const auto* when = record.contains("disconnected_ms") ? "disconnected_ms"
                     : record.contains("at_ms")         ? "at_ms"
                                                        : "connected_ms";
  auto what = text_at(record, "session");
  if (what.empty())
    what = "server " + text_at(record, "server");
  return {time_at(record, when),
          text_at(record, "event"),
          what,
          text_at(record, "user"),
          text_at(record, "remote"),
          text_at(record, "protocol"),
          text_at(record, "reason")};
}

} // namespace

int run(const session_list_options& options, terminal& screen) {
  constexpr const char* name = "session list";
  const admin_client admin{options.admin};
  result<std::vector<node_place>> nodes{
      std::vector<node_place>{{options.node, options.node}}};
  if (options.node == 0)
    nodes = all_nodes(admin, screen);
  if (!nodes)
    return fail(name, nodes.error(), screen);
  json::array found;
  bool more = false;
  for (const auto& [node, id] : *nodes) {
    const auto read =
        sessions_of(admin, node, [&, number = id](json::object row) {
          if (!fits(row, "uid", options.uid) ||
              !fits(row, "protocol", options.protocol))
            return true;
          more = options.limit != 0 && found.size() == options.limit;
          if (more)
            return false;
          row["node"] = number;
          found.push_back(std::move(row));
          return true;
        });
    if (!read)
      return fail(name, read.error(), screen);
    if (more)
      break;
  }
  const auto shown = report(
      name, json::value{{"sessions", std::move(found)}}, options.admin, screen,
      [&](const json::value& value) { print_sessions(value, screen.out); });
  if (more)
    screen.err << "There are more than " << options.limit << "; see --limit\n";
  return shown;
}

int run(const session_show_options& options, terminal& screen) {
  return report(
      "session show", describe(options), options.admin, screen,
      [&](const json::value& value) {
        std::vector<std::vector<std::string>> rows;
        for (const auto& [key, each] : value.get_object())
          if (!each.is_object())
            rows.push_back({std::string{key}, text_of(each)});
        if (const auto* actor = value.get_object().if_contains("actor"))
          for (const auto& [key, each] : actor->get_object())
            rows.push_back(
                {"actor." + std::string{key},
                 each.is_primitive() ? text_of(each) : json::serialize(each)});
        print_table(rows, screen.out);
      });
}

int run(const session_kick_options& options, terminal& screen) {
  constexpr const char* name = "session kick";
  const admin_client admin{options.admin};
  std::map<std::string, std::string> doomed; // by number
  std::vector<std::string> missing = options.ids;
  const auto read = sessions_of(admin, 0, [&](const json::object& row) {
    const auto called =
        std::find_if(missing.begin(), missing.end(),
                     [&](const auto& id) { return is_called(row, id); });
    const bool his = !options.uid.empty() && fits(row, "uid", options.uid);
    if (called != missing.end())
      missing.erase(called);
    else if (!his)
      return true;
    doomed.emplace(text_at(row, "id"), text_at(row, "uid"));
    return true;
  });
  if (!read)
    return fail(name, read.error(), screen);
  json::array ended;
  for (const auto& [number, uid] : doomed) {
    const auto done = admin.remove("/sessions/" + number);
    if (!done)
      return fail(name, done.error(), screen);
    ended.push_back(json::value{{"id", std::stoull(number)}, {"uid", uid}});
  }
  const auto shown =
      report(name, json::value{{"ended", ended}}, options.admin, screen,
             [&](const json::value& value) {
               for (const auto& each : array_at(value, "ended"))
                 screen.out << "ended session " << text_at(each, "id")
                            << (text_at(each, "uid").empty() ? "" : " of ")
                            << text_at(each, "uid") << '\n';
             });
  if (!missing.empty())
    return fail(name, no_session(missing.front()), screen);
  if (options.uid.empty())
    return shown;
  const auto others = elsewhere(admin, options.uid, screen);
  for (const auto& each : others)
    screen.err << options.uid << " has " << each
               << "; give this command its admin address\n";
  if (doomed.empty() && others.empty())
    return fail(name,
                {core::errc::not_found, options.uid + " has no session here"},
                screen);
  return others.empty() ? shown : exit_failed;
}

int run(const records_options& options, terminal& screen) {
  constexpr const char* name = "session records";
  auto from = options.from;
  if (options.since.count() != 0)
    from = core::system_clock{}.wall() - options.since;
  std::deque<json::object> found;
  const auto read = each_row(
      admin_client{options.admin}, at_node(options.node) + "/zenconn/records",
      "records", [&](json::object record) {
        if (!is_wanted(record, options, from))
          return true;
        found.push_back(std::move(record));
        if (options.limit != 0 && found.size() > options.limit)
          found.pop_front();
        return true;
      });
  if (!read)
    return fail(name, read.error(), screen);
  if (options.lines || options.admin.json) {
    for (const auto& record : found)
      screen.out << json::serialize(record) << '\n';
    return exit_ok;
  }
  std::vector<std::vector<std::string>> rows{
      {"TIME", "EVENT", "SESSION", "USER", "ADDRESS", "PROTOCOL", "REASON"}};
  for (const auto& record : found)
    rows.push_back(columns_of(record));
  print_table(rows, screen.out);
  return exit_ok;
}

} // namespace troupe::app
