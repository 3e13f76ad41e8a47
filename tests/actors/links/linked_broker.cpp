// SPDX-License-Identifier: Apache-2.0
#include "tests/actors/links/linked_broker.hpp"

#include "actors/directory_actor.hpp"
#include "actors/links/link_network.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/runtime/scheduler.hpp"
#include "actors/shard_actor.hpp"
#include "tests/actors/links/link_node.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <thread>
#include <utility>

namespace troupe::test_support {

using namespace actors; // NOLINT: a test's own words are few

linked_broker::linked_broker(std::uint32_t id, std::filesystem::path folder)
    : id_(id), folder_(std::move(folder)) {
  cluster_.bytes.fill(9);
  open_storage();
  open_actors();
}

void linked_broker::open_storage() {
  storage::state_options state;
  state.folder = folder_ / "state";
  state.cluster = cluster_;
  state.groups = shards + 1;
  state.map_bytes = std::size_t{1} << 32U;
  state.reserve_bytes = 0;
  state.on_commit = [this](auto points) {
    if (started_.load())
      for (const auto& point : points)
        tell(point.group, state_committed{point.applied});
  };
  auto opened = storage::state_store::open(std::move(state));
  ASSERT_TRUE(opened) << core::to_string(opened.error());
  state_ = std::move(*opened);
  storage::log_options log;
  log.folder = folder_ / "log";
  log.cluster = cluster_;
  log.segment_bytes = std::size_t{16} << 20U;
  log.reserve_bytes = 0;
  log.on_durable = [this](auto batch) {
    while (!started_.load())
      std::this_thread::yield();
    std::map<core::group_id, std::uint64_t> last;
    for (const auto& done : batch)
      last[done.group] = done.token;
    for (const auto& [group, token] : last)
      tell(group, log_persisted{token});
  };
  auto begun = storage::log_store::open(storage::posix_file_system(), log);
  ASSERT_TRUE(begun) << core::to_string(begun.error());
  log_ = std::move(begun->store);
  recovered_ = std::move(begun->groups);
  replica_log_ = std::make_unique<stored_log>(
      *log_, tables_pressure{[] { return false; }, [] { return false; }});
  tables_ = std::make_unique<schema::stored_directory>(
      state_->space(core::directory_group));
  directory_ = std::make_unique<core::directory>(*tables_);
}

group_deps linked_broker::deps_of(core::group_id group) {
  group_deps all;
  all.transport = transport_.get();
  all.snapshots = &snapshots_->storage();
  auto& deps = all.replica;
  deps.group = group;
  deps.self = id();
  if (id_ == 1)
    deps.founding = {{id()}, {}};
  deps.raft.keep_entries = 100;
  deps.clock = &clock_;
  deps.command_bytes_max = std::size_t{2} << 20U;
  deps.log = replica_log_.get();
  deps.space = &state_->space(group);
  deps.recovered.group = group;
  for (auto& found : recovered_)
    if (found.group == group)
      deps.recovered = std::move(found);
  return all;
}

void linked_broker::open_actors() {
  runtime::runtime_options runtime;
  runtime.loops = 2;
  config_ = std::make_unique<runtime::runtime_config>(runtime);
  ASSERT_TRUE(links::enable_links(*config_, {}));
  broker_options options;
  options.shards = shards;
  options.clustered = true;
  // An inbox whose shard was killed ends with its timer.
  options.passivate_after = core::milliseconds{500};
  context_ = std::make_unique<broker_context>(clock_, options, runtime.loops);
  context_->directory = directory_.get();
  system_ = std::make_unique<caf::actor_system>(*config_);

  links::link_options link;
  link.cluster.fill(std::byte{9});
  link.self = id();
  link.secret = "a secret of the tests";
  link.listen = "127.0.0.1:0";
  auto opened = links::node_links::open(*system_, std::move(link));
  ASSERT_TRUE(opened) << core::to_string(opened.error());
  links_ = std::move(*opened);
  transport_ = std::make_unique<linked_groups>(
      *links_, [this](core::group_id group, group_frame frame) {
        if (started_.load() && group.value() <= shards)
          tell(group, std::move(frame));
      });
  attachments_ =
      std::make_unique<linked_attachments>(*system_, *context_, *links_);
  auto service = snapshot_service::open(
      storage::posix_file_system(), folder_ / "spool", *state_,
      [this](core::group_id group, std::function<void()> run) {
        while (!started_.load())
          std::this_thread::yield();
        tell(group, group_task{std::move(run)});
      },
      {});
  ASSERT_TRUE(service) << core::to_string(service.error());
  snapshots_ = std::move(*service);

  auto& loops = runtime::scheduler::of(*system_);
  const auto name = "node-" + std::to_string(id_);
  context_->directory_handle =
      runtime::spawn_pinned<directory_actor, directory_state>(
          *system_, &loops.at(0), directory_behavior,
          directory_deps{context_.get(), deps_of(core::directory_group),
                         tables_.get(),
                         node_identity{id(), "token of " + name, name,
                                       links_->listen_address(), 1}});
  for (std::uint16_t i = 1; i <= shards; ++i)
    context_->shards.push_back(runtime::spawn_pinned<shard_actor, shard_state>(
        *system_, &loops.at(i % 2U), shard_behavior,
        shard_deps{context_.get(), deps_of(core::group_id{i})}));
  started_.store(true);
  links_->start();
}

linked_broker::~linked_broker() {
  links_->stop();
  for (const auto& client : clients_)
    caf::anon_send_exit(client->actor, caf::exit_reason::kill);
  attachments_->stop();
  // Sessions look at the handles that are let go below.
  EXPECT_TRUE(
      eventually([&] { return context_->stats.sessions_open.load() == 0; }));
  snapshots_->stop();
  end_groups();
  // The log's thread still tells of writes: it ends before the handles do.
  log_.reset();
  state_->close();
  context_->directory_handle = directory_actor{};
  context_->shards.clear();
  for (const auto& client : clients_)
    client->actor = session_actor{};
  links_.reset();
  system_.reset();
}

/// A kill is not heard in the middle of a message, which may write.
void linked_broker::end_groups() {
  std::vector<caf::strong_actor_ptr> all;
  all.push_back(
      caf::actor_cast<caf::strong_actor_ptr>(context_->directory_handle));
  for (const auto& shard : context_->shards)
    all.push_back(caf::actor_cast<caf::strong_actor_ptr>(shard));
  for (const auto& each : all)
    caf::anon_send_exit(each, caf::exit_reason::kill);
  caf::scoped_actor self{*system_};
  self->wait_for(all);
}

template <class Message>
void linked_broker::tell(core::group_id group, Message message) {
  if (group == core::directory_group)
    caf::anon_send(context_->directory_handle, std::move(message));
  else
    caf::anon_send(context_->shard(group), std::move(message));
}

std::shared_ptr<linked_client> linked_broker::connect() {
  auto client = std::make_shared<linked_client>();
  session_deps deps;
  deps.context = context_.get();
  deps.line = std::make_shared<session_line>();
  deps.line->link = client.get();
  deps.number = clients_.size() + 1;
  deps.peer = "test";
  deps.protocol = "test";
  auto& loops = runtime::scheduler::of(*system_);
  client->actor = runtime::spawn_pinned<session_actor, session_state>(
      *system_, &loops.at(clients_.size() % 2U), session_behavior,
      std::move(deps));
  clients_.push_back(client);
  return client;
}

void linked_client::tell(core::session_command command) {
  caf::anon_send(actor, session_commands{{std::move(command)}});
}

std::vector<std::string> linked_client::texts() const {
  std::vector<std::string> found;
  for (const auto& each : all<core::delivery>())
    found.emplace_back(each.message->payload.text());
  return found;
}

void linked_broker::meet(linked_broker& other) {
  links_->set_peer(other.id(), {other.links_->listen_address()});
  other.links_->set_peer(id(), {links_->listen_address()});
}

std::string linked_broker::inspect(std::uint16_t group) {
  caf::scoped_actor self{*system_};
  std::string text;
  const auto got = [&](std::string& answer) { text = std::move(answer); };
  const auto failed = [](const caf::error&) {};
  if (group == 0)
    self->request(context_->directory_handle, std::chrono::seconds{5},
                  actors::inspect{})
        .receive(got, failed);
  else
    self->request(context_->shards[group - 1U], std::chrono::seconds{5},
                  actors::inspect{})
        .receive(got, failed);
  return text;
}

} // namespace troupe::test_support
