// SPDX-License-Identifier: Apache-2.0
#include "app/admin_client.hpp"
#include "app/admin_report.hpp"
#include "app/cli.hpp"
#include "app/commands.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

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

/// All groups as nodes see them that keep them: one that does not only knows
/// where a group shall be. A row of nobody has no voters.
core::result<std::vector<json::value>> all_groups(const admin_client& admin) {
  const auto here = admin.get("/shards");
  if (!here)
    return here.error();
  const auto own = array_at(*here, "shards");
  std::vector<json::value> rows(own.begin(), own.end());
  std::map<std::string, json::array> others;
  for (auto& row : rows) {
    const auto leader = text_at(row, "leader");
    if (!array_at(row, "voters").empty() || leader == "0" || leader.empty())
      continue;
    auto known = others.find(leader);
    if (known == others.end()) {
      const auto there = admin.get("/nodes/" + leader + "/shards");
      known = others
                  .emplace(leader,
                           there ? array_at(*there, "shards") : json::array{})
                  .first;
    }
    for (const auto& each : known->second)
      if (number_at(each, "group") == number_at(row, "group"))
        row = each;
  }
  return rows;
}

bool is_directory(const json::value& group) {
  return number_at(group, "group") == 0;
}

bool has_part(const json::value& group, const std::string& node) {
  return names(group, "voters", node) || names(group, "learners", node) ||
         names(group, "placement", node);
}

/// Groups but the directory that have the node, or shall have it.
std::size_t groups_of(std::uint32_t id, const std::vector<json::value>& rows) {
  const auto node = std::to_string(id);
  return static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [&](const json::value& group) {
        return !is_directory(group) && has_part(group, node);
      }));
}

std::string counted(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " group" : " groups");
}

/// Says how many groups are left whenever it is another number.
core::result<void> wait_until_drained(const admin_client& admin,
                                      std::uint32_t id, terminal& screen) {
  std::size_t left = SIZE_MAX;
  for (;;) {
    const auto groups = all_groups(admin);
    if (!groups)
      return groups.error();
    const auto now = groups_of(id, *groups);
    if (now != left)
      screen.err << "node " << id << " keeps " << counted(now) << std::endl;
    if (now == 0)
      return {};
    left = now;
    std::this_thread::sleep_for(ask_every);
  }
}

/// How far a node that came, or was drained, is with its share.
struct held_share {
  std::size_t votes = 0; ///< groups, of those it shall vote in
  std::size_t wanted = 0;

  friend bool operator==(const held_share&, const held_share&) = default;
};

held_share held_share_of(std::uint32_t id,
                         const std::vector<json::value>& rows) {
  const auto node = std::to_string(id);
  held_share now;
  for (const auto& group : rows)
    if (names(group, "wanted", node)) {
      ++now.wanted;
      now.votes += names(group, "voters", node) ? 1U : 0U;
    }
  return now;
}

/// Until then some groups have a voter fewer than they shall: of three nodes
/// two, which stop when either is lost. Nodes are asked for first: one that has
/// not heard of the change itself still takes the share for whole.
core::result<void> wait_until_back(const admin_client& admin, std::uint32_t id,
                                   terminal& screen) {
  const auto node = std::to_string(id);
  std::optional<held_share> last;
  for (;;) {
    const auto nodes = admin.get("/nodes");
    if (!nodes)
      return nodes.error();
    const auto rows = array_at(*nodes, "nodes");
    const bool member =
        std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
          return text_at(row, "id") == node &&
                 text_at(row, "state") == "member";
        });
    const auto groups = all_groups(admin);
    if (!groups)
      return groups.error();
    const auto now = held_share_of(id, *groups);
    if (member && last != now)
      screen.err << "node " << id << " votes in " << now.votes << " of "
                 << counted(now.wanted) << std::endl;
    if (member && now.votes == now.wanted)
      return {};
    if (member)
      last = now;
    std::this_thread::sleep_for(ask_every);
  }
}

/// How far a replacement has come.
struct handover {
  std::size_t kept = 0;    ///< the old one has a part in them
  std::size_t led = 0;     ///< by the old one
  std::size_t moving = 0;  ///< do not have the members they shall have
  std::size_t orphans = 0; ///< nobody leads them
  std::size_t taken = 0;   ///< the new one votes in them

  friend bool operator==(const handover&, const handover&) = default;
};

handover handover_of(const node_replace_options& options,
                     const std::vector<json::value>& groups) {
  const auto old = std::to_string(options.old_id);
  const auto fresh = std::to_string(options.new_id);
  const auto same = [](const json::value& group) {
    const auto voters = array_at(group, "voters");
    const auto placed = array_at(group, "placement");
    return array_at(group, "learners").empty() &&
           voters.size() == placed.size() &&
           std::all_of(voters.begin(), voters.end(), [&](const auto& each) {
             return names(group, "placement", text_of(each));
           });
  };
  handover now;
  for (const auto& group : groups) {
    now.led += text_at(group, "leader") == old ? 1U : 0U;
    now.orphans += text_at(group, "leader") == "0" ? 1U : 0U;
    if (is_directory(group)) { // all nodes have a copy
      now.kept += names(group, "voters", old) ? 1U : 0U;
      continue;
    }
    now.kept += has_part(group, old) ? 1U : 0U;
    now.moving += same(group) ? 0U : 1U;
    now.taken += names(group, "voters", fresh) ? 1U : 0U;
  }
  return now;
}

core::result<void> wait_until_replaced(const admin_client& admin,
                                       const node_replace_options& options,
                                       terminal& screen) {
  std::optional<handover> last;
  for (;;) {
    const auto groups = all_groups(admin);
    if (!groups)
      return groups.error();
    const auto now = handover_of(options, *groups);
    if (last != now) {
      screen.err << "node " << options.old_id << " keeps " << counted(now.kept)
                 << " and leads " << now.led << "; node " << options.new_id
                 << " has " << now.taken << ", " << now.moving
                 << " on the move";
      if (now.orphans > 0)
        screen.err << "; nobody leads " << now.orphans;
      screen.err << std::endl;
    }
    if (now.kept == 0 && now.led == 0 && now.moving == 0)
      return {};
    last = now;
    std::this_thread::sleep_for(ask_every);
  }
}

/// A group is where it shall be once its node votes there: before that it is
/// lost with another one.
std::string groups_text(const json::value& node,
                        const core::result<std::vector<json::value>>& groups) {
  if (!groups)
    return text_at(node, "groups");
  const auto now = held_share_of(
      static_cast<std::uint32_t>(number_at(node, "id").value_or(0)), *groups);
  const auto wanted = std::to_string(now.wanted);
  return now.votes == now.wanted ? wanted
                                 : std::to_string(now.votes) + " of " + wanted;
}

} // namespace

int run(const node_list_options& options, terminal& screen) {
  const admin_client admin{options.admin};
  return report("node list", admin.get("/nodes"), options.admin, screen,
                [&](const json::value& value) {
                  const auto groups = all_groups(admin);
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
                         groups_text(each, groups), text_at(each, "leads")});
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

int run(const node_undrain_options& options, terminal& screen) {
  const admin_client admin{options.admin};
  auto answer = admin.post(node_path(options.id, "undrain"), json::object{});
  if (answer && options.wait)
    if (auto done = wait_until_back(admin, options.id, screen); !done)
      answer = done.error();
  return report("node undrain", answer, options.admin, screen,
                [&](const json::value&) {
                  screen.out << "node " << options.id << " is a member"
                             << (options.wait ? " and has its share\n" : "\n");
                });
}

int run(const node_replace_options& options, terminal& screen) {
  const admin_client admin{options.admin};
  auto answer = admin.post(node_path(options.old_id, "replace") +
                               "?by=" + std::to_string(options.new_id),
                           json::object{});
  if (answer && options.wait)
    if (auto done = wait_until_replaced(admin, options, screen); !done)
      answer = done.error();
  return report(
      "node replace", answer, options.admin, screen, [&](const json::value&) {
        if (options.wait)
          screen.out << "the cluster is whole without node " << options.old_id
                     << "; 'troupe node remove " << options.old_id
                     << "' takes it out for good\n";
        else
          screen.out << "node " << options.new_id << " takes over from node "
                     << options.old_id << '\n';
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
