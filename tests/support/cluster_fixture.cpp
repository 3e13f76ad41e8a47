// SPDX-License-Identifier: Apache-2.0
#include "tests/support/cluster_fixture.hpp"

#include "actors/courier_actor.hpp"
#include "actors/directory_actor.hpp"
#include "actors/names/client_desk.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/shard_actor.hpp"
#include "schema/command_wire.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <utility>

namespace troupe::test_support {

using namespace actors; // NOLINT: a test's own words are few

namespace {

constexpr core::milliseconds step{10};

} // namespace

core::result<core::log_index>
cluster_node::export_group(core::group_id group,
                           const storage::snapshot_spool::row_visitor& visit) {
  const auto& space = *spaces[group.value()];
  for (const auto& [key, value] : space.all())
    if (!visit({key, value.view()}))
      break;
  return space.applied();
}

core::result<void>
cluster_node::import_group(core::group_id group, core::log_index applied,
                           const storage::state_store::row_supply& next) {
  test::memory_state_space::contents fresh;
  storage::snapshot_spool::row row;
  for (;;) {
    const auto more = next(row);
    if (!more)
      return more.error();
    if (!*more)
      break;
    fresh.insert_or_assign(std::string{row.first},
                           core::shared_bytes::copy_of(row.second));
  }
  spaces[group.value()]->replace(std::move(fresh), applied);
  on_import();
  return {};
}

cluster_fixture::cluster_fixture(std::uint64_t seed) : network_(seed) {
  network_.deliver = [this](core::node_id to, core::group_id group,
                            group_frame frame) {
    auto& at = node(to.value());
    if (!at.up)
      return;
    if (group == core::directory_group)
      caf::anon_send(at.context().directory_handle, std::move(frame));
    else
      caf::anon_send(at.context().shard(group), std::move(frame));
  };
  // With an argument: without one CAF 0.17 binds a reference to null.
  using answers_box = decltype(answers_);
  client_ = system_.system().spawn(
      [](answers_box box) -> shard_client::behavior_type {
        return {[box](shard_answers& m) {
          for (auto& a : m.items)
            box->answers.push_back(std::move(a));
        }};
      },
      answers_);
  directory_client_ = system_.system().spawn(
      [](answers_box box) -> directory_client::behavior_type {
        return {[box](directory_answers& m) {
          for (auto& a : m.items)
            box->directory.push_back(std::move(a));
        }};
      },
      answers_);
}

cluster_fixture::~cluster_fixture() {
  for (auto& client : clients_)
    caf::anon_send_exit(client->actor, caf::exit_reason::kill);
  clients_.clear();
  for (auto& node : nodes_)
    if (node->up)
      kill(*node);
  caf::anon_send_exit(client_, caf::exit_reason::kill);
  caf::anon_send_exit(directory_client_, caf::exit_reason::kill);
  client_ = shard_client{};
  directory_client_ = directory_client{};
  // What inboxes keep for a while has an end before the clock has.
  system_.advance(core::milliseconds{4'000});
  EXPECT_TRUE(system_.errors().empty()) << system_.errors().front();
}

void cluster_fixture::start(settings with) {
  settings_ = std::move(with);
  for (std::uint32_t id = 1; id <= settings_.nodes; ++id)
    start_node(make_node());
  settle();
}

std::uint32_t cluster_fixture::make_node() {
  nodes_.push_back(std::make_unique<cluster_node>());
  auto& fresh = *nodes_.back();
  const auto id = static_cast<std::uint32_t>(nodes_.size());
  fresh.id = core::node_id{id};
  fresh.log.on_durable = [&fresh](core::group_id group, std::uint64_t write) {
    if (group == core::directory_group)
      caf::anon_send(fresh.context().directory_handle, log_persisted{write});
    else
      caf::anon_send(fresh.context().shard(group), log_persisted{write});
  };
  wipe(id);
  return id;
}

std::uint32_t cluster_fixture::add_node() {
  const auto id = make_node();
  const auto name = "node-" + std::to_string(id);
  const auto done =
      change_cluster(core::admit_node{"token of " + name, name, name, 1, {}});
  EXPECT_EQ(done.failure.code, core::errc::ok);
  EXPECT_EQ(done.node, core::node_id{id});
  start_node(id);
  return id;
}

core::directory_outcome
cluster_fixture::change_cluster(core::cluster_command change) {
  const auto ticket = ++last_change_;
  const core::logged_directory_command command{
      {99, ticket}, {}, core::change_cluster{std::move(change)}};
  core::directory_outcome outcome;
  const bool answered = wait_until([&] {
    if (const auto leader = leader_of(0); leader != 0) {
      directory_proposals batch;
      batch.from = directory_client_;
      batch.items.push_back({ticket, schema::encode(command), true});
      caf::anon_send(node(leader).context().directory_handle, std::move(batch));
      settle();
    }
    for (auto& answer : std::exchange(answers_->directory, {}))
      if (answer.ticket == ticket &&
          answer.outcome.failure.code != core::errc::not_leader &&
          answer.outcome.failure.code != core::errc::unavailable) {
        outcome = std::move(answer.outcome);
        return true;
      }
    return false;
  });
  EXPECT_TRUE(answered);
  return outcome;
}

bool cluster_fixture::stop(std::uint32_t id) {
  auto& at = node(id);
  std::set<core::group_id> retired;
  at.context().on_retired = [&retired](core::group_id group) {
    retired.insert(group);
  };
  caf::anon_send(at.context().directory_handle, retire{});
  for (const auto& shard : at.context().shards)
    caf::anon_send(shard, retire{});
  const bool done =
      wait_until([&] { return retired.size() == settings_.shards + 1U; },
                 core::milliseconds{10'000});
  for (auto& space : at.spaces)
    space->commit();
  kill(at);
  return done;
}

std::set<std::uint32_t> cluster_fixture::voters_of(std::uint16_t group) {
  const auto leader = leader_of(group);
  if (leader == 0)
    return {};
  const auto text = inspect(leader, group);
  std::set<std::uint32_t> found;
  const std::string key = "\"voters\":[";
  auto at = text.find(key) + key.size();
  while (text[at] != ']') {
    std::size_t digits = 0;
    found.insert(
        static_cast<std::uint32_t>(std::stoul(text.substr(at), &digits)));
    at += digits;
    if (text[at] == ',')
      ++at;
  }
  return found;
}

bool cluster_fixture::wait_for_voters(std::size_t shards,
                                      std::size_t directory) {
  return wait_until(
      [&] {
        for (std::uint16_t g = 0; g <= settings_.shards; ++g)
          if (voters_of(g).size() != (g == 0 ? directory : shards))
            return false;
        return true;
      },
      core::milliseconds{60'000});
}

void cluster_fixture::wipe(std::uint32_t id) {
  auto& at = node(id);
  auto on_durable = std::move(at.log.on_durable);
  at.log = instant_log{};
  at.log.on_durable = std::move(on_durable);
  at.spaces.clear();
  for (unsigned g = 0; g <= settings_.shards; ++g)
    at.spaces.push_back(std::make_unique<test::memory_state_space>());
  at.tables = std::make_unique<schema::stored_directory>(*at.spaces[0]);
  at.directory = std::make_unique<core::directory>(*at.tables, &at.routes);
}

void cluster_fixture::start_node(std::uint32_t id) {
  auto& at = node(id);
  broker_options options;
  options.shards = settings_.shards;
  options.clustered = true;
  if (settings_.adjust)
    settings_.adjust(options);
  at.contexts.push_back(
      std::make_unique<broker_context>(system_.clock(), options, 1));
  at.context().directory = at.directory.get();
  open_snapshots(at);
  const auto deps_of = [&](core::group_id group) {
    group_deps all;
    all.transport = &network_.port(at.id);
    all.snapshots = at.lives.back().storage.get();
    auto& deps = all.replica;
    if (id <= settings_.founders) {
      deps.founding.emplace();
      for (std::uint32_t i = 1; i <= settings_.founders; ++i)
        deps.founding->voters.emplace_back(i);
    }
    deps.group = group;
    deps.self = at.id;
    deps.raft = settings_.raft;
    deps.clock = &system_.clock();
    deps.log = &at.log;
    deps.space = at.spaces[group.value()].get();
    deps.recovered = at.log.recover(group);
    deps.seed = 100'000 * settings_.seed + 1000 * at.contexts.size() +
                100 * id + group.value();
    return all;
  };
  // Over real links only in links_test.
  at.tables_of_sessions.push_back(std::make_unique<attachment_table>(
      system_.system(), at.context(), links_.start(at.id)));
  at.context().attachments = at.tables_of_sessions.back().get();
  at.context().names = &links_.names_of(at.id);
  links_.serve(at.id, &at.context());
  at.up = true;
  at.context().directory_handle =
      runtime::spawn_pinned<directory_actor, directory_state>(
          system_.system(), nullptr, directory_behavior,
          directory_deps{&at.context(), deps_of(core::directory_group),
                         at.tables.get(), identity_of(at), &at.routes});
  at.context().couriers.push_back(
      runtime::spawn_pinned<courier_actor, courier_state>(
          system_.system(), nullptr, courier_behavior,
          courier_deps{&at.context(), 0}));
  at.context().desks.push_back(
      runtime::spawn_pinned<desk_actor, names::desk_state>(
          system_.system(), nullptr, names::desk_behavior,
          names::desk_deps{&at.context(), at.id, 0}));
  for (std::uint16_t i = 1; i <= settings_.shards; ++i)
    at.context().shards.push_back(
        runtime::spawn_pinned<shard_actor, shard_state>(
            system_.system(), nullptr, shard_behavior,
            shard_deps{&at.context(), deps_of(core::group_id{i})}));
}

void cluster_fixture::open_snapshots(cluster_node& at) {
  auto& life = at.lives.emplace_back();
  life.spool = std::move(*storage::snapshot_spool::open(
      storage::posix_file_system(), at.folder.path() / "spool"));
  life.storage = std::make_unique<snapshot_storage>(
      *life.spool, at,
      [&at](std::function<void()> work) {
        at.work.push_back(std::move(work));
        return true;
      },
      [&at](core::group_id group, std::function<void()> run) {
        group_task task{std::move(run)};
        if (group == core::directory_group)
          caf::anon_send(at.context().directory_handle, std::move(task));
        else
          caf::anon_send(at.context().shard(group), std::move(task));
      },
      snapshot_storage::limits{});
}

std::size_t cluster_fixture::work_disks() {
  std::size_t done = 0;
  for (auto& at : nodes_)
    for (; at->up && disks_work_ && !at->work.empty(); ++done) {
      auto work = std::move(at->work.front());
      at->work.pop_front();
      work();
    }
  return done;
}

std::optional<node_identity>
cluster_fixture::identity_of(const cluster_node& at) const {
  if (!settings_.stewards)
    return std::nullopt;
  const auto name = "node-" + std::to_string(at.id.value());
  return node_identity{at.id, "token of " + name, name, name, 1};
}

void cluster_fixture::kill(cluster_node& at) {
  at.up = false;
  at.work.clear();
  drop_clients(at.id.value());
  links_.crash(at.id);
  at.context().attachments->close();
  caf::anon_send_exit(at.context().directory_handle, caf::exit_reason::kill);
  for (const auto& shard : at.context().shards)
    caf::anon_send_exit(shard, caf::exit_reason::kill);
  for (const auto& courier : at.context().couriers)
    caf::anon_send_exit(courier, caf::exit_reason::kill);
  at.context().couriers.clear();
  for (const auto& desk : at.context().desks)
    caf::anon_send_exit(desk, caf::exit_reason::kill);
  at.context().desks.clear();
  at.context().directory_handle = directory_actor{};
  at.context().shards.clear();
  system_.run();
  at.work.clear();
}

void cluster_fixture::crash(std::uint32_t id) {
  auto& at = node(id);
  at.log.crash();
  kill(at);
  at.log.crash();
  for (auto& space : at.spaces)
    space->lose_uncommitted();
}

// ---------------------------------------------------------------------- time

void cluster_fixture::settle() {
  for (bool more = true; more;) {
    more = system_.run() > 0;
    for (auto& at : nodes_)
      if (at->up)
        more = at->log.flush() > 0 || more;
    more = work_disks() > 0 || more;
    more = network_.step(system_.clock().now()) > 0 || more;
    more = links_.step(system_.clock().now()) > 0 || more;
  }
  collect_answers();
}

void cluster_fixture::commit_tables() {
  for (auto& at : nodes_) {
    if (!at->up)
      continue;
    for (std::uint16_t g = 0; g <= settings_.shards; ++g) {
      auto& space = *at->spaces[g];
      space.commit();
      const state_committed news{space.applied()};
      if (g == 0)
        caf::anon_send(at->context().directory_handle, news);
      else
        caf::anon_send(at->context().shards[g - 1U], news);
    }
  }
}

void cluster_fixture::advance(core::milliseconds by) {
  settle();
  for (; by.count() > 0; by -= step) {
    system_.advance(std::min(by, step));
    since_commit_ += step;
    settle();
    if (since_commit_ >= settings_.commit_interval) {
      since_commit_ = {};
      commit_tables();
      settle();
    }
  }
}

bool cluster_fixture::wait_until(const std::function<bool()>& condition,
                                 core::milliseconds limit) {
  settle();
  for (; limit.count() > 0; limit -= step) {
    if (condition())
      return true;
    advance(step);
  }
  return condition();
}

// ------------------------------------------------------------------- looking

std::string cluster_fixture::inspect(std::uint32_t id, std::uint16_t group) {
  auto& context = node(id).context();
  const auto text = group == 0
                        ? system_.ask<std::string>(context.directory_handle,
                                                   actors::inspect{})
                        : system_.ask<std::string>(context.shards[group - 1U],
                                                   actors::inspect{});
  return text ? *text : "error: " + system_.system().render(text.error());
}

std::uint32_t cluster_fixture::leader_of(std::uint16_t group) {
  std::uint32_t found = 0;
  for (auto& at : nodes_) {
    if (!at->up || inspect(at->id.value(), group).find("\"ready\":true") ==
                       std::string::npos)
      continue;
    if (found != 0)
      return 0;
    found = at->id.value();
  }
  return found;
}

bool cluster_fixture::wait_for_leaders() {
  return wait_until([this] {
    for (std::uint16_t g = 0; g <= settings_.shards; ++g)
      if (leader_of(g) == 0)
        return false;
    return true;
  });
}

} // namespace troupe::test_support
