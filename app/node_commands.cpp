// SPDX-License-Identifier: Apache-2.0
#include "app/admin_client.hpp"
#include "app/admin_report.hpp"
#include "app/cli.hpp"
#include "app/commands.hpp"

#include <algorithm>
#include <ostream>
#include <thread>

namespace troupe::app {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds ask_every{500};

std::string node_path(std::uint32_t id, const char* verb) {
  return "/nodes/" + std::to_string(id) + '/' + verb;
}

std::string milliseconds_text(std::optional<std::int64_t> microseconds) {
  if (!microseconds || *microseconds == 0)
    return "-";
  const auto tenths = (*microseconds + 50) / 100;
  return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + "ms";
}

bool names(const json::value& group, std::string_view key,
           const std::string& node) {
  const auto members = array_at(group, key);
  return std::any_of(members.begin(), members.end(),
                     [&](const auto& each) { return text_of(each) == node; });
}

/// Groups but the directory that have the node, or shall have it.
std::size_t groups_of(std::uint32_t id, const json::value& shards) {
  const auto node = std::to_string(id);
  const auto rows = array_at(shards, "shards");
  return static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [&](const json::value& group) {
        return number_at(group, "group") != 0 &&
               (names(group, "voters", node) ||
                names(group, "learners", node) ||
                names(group, "placement", node));
      }));
}

/// Says how many groups are left whenever it is another number.
core::result<void> wait_until_drained(const admin_client& admin,
                                      std::uint32_t id, terminal& screen) {
  std::size_t left = SIZE_MAX;
  for (;;) {
    const auto shards = admin.get("/shards");
    if (!shards)
      return shards.error();
    const auto now = groups_of(id, *shards);
    if (now != left)
      screen.err << "node " << id << " keeps " << now
                 << (now == 1 ? " group" : " groups") << std::endl;
    if (now == 0)
      return {};
    left = now;
    std::this_thread::sleep_for(ask_every);
  }
}

} // namespace

int run(const node_list_options& options, terminal& screen) {
  return report("node list", admin_client{options.admin}.get("/nodes"),
                options.admin, screen, [&](const json::value& value) {
                  std::vector<std::vector<std::string>> rows{
                      {"ID", "NAME", "ADDRESS", "STATE", "LINK", "ROUND TRIP",
                       "GROUPS", "LEADS"}};
                  const auto self = text_at(value, "self");
                  for (const auto& each : array_at(value, "nodes")) {
                    const auto id = text_at(each, "id");
                    const bool linked = text_at(each, "linked") == "true";
                    rows.push_back(
                        {id, text_at(each, "name"), text_at(each, "address"),
                         text_at(each, "state"),
                         id == self ? "self"
                         : linked   ? "up"
                                    : "down",
                         milliseconds_text(number_at(each, "round_trip_us")),
                         text_at(each, "groups"), text_at(each, "leads")});
                  }
                  print_table(rows, screen.out);
                });
}

int run(const node_drain_options& options, terminal& screen) {
  const admin_client admin{options.admin};
  auto answer = admin.post(node_path(options.id, "drain"), json::object{});
  if (answer && options.wait)
    if (auto done = wait_until_drained(admin, options.id, screen); !done)
      answer = done.error();
  return report(
      "node drain", answer, options.admin, screen, [&](const json::value&) {
        screen.out << "node " << options.id
                   << (options.wait ? " is drained\n" : " is draining\n");
      });
}

int run(const node_remove_options& options, terminal& screen) {
  const admin_client admin{options.admin};
  if (options.wait)
    if (auto done = wait_until_drained(admin, options.id, screen); !done)
      return fail("node remove", done.error(), screen);
  auto path = node_path(options.id, "remove");
  if (options.force)
    path += "?force=true";
  return report("node remove", admin.post(path, json::object{}), options.admin,
                screen, [&](const json::value&) {
                  screen.out << "node " << options.id << " is removed\n";
                });
}

int run(const rebalance_options& options, terminal& screen) {
  return report("rebalance",
                admin_client{options.admin}.post("/rebalance", json::object{}),
                options.admin, screen, [&](const json::value&) {
                  screen.out << "leaders move to their preferred nodes\n";
                });
}

} // namespace troupe::app
