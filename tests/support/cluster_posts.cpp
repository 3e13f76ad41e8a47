// SPDX-License-Identifier: Apache-2.0
// The clients of a cluster: what they post, and that it is there.
#include "actors/runtime/pinned.hpp"
#include "schema/command_wire.hpp"
#include "schema/stored_inboxes.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <map>
#include <utility>

namespace troupe::test_support {

using namespace actors; // NOLINT: a test's own words are few

namespace {

/// One inbox a shard, of which posts are never acknowledged.
core::owner inbox_of(std::uint16_t group) {
  return {"default", core::owner_kind::user, "of-" + std::to_string(group)};
}

} // namespace

std::uint64_t cluster_fixture::post(std::uint16_t group, std::uint32_t at,
                                    std::size_t padding) {
  const auto number = ++last_post_;
  // Keys ascend within an origin: one origin a group.
  under_way_[number] = {group, {1000U + group, number}, padding};
  group_of_post_[number] = group;
  send_post(number, under_way_[number], at);
  return number;
}

test_client& cluster_fixture::connect(std::uint32_t at) {
  auto client = std::make_unique<test_client>();
  client->line = std::make_shared<session_line>();
  client->line->link = &client->link;
  client->node = at;
  session_deps deps;
  deps.context = &node(at).context();
  deps.line = client->line;
  deps.number = clients_.size() + 1;
  deps.peer = "test";
  deps.protocol = "test";
  client->actor = runtime::spawn_pinned<session_actor, session_state>(
      system_.system(), nullptr, session_behavior, std::move(deps));
  clients_.push_back(std::move(client));
  return *clients_.back();
}

void cluster_fixture::close(test_client& client) {
  if (std::exchange(client.line->link, nullptr) != nullptr)
    client.send(core::close_session{});
}

void cluster_fixture::drop_clients(std::uint32_t at) {
  for (auto& client : clients_)
    if (client->node == at) {
      client->line->link = nullptr;
      caf::anon_send_exit(client->actor, caf::exit_reason::kill);
    }
}

actors::shard_answer cluster_fixture::ask_to_post(std::uint16_t group,
                                                  std::uint32_t at,
                                                  core::idempotency_key key) {
  const auto number = ++last_post_;
  send_post(number, {group, key, 0}, at);
  settle();
  const auto found = others_.find(number);
  return found == others_.end() ? actors::shard_answer{} : found->second;
}

void cluster_fixture::send_post(std::uint64_t number, const client_post& post,
                                std::uint32_t at) {
  if (at == 0 || !node(at).up)
    return;
  const auto& [group, key, padding] = post;
  core::append_message command;
  command.message.sender = "tester";
  command.message.payload = core::shared_bytes::copy_of(
      std::to_string(number) + " " + std::string(padding, 'x'));
  command.to.push_back({inbox_of(group).name, false, false, {}});
  shard_proposals batch;
  batch.from = client_;
  // The inbox first; that it is there already is no harm.
  batch.items.push_back(
      {last_post_ + 1'000'000,
       schema::encode(core::logged_shard_command{
           {},
           {},
           core::add_cursor{inbox_of(group), core::device_offset{}, {}}}),
       true, true});
  batch.items.push_back(
      {number,
       schema::encode(core::logged_shard_command{key, {}, std::move(command)}),
       true, true});
  caf::anon_send(node(at).context().shards[group - 1U], std::move(batch));
}

void cluster_fixture::collect_answers() {
  for (const auto& answer : std::exchange(answers_->answers, {})) {
    const auto at = under_way_.find(answer.ticket);
    if (at == under_way_.end()) {
      if (answer.ticket <= last_post_)
        others_[answer.ticket] = answer;
      continue;
    }
    const auto code = answer.outcome.failure.code;
    if (code != core::errc::ok && code != core::errc::duplicate)
      continue; // asked again by retry_posts()
    acknowledged_.insert(answer.ticket);
    under_way_.erase(at);
  }
}

void cluster_fixture::retry_posts() {
  for (const auto& [number, post] : under_way_)
    send_post(number, post, leader_of(post.group));
  settle();
}

test::memory_state_space::contents
cluster_fixture::exported(const test::memory_state_space& space) {
  auto all = space.all();
  all.erase(all.lower_bound("\xFF"), all.end());
  return all;
}

void cluster_fixture::expect_same_tables(
    const std::vector<std::uint32_t>& ids) {
  for (std::uint16_t g = 0; g <= settings_.shards; ++g)
    expect_same_tables_of(g, ids);
}

void cluster_fixture::expect_same_tables_of(
    std::uint16_t group, const std::vector<std::uint32_t>& ids) {
  const auto& first = *node(ids.front()).spaces[group];
  for (const auto id : ids)
    EXPECT_TRUE(exported(*node(id).spaces[group]) == exported(first))
        << "group " << group << " differs on node " << id;
  if (group == 0)
    return;
  const schema::stored_inboxes tables{*node(ids.front()).spaces[group]};
  std::map<std::uint64_t, int> seen;
  if (const auto head = tables.head(inbox_of(group)))
    tables.each_entry(
        head->number, head->first, [&](const core::inbox_entry& e) {
          const auto message = schema::decode_message(*tables.body(e.source),
                                                      core::group_id{group},
                                                      e.source, e.ordinal);
          ++seen[std::stoull(std::string{message->payload.text()})];
          return true;
        });
  for (const auto& [number, times] : seen)
    EXPECT_EQ(times, 1) << "post " << number << " in group " << group;
  for (const auto number : acknowledged_) {
    if (group_of_post_.at(number) != group)
      continue;
    EXPECT_EQ(seen.count(number), 1U)
        << "post " << number << " was acknowledged and is lost";
  }
}

} // namespace troupe::test_support
