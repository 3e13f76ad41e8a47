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

#include <chrono>
#include <map>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::app {
namespace {

namespace json = boost::json;
using core::result;

/// Between two looks at a trace.
constexpr std::chrono::milliseconds look_interval{300};

void print_sessions(const json::value& value, std::ostream& out) {
  std::vector<std::vector<std::string>> rows{{"CLIENT", "STATE", "NODE", "USER",
                                              "ADDRESS", "VERSION", "WS", "TLS",
                                              "SINCE", "WAITING", "UNTIL"}};
  const auto mark = [](const json::value& of, std::string_view key) {
    const auto text = text_at(of, key);
    return text == "true" ? "yes" : text == "false" ? "no" : "";
  };
  for (const auto& each : array_at(value, "sessions"))
    rows.push_back({text_at(each, "client"), text_at(each, "state"),
                    text_at(each, "node"), text_at(each, "user"),
                    text_at(each, "remote"), text_at(each, "version"),
                    mark(each, "websocket"), mark(each, "tls"),
                    time_at(each, "since_ms"), text_at(each, "queued"),
                    time_at(each, "ends_ms")});
  print_table(rows, out);
}

/// Sessions by client: connections of all nodes, and the records beside them.
class session_rows {
public:
  explicit session_rows(const mqtt_sessions_options& options)
      : options_(options) {}

  /// "connected": it ends with its connection. False: that was enough.
  bool add_connected(json::object row, std::uint32_t node) {
    if (!wants(row))
      return true;
    row["state"] = "connected";
    row["node"] = node;
    row["since_ms"] = row["connected_ms"];
    rows_.insert_or_assign(text_at(row, "client"), std::move(row));
    return true;
  }
  /// "kept": it is there, and stays; "away".
  bool add_kept(const json::object& record) {
    if (!wants(record))
      return true;
    const auto client = text_at(record, "client");
    const bool there = text_at(record, "connected") == "true";
    auto& row = rows_.try_emplace(client, record).first->second;
    row["state"] = there ? "kept" : "away";
    for (const auto* key : {"queued", "queued_bytes", "shard", "ends_ms",
                            "created_ms", "closed_ms"})
      if (const auto* value = record.if_contains(key))
        row[key] = *value;
    if (!row.contains("since_ms"))
      row["since_ms"] = there ? row["created_ms"] : row["closed_ms"];
    return true;
  }

  /// Those that are asked for, and whether there were more.
  [[nodiscard]] std::pair<json::array, bool> take() {
    json::array all;
    for (auto& [client, row] : rows_) {
      const auto state = text_at(row, "state");
      if ((options_.connected && state == "away") ||
          (options_.kept && state == "connected"))
        continue;
      if (options_.limit != 0 && all.size() == options_.limit)
        return {std::move(all), true};
      all.push_back(std::move(row));
    }
    return {std::move(all), false};
  }

private:
  [[nodiscard]] bool wants(const json::object& row) const {
    return options_.user.empty() || text_at(row, "user") == options_.user;
  }

  const mqtt_sessions_options& options_;
  std::map<std::string, json::object> rows_; ///< by client
};

/// One client's trace, node by node.
class trace_reader {
public:
  trace_reader(const mqtt_trace_options& options, terminal& screen)
      : options_(options), screen_(screen), admin_(options.admin) {}

  /// Ends when enough lines were shown, or with an error.
  core::error run() {
    const auto nodes = all_nodes(admin_, screen_);
    if (!nodes)
      return nodes.error();
    screen_.err << "looking at " << options_.client << " on " << nodes->size()
                << (nodes->size() == 1 ? " node" : " nodes")
                << "; end with Ctrl-C\n";
    for (;;) {
      for (const auto& each : *nodes)
        if (const auto read = look(each); !read)
          return read.error();
      if (options_.count > 0 && shown_ >= options_.count)
        return {core::errc::ok, {}};
      screen_.out.flush();
      std::this_thread::sleep_for(look_interval);
    }
  }

private:
  result<void> look(const node_place& at) {
    auto& after = after_[at.node];
    const auto page = admin_.get(at_node(at.node) + "/mqtt/trace?client=" +
                                 percent_encoded(options_.client) +
                                 "&after=" + std::to_string(after));
    if (!page)
      return page.error();
    after = static_cast<std::uint64_t>(number_at(*page, "next").value_or(0));
    for (const auto& each : array_at(*page, "lines"))
      show(each, at.id);
    const auto left_out = number_at(*page, "left_out").value_or(0);
    if (left_out > 0)
      screen_.err << left_out << " more were too fast to be shown\n";
    return {};
  }

  void show(const json::value& line, std::uint32_t node) {
    if (options_.count > 0 && shown_ >= options_.count)
      return;
    ++shown_;
    if (options_.admin.json) {
      json::object whole = line.as_object();
      whole["node"] = node;
      screen_.out << json::serialize(whole) << '\n';
      return;
    }
    const auto way = text_at(line, "way");
    screen_.out << core::to_iso_8601(
                       core::from_millis(number_at(line, "at_ms").value_or(0)))
                << "  node " << node
                << (way == "received" ? "  <- "
                    : way == "sent"   ? "  -> "
                                      : "     ")
                << text_at(line, "text") << '\n';
  }

  const mqtt_trace_options& options_;
  terminal& screen_;
  const admin_client admin_;
  std::map<std::uint32_t, std::uint64_t> after_; // by node
  std::uint64_t shown_ = 0;
};

} // namespace

int run(const mqtt_sessions_options& options, terminal& screen) {
  constexpr const char* name = "mqtt sessions";
  const admin_client admin{options.admin};
  const auto nodes = all_nodes(admin, screen);
  if (!nodes)
    return fail(name, nodes.error(), screen);
  session_rows found{options};
  for (const auto& [node, id] : *nodes) {
    const auto read =
        each_row(admin, at_node(node) + "/mqtt/sessions", "sessions",
                 [&, number = id](json::object row) {
                   return found.add_connected(std::move(row), number);
                 });
    if (!read)
      return fail(name, read.error(), screen);
  }
  const auto kept = each_row(
      admin, "/mqtt/sessions", "sessions",
      [&](const json::object& row) { return found.add_kept(row); },
      "&scope=kept",
      [&](const json::value& page) {
        for (const auto& shard : array_at(page, "silent"))
          screen.err << "shard " << text_of(shard)
                     << " does not answer: what it keeps is missing\n";
      });
  if (!kept)
    return fail(name, kept.error(), screen);
  auto [rows, more] = found.take();
  const auto shown = report(
      name, json::value{{"sessions", std::move(rows)}}, options.admin, screen,
      [&](const json::value& value) { print_sessions(value, screen.out); });
  if (more)
    screen.err << "There are more than " << options.limit << "; see --limit\n";
  return shown;
}

int run(const mqtt_kick_options& options, terminal& screen) {
  const admin_client admin{options.admin};
  const auto done =
      admin.remove("/mqtt/sessions?client=" + percent_encoded(options.client));
  if (!done)
    return fail("mqtt kick", done.error(), screen);
  screen.out << options.client
             << ": its session has ended; it may come again\n";
  return exit_ok;
}

int run(const mqtt_trace_options& options, terminal& screen) {
  const auto why = trace_reader{options, screen}.run();
  return why.code == core::errc::ok ? exit_ok : fail("mqtt trace", why, screen);
}

} // namespace troupe::app
