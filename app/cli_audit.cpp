// SPDX-License-Identifier: Apache-2.0
// The audit log on the command line.
#include "app/cli_builder.hpp"
#include "app/cli_flags.hpp"

#include <string>

namespace troupe::app {
namespace {

void add_search(cli_builder& to, CLI::App* group, const char* name,
                const char* help, bool lines) {
  auto& options = to.add_admin_command<audit_query_options>(group, name, help);
  options.lines = lines;
  options.limit = lines ? 0 : 100;
  to.last()
      ->add_option("--folder", options.folder,
                   "Read DATA/audit of a node instead of asking one")
      ->type_name("FOLDER");
  const auto term = [&](const char* flag, const char* key, const char* form,
                        const char* what) {
    to.last()
        ->add_option_function<std::string>(
            flag,
            [&options, key](const std::string& text) {
              options.terms.emplace_back(key, text);
            },
            what)
        ->type_name(form);
  };
  term("--kind", "kind", "KIND[,...]",
       "post, publish, join, leave, login, logout, account, list, admin, "
       "opened, closed, dropped or trimmed");
  term("--user", "user", "UID", "Who did it");
  term("--target", "target", "NAME", "Channel, recipient, user or list");
  term("--session", "session", "NUMBER", "On one connection");
  term("--accepted", "accepted", "true|false", "Only those, or the refused");
  term("--from", "from", "TIME", "Not before, as 2026-11-22T01:02:03Z");
  term("--until", "until", "TIME", "Before");
  add_duration(to.last(), "--since", options.since, "Not older than this");
  term("--after", "after", "SEQUENCE", "Behind this record");
  to.last()->add_option("--limit", options.limit,
                        lines ? "Most records; 0 = all [0]"
                              : "Most records; 0 = all [100]");
}

} // namespace

void add_audit_commands(cli_builder& to) {
  auto* group =
      to.add_group("audit", "Search, export and verify the audit log");
  add_search(to, group, "query", "Show records of the audit log", false);
  add_search(to, group, "export", "Print records as one JSON object a line",
             true);
  to.add_admin_command<audit_state_options>(
      group, "state", "Show how far the log goes, and its anchor");

  auto* at = group->add_subcommand(
      "verify", "Follow the chain of hashes through a folder");
  auto& verify = to.options_of<audit_verify_options>(at);
  at->add_option("FOLDER", verify.folder, "DATA/audit of a node")->required();
  at->add_option("--key-file", verify.key_file,
                 "Heads must be sealed by the key in it")
      ->type_name("FILE");
  at->add_option("--anchor", verify.anchor,
                 "A record that is known to have been there")
      ->type_name("SEQUENCE:HASH");
  at->add_flag("--json", verify.json, "Print a JSON object");
  at->footer("Exit code 0: the chain is whole; 1: it is not, and the first "
             "broken place is named.");
}

} // namespace troupe::app
