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
  std::vector<std::vector<std::string>> rows{
      {"NODE", "CLIENT", "USER", "ADDRESS", "VERSION", "WS", "TLS", "SINCE"}};
  for (const auto& each : array_at(value, "sessions"))
    rows.push_back({text_at(each, "node"), text_at(each, "client"),
                    text_at(each, "user"), text_at(each, "remote"),
                    text_at(each, "version"),
                    text_at(each, "websocket") == "true" ? "yes" : "no",
                    text_at(each, "tls") == "true" ? "yes" : "no",
                    time_at(each, "connected_ms")});
  print_table(rows, out);
}

/// The nodes at which a client is connected.
result<std::vector<node_place>> places_of(const admin_client& admin,
                                          const std::string& client,
                                          terminal& screen) {
  const auto nodes = all_nodes(admin, screen);
  if (!nodes)
    return nodes.error();
  std::vector<node_place> found;
  for (const auto& each : *nodes) {
    const auto read = each_row(admin, at_node(each.node) + "/mqtt/sessions",
                               "sessions", [&](const json::object& row) {
                                 if (text_at(row, "client") != client)
                                   return true;
                                 found.push_back(each);
                                 return false;
                               });
    if (!read)
      return read.error();
  }
  return found;
}

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
  json::array found;
  bool more = false;
  for (const auto& [node, id] : *nodes) {
    const auto read = each_row(
        admin, at_node(node) + "/mqtt/sessions", "sessions",
        [&, number = id](json::object row) {
          if (!options.user.empty() && text_at(row, "user") != options.user)
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
  }
  const auto shown = report(
      name, json::value{{"sessions", std::move(found)}}, options.admin, screen,
      [&](const json::value& value) { print_sessions(value, screen.out); });
  if (more)
    screen.err << "There are more than " << options.limit << "; see --limit\n";
  return shown;
}

int run(const mqtt_kick_options& options, terminal& screen) {
  constexpr const char* name = "mqtt kick";
  const admin_client admin{options.admin};
  const auto places = places_of(admin, options.client, screen);
  if (!places)
    return fail(name, places.error(), screen);
  if (places->empty())
    return fail(name,
                {core::errc::not_found,
                 "no client " + options.client + " is connected"},
                screen);
  for (const auto& each : *places) {
    if (each.node != 0)
      return fail(name,
                  {core::errc::not_permitted,
                   options.client + " is connected to node " +
                       std::to_string(each.id) + "; ask that one (--admin)"},
                  screen);
    const auto done = admin.remove("/mqtt/sessions?client=" +
                                   percent_encoded(options.client));
    if (!done)
      return fail(name, done.error(), screen);
    screen.out << options.client
               << ": its connection ends; it may come again\n";
  }
  return exit_ok;
}

int run(const mqtt_trace_options& options, terminal& screen) {
  const auto why = trace_reader{options, screen}.run();
  return why.code == core::errc::ok ? exit_ok : fail("mqtt trace", why, screen);
}

} // namespace troupe::app
