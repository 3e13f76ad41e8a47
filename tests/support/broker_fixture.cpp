// SPDX-License-Identifier: Apache-2.0
#include "tests/support/broker_fixture.hpp"

#include "actors/admin_operations.hpp"
#include "actors/courier_actor.hpp"
#include "actors/directory_actor.hpp"
#include "actors/names/client_desk.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/shard_actor.hpp"

#include <algorithm>
#include <utility>

namespace troupe::test_support {

using namespace actors; // NOLINT: a test's own words are few

broker_fixture::broker_fixture() {
  log_.on_durable = [this](core::group_id group, std::uint64_t write) {
    if (group == core::directory_group)
      caf::anon_send(context().directory_handle, log_persisted{write});
    else
      caf::anon_send(context().shard(group), log_persisted{write});
  };
}

broker_fixture::~broker_fixture() {
  stop();
  EXPECT_TRUE(system_.errors().empty()) << system_.errors().front();
}

void broker_fixture::start(const settings& with) {
  broker_options options;
  options.shards = with.shards;
  options.passivate_after = with.passivate_after;
  options.request_timeout = with.request_timeout;
  options.session_requests_max = with.session_requests_max;
  options.inbox = with.inbox;
  options.queueing_max = with.queueing_max;
  options.queueing_bytes_max = with.queueing_bytes_max;
  while (spaces_.size() < with.shards + 1U)
    spaces_.push_back(std::make_unique<test::memory_state_space>());
  if (!tables_) {
    tables_ = std::make_unique<schema::stored_directory>(*spaces_[0]);
    directory_ = std::make_unique<core::directory>(*tables_, &routes_);
  }
  contexts_.push_back(
      std::make_unique<broker_context>(system_.clock(), options, 1));
  context().directory = directory_.get();
  context().on_retired = [this](core::group_id g) { retired_.push_back(g); };
  const auto deps_of = [this](core::group_id group) {
    group_deps all;
    auto& deps = all.replica;
    deps.founding = {{core::node_id{1}}, {}};
    deps.group = group;
    deps.self = core::node_id{1};
    deps.clock = &system_.clock();
    deps.log = &log_;
    deps.space = spaces_[group.value()].get();
    deps.recovered = log_.recover(group);
    return all;
  };
  context().directory_handle =
      runtime::spawn_pinned<directory_actor, directory_state>(
          system_.system(), nullptr, directory_behavior,
          directory_deps{&context(), deps_of(core::directory_group),
                         tables_.get(), std::nullopt, &routes_});
  context().couriers.push_back(
      runtime::spawn_pinned<courier_actor, courier_state>(
          system_.system(), nullptr, courier_behavior,
          courier_deps{&context(), 0}));
  context().desks.push_back(
      runtime::spawn_pinned<desk_actor, names::desk_state>(
          system_.system(), nullptr, names::desk_behavior,
          names::desk_deps{&context(), {}, 0}));
  for (std::uint16_t i = 1; i <= with.shards; ++i)
    context().shards.push_back(runtime::spawn_pinned<shard_actor, shard_state>(
        system_.system(), nullptr, shard_behavior,
        shard_deps{&context(), deps_of(core::group_id{i})}));
  operator_ = runtime::spawn_pinned<operator_actor, operator_state>(
      system_.system(), nullptr, operator_behavior,
      operator_deps{&context(), "default"});
  settle();
}

void broker_fixture::stop() {
  if (contexts_.empty() || !context().directory_handle)
    return;
  log_.full = log_.stuck = false;
  for (auto& client : clients_)
    close(*client);
  caf::anon_send(context().directory_handle, retire{});
  for (const auto& shard : context().shards)
    caf::anon_send(shard, retire{});
  advance(core::milliseconds{1000});
  kill_all(); // a test that fails must not leave an actor with a timer
  forget_handles();
}

void broker_fixture::kill_all() {
  for (auto& client : clients_)
    caf::anon_send_exit(client->actor, caf::exit_reason::kill);
  caf::anon_send_exit(context().directory_handle, caf::exit_reason::kill);
  for (const auto& shard : context().shards)
    caf::anon_send_exit(shard, caf::exit_reason::kill);
}

void broker_fixture::crash() {
  log_.crash();
  kill_all();
  forget_handles();
  log_.crash();
}

void broker_fixture::forget_handles() {
  caf::anon_send(operator_, retire{});
  operator_ = operator_actor{};
  for (const auto& courier : context().couriers)
    caf::anon_send(courier, retire{});
  context().couriers.clear();
  for (const auto& desk : context().desks)
    caf::anon_send(desk, retire{});
  context().desks.clear();
  clients_.clear();
  system_.run();
  context().shards.clear();
  context().directory_handle = directory_actor{};
  system_.run();
}

void broker_fixture::settle() {
  do
    system_.run();
  while (log_.flush() > 0);
}

void broker_fixture::advance(core::milliseconds by) {
  constexpr core::milliseconds step{10};
  settle();
  for (; by.count() > 0; by -= step) {
    system_.advance(std::min(by, step));
    settle();
  }
}

test_client& broker_fixture::connect() {
  auto client = std::make_unique<test_client>();
  client->line = std::make_shared<session_line>();
  client->line->link = &client->link;
  session_deps deps;
  deps.context = &context();
  deps.line = client->line;
  deps.number = ++sessions_;
  deps.peer = "test";
  deps.protocol = "test";
  client->actor = runtime::spawn_pinned<session_actor, session_state>(
      system_.system(), nullptr, session_behavior, std::move(deps));
  clients_.push_back(std::move(client));
  return *clients_.back();
}

void broker_fixture::close(test_client& client) {
  if (!std::exchange(client.line->link, nullptr))
    return;
  client.send(core::close_session{});
}

void broker_fixture::add_user(const std::string& uid, const std::string& device,
                              std::vector<std::string> aliases) {
  auto& client = connect();
  client.send(core::register_user{0, uid, device, std::move(aliases)});
  settle();
  ASSERT_EQ(client.link.count<core::user_registered>(), 1u);
  ASSERT_EQ(client.link.last<core::user_registered>().failure.code,
            core::errc::ok);
  close(client);
  settle();
}

void broker_fixture::add_device(const std::string& uid,
                                const std::string& device,
                                const std::string& previous) {
  auto& client = connect();
  client.send(core::add_device{0, uid, device, previous});
  settle();
  ASSERT_EQ(client.link.count<core::device_added>(), 1u);
  ASSERT_EQ(client.link.last<core::device_added>().failure.code,
            core::errc::ok);
  close(client);
  settle();
}

test_client& broker_fixture::login(const std::string& uid,
                                   const std::string& device,
                                   std::uint32_t window,
                                   std::optional<std::uint64_t> resume_from) {
  auto& client = connect();
  core::login command{0, uid, device, window, {}};
  if (resume_from)
    command.resume_from = core::inbox_position{*resume_from};
  client.send(std::move(command));
  settle();
  EXPECT_EQ(client.link.count<core::logged_in>(), 1u);
  EXPECT_EQ(client.link.last<core::logged_in>().failure.code, core::errc::ok)
      << core::to_string(client.link.last<core::logged_in>().failure);
  return client;
}

core::request_number broker_fixture::ask_post(test_client& from,
                                              std::vector<core::recipient> to,
                                              const std::string& text) {
  core::post command;
  command.to = std::move(to);
  command.message.payload = core::shared_bytes::copy_of(text);
  return from.send(std::move(command));
}

core::posted broker_fixture::post(test_client& from,
                                  std::vector<core::recipient> to,
                                  const std::string& text) {
  const auto number = ask_post(from, std::move(to), text);
  settle();
  auto answer = from.link.last<core::posted>();
  EXPECT_EQ(answer.request, number);
  EXPECT_TRUE(answer.accepted);
  EXPECT_TRUE(answer.failures.empty());
  return answer;
}

void broker_fixture::order(std::function<void(operator_state&)> work) {
  caf::anon_send(operator_, operator_order{std::move(work)});
  settle();
}

core::error broker_fixture::remove_user(const std::string& uid) {
  core::error result{core::errc::timed_out, "no answer"};
  order([&](operator_state& op) {
    op.run(std::make_unique<remove_user_operation>(
        uid, [&](core::error why) { result = std::move(why); }));
  });
  return result;
}

std::size_t broker_fixture::actors_of(std::string_view kind) {
  std::size_t count = 0;
  runtime::actor_query query;
  query.entries_max = 10'000;
  for (;;) {
    const auto page = system_.registry().page(query);
    for (const auto& actor : page.actors)
      count += actor.kind == kind ? 1 : 0;
    if (!page.next)
      return count;
    query.from = *page.next;
  }
}

std::string broker_fixture::inspect_inbox(const std::string& uid) {
  const auto text = system_.ask<std::string>(
      context().shard(group_of(uid)), actors::inspect_inbox{inbox_of(uid)});
  return text ? *text : "error: " + system_.system().render(text.error());
}

} // namespace troupe::test_support
