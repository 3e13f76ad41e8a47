// SPDX-License-Identifier: Apache-2.0
// Sessions, and ZenConn's records of them, on the command line.
#include "app/audit_json.hpp"
#include "app/cli_builder.hpp"
#include "app/cli_flags.hpp"

#include <string>

namespace troupe::app {
namespace {

void add_node(CLI::App* to, std::uint32_t& target, const char* help) {
  to->add_option("--node", target, help)
      ->type_name("ID")
      ->check(CLI::PositiveNumber);
}

void add_records(cli_builder& to, CLI::App* group) {
  auto& options = to.add_admin_command<records_options>(
      group, "records", "Show when ZenConn's sessions of a node came and went");
  auto* at = to.last();
  add_node(at, options.node, "Of this node [the one that is asked]");
  at->add_option("--user", options.uid, "Only sessions of this user")
      ->type_name("UID");
  at->add_option("--session", options.session, "Only this session")
      ->type_name("UUID");
  at->add_option("--event", options.event,
                 "Only those: opened, closed, started, stopped or lost")
      ->check(
          CLI::IsMember({"opened", "closed", "started", "stopped", "lost"}));
  auto* from = add_parsed(at, "--from", options.from, parse_time, "TIME",
                          "Not before, as 2026-11-22T01:02:03Z");
  add_parsed(at, "--until", options.until, parse_time, "TIME", "Before");
  add_duration(at, "--since", options.since, "Not older than this")
      ->excludes(from);
  at->add_option("--limit", options.limit,
                 "The newest so many of them; 0 = all")
      ->capture_default_str();
  at->add_flag("--lines", options.lines, "One JSON object a line");
}

} // namespace

void add_session_commands(cli_builder& to) {
  auto* group = to.add_group("session", "See who is connected, and end that");

  auto& list = to.add_admin_command<session_list_options>(
      group, "list", "Show the sessions of all nodes");
  add_node(to.last(), list.node, "Only those of this node");
  to.last()
      ->add_option("--user", list.uid, "Only those of this user")
      ->type_name("UID");
  to.last()
      ->add_option("--protocol", list.protocol,
                   "Only those that speak this: mq, mq-ws, msgbus, zenconn, …")
      ->type_name("NAME");
  to.last()
      ->add_option("--limit", list.limit, "Most sessions to list; 0 = all")
      ->capture_default_str();

  auto& show = to.add_admin_command<session_show_options>(
      group, "show", "Show all that is known of one session");
  to.last()
      ->add_option("ID", show.id, "Its number, or ZenConn's UUID of it")
      ->required();
  add_node(to.last(), show.node, "It is at this node [the one that is asked]");

  auto& kick = to.add_admin_command<session_kick_options>(
      group, "kick",
      "End sessions of the node that is asked; its clients may come again");
  auto* ids = to.last()->add_option("ID", kick.ids,
                                    "Numbers, or ZenConn's UUIDs of them");
  to.last()
      ->add_option("--user", kick.uid, "All sessions of this user instead")
      ->type_name("UID")
      ->excludes(ids);
  to.last()->parse_complete_callback([&kick] {
    if (kick.uid.empty() == kick.ids.empty())
      throw CLI::RequiredError("one of ID, --user");
  });
  to.last()->footer("To keep somebody out: troupe ban add.");

  add_records(to, group);
}

} // namespace troupe::app
