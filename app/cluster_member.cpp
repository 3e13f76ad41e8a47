// SPDX-License-Identifier: Apache-2.0
#include "app/cluster_member.hpp"

#include "actors/links/link_network.hpp"
#include "actors/membership_actor.hpp"
#include "actors/messages.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/runtime/scheduler.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <cstring>
#include <future>
#include <utility>

namespace troupe::app {
namespace {

namespace links = actors::links;

/// Above the time that the directory has to answer.
constexpr std::chrono::seconds join_patience{13};

} // namespace

core::result<void> cluster_member::prepare(caf::actor_system_config& config,
                                           const cluster_options& options) {
  return links::enable_links(config, options.tls);
}

core::result<std::unique_ptr<cluster_member>>
cluster_member::open(const cluster_options& options, surroundings around) {
  links::link_options link;
  std::memcpy(link.cluster.data(), around.cluster.bytes.data(),
              link.cluster.size());
  link.self = around.self.id;
  link.secret = options.secret;
  link.listen = options.listen;
  link.advertise = options.advertise;
  link.join_timeout = join_patience;
  link.log = around.log;
  link.admit = [&context = around.context](const links::peer_identity& peer) {
    return actors::admit_peer(*context.directory, peer);
  };
  auto opened = links::node_links::open(around.system, std::move(link));
  if (!opened)
    return core::error{opened.error().code, "cluster.listen " + options.listen +
                                                ": " + opened.error().detail};
  std::unique_ptr<cluster_member> fresh{
      new cluster_member{std::move(around), std::move(*opened)}};
  auto& mine = fresh->around_;
  auto service = actors::snapshot_service::open(mine.files, mine.spool,
                                                mine.tables, mine.run, {});
  if (!service)
    return service.error();
  fresh->snapshots_ = std::move(*service);
  return fresh;
}

cluster_member::cluster_member(surroundings around,
                               std::unique_ptr<links::node_links> opened)
    : around_(std::move(around)), self_(around_.self),
      links_(std::move(opened)),
      relay_(*links_, actors::runtime::scheduler::of(around_.system)),
      transport_(*links_,
                 [this](core::group_id group, actors::group_frame frame) {
                   if (group.value() <= around_.context.options.shards)
                     around_.deliver(group, std::move(frame));
                 }),
      attachments_(std::make_shared<actors::linked_attachments>(
          around_.system, around_.context, *links_)),
      names_(around_.context, *links_),
      topics_(around_.system, around_.topics, *links_),
      keys_(around_.context, *links_) {
  self_.address = links_->advertised_address();
}

cluster_member::~cluster_member() { stop(); }

void cluster_member::start(std::vector<actors::known_peer> introduced) {
  auto& context = around_.context;
  auto& home = actors::runtime::scheduler::of(around_.system).at(0);
  context.membership_handle =
      actors::runtime::spawn_pinned<actors::membership_actor,
                                    actors::membership_state>(
          around_.system, &home, actors::membership_behavior,
          actors::membership_deps{&context, links_.get(), self_,
                                  std::move(introduced), around_.on_draining,
                                  around_.on_removed});
  links_->on_join([to = context.membership_handle](links::join_call call) {
    caf::anon_send(to, actors::join_asked{std::move(call)});
  });
  links_->on_message(links::kind::membership,
                     [&context](const links::received& message) {
                       actors::take_membership_word(context, message);
                     });
  links_->start();
}

void cluster_member::stop() {
  if (std::exchange(stopped_, true))
    return;
  attachments_->stop();
  topics_.stop();
  if (around_.context.membership_handle)
    caf::anon_send(around_.context.membership_handle, actors::retire{});
  around_.context.membership_handle = actors::membership_actor{};
  if (snapshots_)
    snapshots_->stop();
  relay_.close();
  links_->stop();
  pass_all_loops();
}

/// What the links had handed to a loop before they stopped is done.
void cluster_member::pass_all_loops() {
  auto& loops = actors::runtime::scheduler::of(around_.system);
  for (std::size_t i = 0; i < loops.size(); ++i) {
    std::promise<void> passed;
    loops.at(i).post([&passed] { passed.set_value(); });
    passed.get_future().wait();
  }
}

void cluster_member::balance_leaders() {
  auto& context = around_.context;
  context.balance_leaders_now(context.clock.now());
  for (const auto& peer : links_->peers())
    (void)links_->send(
        peer.node, links::kind::membership,
        static_cast<std::uint64_t>(actors::membership_word::balance_leaders),
        core::shared_bytes::copy_of(std::string_view{"\1"}));
}

cluster_member::group_part cluster_member::part_in(core::group_id group) const {
  const auto& context = around_.context;
  const auto role =
      context.views[group.value()].role.load(std::memory_order_relaxed);
  bool wanted = role != actors::replica_role::none;
  if (const auto placed = context.directory->placement(group))
    wanted =
        std::find(placed->begin(), placed->end(), self_.id) != placed->end();
  if (!wanted)
    return group_part::none;
  if (context.leader_of(group) == core::node_id{})
    return group_part::leaderless;
  // Of the directory a node may stay a learner.
  const bool there = group == core::directory_group
                         ? role != actors::replica_role::none
                         : role == actors::replica_role::voter;
  return there ? group_part::kept : group_part::behind;
}

void cluster_member::add_not_ready(std::vector<std::string>& reasons) const {
  const auto& context = around_.context;
  const auto record = context.directory->find_node(self_.id);
  if (!record || record->state == core::node_state::joining)
    reasons.emplace_back("joining: not yet a member of the cluster");
  else if (record->state == core::node_state::draining)
    reasons.emplace_back("draining: its part goes to other nodes");
  else if (record->state == core::node_state::absent)
    reasons.emplace_back("absent: it was gone for long and catches up");
  else if (record->state == core::node_state::removed)
    reasons.emplace_back("removed from the cluster");
  std::size_t leaderless = 0;
  std::size_t behind = 0;
  for (std::uint16_t g = 0; g <= context.options.shards; ++g) {
    const auto part = part_in(core::group_id{g});
    leaderless += part == group_part::leaderless ? 1U : 0U;
    behind += part == group_part::behind ? 1U : 0U;
  }
  if (leaderless > 0)
    reasons.push_back("no leader for " + std::to_string(leaderless) +
                      (leaderless == 1 ? " group" : " groups"));
  if (behind > 0)
    reasons.push_back("catching up: " + std::to_string(behind) +
                      (behind == 1 ? " group" : " groups"));
}

} // namespace troupe::app
