// SPDX-License-Identifier: Apache-2.0
// Tokens, grants, roles, blocks and bans on the command line.
#include "app/cli_builder.hpp"
#include "app/cli_flags.hpp"

#include <string>

namespace troupe::app {
namespace {

/// One of --user and --address.
void add_who(CLI::App* at, std::string& uid, std::string& address) {
  auto* user = at->add_option("--user", uid, "A user")->type_name("UID");
  at->add_option("--address", address, "An IP address")
      ->type_name("IP")
      ->excludes(user);
  at->parse_complete_callback([&uid, &address] {
    if (uid.empty() == address.empty())
      throw CLI::RequiredError("one of --user, --address");
  });
}

void add_blocks_and_bans(cli_builder& to) {
  auto* blocks = to.add_group("block", "Manage whom users want nothing from");
  for (const bool give : {true, false}) {
    auto& change = to.add_admin_command<block_change_options>(
        blocks, give ? "add" : "remove",
        give ? "Drop what they send to the user" : "Let them through again");
    change.give = give;
    to.last()->add_option("UID", change.uid, "Whose inbox")->required();
    to.last()
        ->add_option("SENDER", change.blocked, "Whose messages")
        ->required();
  }
  auto& shown = to.add_admin_command<block_list_options>(
      blocks, "list", "Show whom a user has blocked");
  to.last()->add_option("UID", shown.uid, "Name of the user")->required();

  auto* bans = to.add_group("ban", "Keep users and addresses out");
  auto& add = to.add_admin_command<ban_add_options>(
      bans, "add", "Ban a user or an address; live sessions end");
  add_who(to.last(), add.uid, add.address);
  add_duration(to.last(), "--for", add.lasts, "It ends after this");
  to.last()
      ->add_option("--reason", add.reason, "For other operators")
      ->type_name("TEXT");
  auto& lift =
      to.add_admin_command<ban_lift_options>(bans, "lift", "Let them in again");
  add_who(to.last(), lift.uid, lift.address);
  to.add_admin_command<ban_list_options>(bans, "list", "Show all bans");
}

} // namespace

void add_rights_commands(cli_builder& to) {
  auto* tokens = to.add_group("token", "Manage tokens that stand for users");
  auto& add = to.add_admin_command<token_add_options>(
      tokens, "add", "Make a token; it is printed once");
  to.last()->add_option("UID", add.uid, "Name of the user")->required();
  to.last()
      ->add_option("--label", add.label, "What it is for")
      ->type_name("TEXT");
  add_duration(to.last(), "--expires-in", add.expires_in, "It ends after this");
  add_names(to.last(), "--role", add.roles, "It has these roles only");
  add_names(to.last(), "--grant", add.grants, "It has these grants only");
  auto& all = to.add_admin_command<token_list_options>(tokens, "list",
                                                       "Show all tokens");
  to.last()->add_option("UID", all.uid, "Only those of this user");
  auto& revoke = to.add_admin_command<token_revoke_options>(
      tokens, "revoke", "Take a token back; its sessions end");
  to.last()->add_option("ID", revoke.id, "Its id")->required();

  auto* grants = to.add_group("grant", "Manage what users and roles may do");
  for (const bool give : {true, false}) {
    auto& change = to.add_admin_command<grant_change_options>(
        grants, give ? "add" : "remove",
        give ? "Grant something" : "Take grants away");
    change.give = give;
    auto* uid = to.last()
                    ->add_option("--user", change.uid, "To a user")
                    ->type_name("UID");
    to.last()
        ->add_option("--role", change.role, "To a role; makes it")
        ->type_name("ROLE")
        ->excludes(uid);
    to.last()
        ->add_option("GRANT", change.grants,
                     "RIGHT:FILTER with publish, subscribe, post, call, "
                     "register or admin")
        ->required();
    to.last()->parse_complete_callback([&change] {
      if (change.uid.empty() == change.role.empty())
        throw CLI::RequiredError("one of --user, --role");
    });
  }
  to.add_admin_command<grant_list_options>(grants, "list",
                                           "Show who may do what");

  auto* roles = to.add_group("role", "Manage roles");
  for (const bool give : {true, false}) {
    auto& change = to.add_admin_command<role_change_options>(
        roles, give ? "give" : "take",
        give ? "Give a user a role" : "Take a role from a user");
    change.give = give;
    to.last()->add_option("ROLE", change.role, "Name of the role")->required();
    to.last()->add_option("UID", change.uid, "Name of the user")->required();
  }
  to.add_admin_command<role_list_options>(roles, "list", "Show all roles");
  auto& remove = to.add_admin_command<role_remove_options>(
      roles, "remove", "Remove a role; nobody has its grants any more");
  to.last()->add_option("ROLE", remove.role, "Name of the role")->required();
  add_blocks_and_bans(to);
}

} // namespace troupe::app
