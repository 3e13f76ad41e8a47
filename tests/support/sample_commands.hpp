// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

/// One command of every kind with every field set to something of its own, and
/// some at the edge. The golden bytes of the formats are those of these.
namespace troupe::test {

inline core::append_message sample_message() {
  core::append_message command;
  auto& message = command.message;
  message.kind = core::message_kind::list_changed;
  message.realm = "realm1";
  message.sender = "alice";
  message.content_type = "text/plain";
  message.headers = {{"a", "1"}, {"", ""}};
  message.meta = core::shared_bytes::copy_of(R"({"subject":"hi"})");
  message.payload = core::shared_bytes::copy_of("hello");
  command.to = {
      {"bob", true, false, {}},
      {"alice", false, true, core::device_offset{7}},
      {std::string{"n\0ul", 4}, false, false, core::device_offset{255}}};
  command.time_to_live = core::milliseconds{60'000};
  command.deduplication_key = "alice/m1";
  return command;
}

/// A post as most are: 100 bytes to one user.
inline core::append_message small_post() {
  core::append_message command;
  command.message.sender = "alice";
  command.message.payload = core::shared_bytes::copy_of(std::string(100, 'x'));
  command.to = {{"bob", false, false, {}}};
  return command;
}

/// A message of a topic to sessions.
inline core::append_message sample_publication() {
  core::append_message command;
  auto& message = command.message;
  message.kind = core::message_kind::publication;
  message.realm = "realm1";
  message.sender = "alice";
  message.content_type = "text/plain";
  message.headers = {{"a", "1"}};
  message.payload = core::shared_bytes::copy_of("hello");
  message.topic = "a/b";
  message.qos = 2;
  message.retain = true;
  command.to.resize(3);
  command.to[0].name = "client-1";
  command.to[0].kind = core::owner_kind::session;
  command.to[0].qos = 1;
  command.to[0].subscription_ids = {7, 268'435'455};
  command.to[1].name = "client-2";
  command.to[1].kind = core::owner_kind::session;
  command.to[1].qos = 2;
  command.to[1].retain_as_published = true;
  command.to[2] = {"bob", true, true, core::device_offset{3}};
  command.time_to_live = core::milliseconds{60'000};
  command.deduplication_key = "client-9/1";
  return command;
}

inline core::publication_content sample_content() {
  core::publication_content content;
  content.sender = "alice";
  content.content_type = "text/plain";
  content.headers = {{"a", "1"}, {"", ""}};
  content.qos = 2;
  content.payload = core::shared_bytes::copy_of("hello");
  return content;
}

inline core::session_will sample_will() {
  core::session_will will;
  will.topic = "a/gone";
  will.content = sample_content();
  will.retain = true;
  will.delay = core::milliseconds{5'000};
  will.time_to_live = core::milliseconds{60'000};
  return will;
}

/// The commands of a shard that came later: about sessions and retained keys.
inline std::vector<core::logged_shard_command> sample_session_commands() {
  const core::session_ref one{"realm1", "client-1", 77};
  const core::session_ref two{"default", "client-2", 0};
  std::vector<core::shard_command> bodies{
      sample_publication(),
      core::set_key{"realm1", "a/b", sample_content(),
                    core::milliseconds{60'000}, 9},
      core::set_key{},
      core::clear_key{"realm1", "a/b", 0},
      core::clear_key{},
      core::set_key_policy{{1, 2}},
      core::open_session{"realm1", "client-1", "alice", "mqtt5", true,
                         core::milliseconds{3'600'000}, 20, sample_will()},
      core::open_session{},
      core::set_session_expiry{one, core::milliseconds{7}},
      core::set_session_expiry{two, {}},
      core::close_session_record{one, core::from_millis(1'795'221'369'000),
                                 true},
      core::close_session_record{two, {}, false},
      core::begin_receive{{{one, 1}, {two, 65'535}}},
      core::end_receive{{{one, {1, 2, 3}}, {two, {}}}},
      core::delivered{{{one, core::inbox_position{99}, {4, 5, 65'535}},
                       {two, core::inbox_position{1ULL << 63}, {}}}},
      core::completed{{{one, {4}}, {two, {5, 6}}}},
      core::drop_will{one},
      core::drop_session{one, true},
      core::drop_session{two, false},
      core::set_session_policy{{3, 4, 5, false}},
  };
  std::vector<core::logged_shard_command> commands;
  for (auto& body : bodies)
    commands.push_back({{0x1122334455667788, commands.size() + 1},
                        core::from_millis(1'795'221'369'872),
                        std::move(body)});
  return commands;
}

/// Those of the first version.
inline std::vector<core::logged_shard_command> first_shard_commands() {
  const core::owner user{"default", core::owner_kind::user, "bob"};
  const core::owner session{"other", core::owner_kind::session, "client-1"};
  std::vector<core::shard_command> bodies{
      sample_message(),
      small_post(),
      core::append_message{},
      core::move_cursors{
          {{user, core::device_offset{1}, core::inbox_position{99}},
           {session, core::device_offset{0},
            core::inbox_position{1ULL << 63}}}},
      core::move_cursors{},
      core::add_cursor{user, core::device_offset{2}, core::device_offset{1}},
      core::add_cursor{session, core::device_offset{0}, {}},
      core::remove_cursor{user, core::device_offset{99}},
      core::drop_inbox{session},
      core::import_inboxes{{{user, core::device_offset{0}, {}},
                            {user, core::device_offset{3}, {}}}},
      core::set_inbox_policy{{1, 2, core::overflow_policy::drop_oldest,
                              core::milliseconds{3}, core::milliseconds{4},
                              core::milliseconds{5}, core::milliseconds{6}}},
      core::sweep_expired{12345},
  };
  std::vector<core::logged_shard_command> commands;
  for (auto& body : bodies)
    commands.push_back({{0x1122334455667788, commands.size() + 1},
                        core::from_millis(1'795'221'369'872),
                        std::move(body)});
  return commands;
}

inline std::vector<core::logged_shard_command> sample_shard_commands() {
  auto commands = first_shard_commands();
  for (auto& command : sample_session_commands())
    commands.push_back(std::move(command));
  return commands;
}

inline std::vector<core::logged_directory_command> sample_directory_commands() {
  std::vector<core::directory_command> bodies{
      core::create_user{"default", "alice", "n0", {"al", "ice"}},
      core::create_user{"", "", "", {}},
      core::replace_aliases{"other", "alice", {"x"}},
      core::create_device{"default", "bob", "n1", "n0"},
      core::remove_user{"default", "../bob"},
      core::change_list{"default", "thelist", core::list_edit_kind::invite,
                        "alice", "hijack"},
      core::import_directory{
          "default",
          {{"alice",
            {{"n0", core::device_offset{0}}, {"n1", core::device_offset{5}}},
            {"al"}},
           {"bob", {}, {}}},
          {{"thelist", {{"alice", ""}, {"bob", "b"}}}, {"none", {}}}},
      core::change_cluster{core::admit_node{"token", "one", "host:1", 7, {}}},
      core::change_cluster{
          core::admit_node{"t", "n", "a", 1, core::node_id{1}}},
      core::change_cluster{
          core::set_node_state{core::node_id{3}, core::node_state::draining}},
      core::change_cluster{
          core::set_node_address{core::node_id{3}, "host:2", 8}},
      core::change_cluster{core::set_placement{
          {{core::group_id{0}, {core::node_id{1}, core::node_id{3}}},
           {core::group_id{16}, {}}}}},
      core::change_cluster{core::set_feature_level{2}},
      core::change_cluster{
          core::set_node_state{core::node_id{3}, core::node_state::absent}},
      core::change_cluster{
          core::replace_node{core::node_id{3}, core::node_id{4}}},
      core::change_rights{"other", core::set_password{"alice", "$argon2id$x"}},
      core::change_rights{
          "default", core::change_account{"alice",
                                          core::give_or_take::take,
                                          {"editor"},
                                          {{core::right::publish, "a/%u/#"}}}},
      core::change_rights{
          "default",
          core::change_role{"editor",
                            core::give_or_take::give,
                            {{core::right::subscribe, "#"},
                             {core::right::register_procedure, "p/+"}}}},
      core::change_rights{"default", core::remove_role{"editor"}},
      core::change_rights{"default",
                          core::add_token{"id1",
                                          "alice",
                                          "hash",
                                          "for the lamp",
                                          core::from_millis(1'795'221'369'872),
                                          {"editor"},
                                          {{core::right::admin, "#"}}}},
      core::change_rights{"default", core::revoke_token{"id1"}},
      core::change_rights{"default",
                          core::change_blocks{"alice",
                                              core::give_or_take::give,
                                              {"bob", "carl"}}},
      core::change_rights{"default",
                          core::set_ban{core::ban_kind::address, "192.0.2.7",
                                        core::from_millis(9), "floods"}},
      core::change_rights{"default",
                          core::set_ban{core::ban_kind::user, "bob", {}, ""}},
      core::change_rights{"default",
                          core::lift_ban{core::ban_kind::user, "bob"}},
      core::change_routes{"realm1",
                          "client-1",
                          77,
                          false,
                          {{"a/+", ""}, {"b/#", "workers"}},
                          {{{"a/b", ""}, {2, true, true, 268'435'455}},
                           {{"c/#", "workers"}, {0, false, false, 0}}},
                          false},
      core::change_routes{"default", "client-2", 78, true, {}, {}, true},
      core::change_rights{"default",
                          core::set_password{"alice", "$argon2id$x",
                                             "SCRAM-SHA-256$4096:x$y:z"}},
  };
  std::vector<core::logged_directory_command> commands;
  for (auto& body : bodies)
    commands.push_back({{0x1122334455667788, commands.size() + 1},
                        core::from_millis(-1),
                        std::move(body)});
  return commands;
}

} // namespace troupe::test
