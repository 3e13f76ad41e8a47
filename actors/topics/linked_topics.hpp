// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/node_links.hpp"
#include "actors/topics/topic_router.hpp"
#include "cluster/interest_receiver.hpp"
#include "cluster/interest_sender.hpp"
#include "core/ids.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace troupe::actors::topics {

struct linked_topics_options {
  /// How often what a peer knows is compared with what it was told.
  std::chrono::milliseconds digest_interval{10'000};
  /// A table that was asked for and has not begun is asked for again.
  std::chrono::milliseconds ask_interval{1'000};
  /// settle() waits for peers so long.
  std::chrono::milliseconds settle_patience{2'000};
  cluster::interest_sender::options sender;
};

/// What this node and one linked other know of each other; a moment's view.
struct peer_interest {
  core::node_id node;
  bool told = false;     ///< it has been sent all that is held here
  bool known = false;    ///< all that it wants is known here
  bool gets_all = false; ///< it has more filters than may be kept
  std::uint64_t filters = 0;
  std::uint64_t changes_waiting = 0; ///< for room in the link
  cluster::interest_sender::counters sent;
  cluster::interest_receiver::counters received;
};

/// Sums over all peers since the node's start.
struct exchange_stats {
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_put_off = 0; ///< for room in the link
  std::uint64_t tables_begun = 0;
  std::uint64_t table_restarts = 0;
  std::uint64_t settled = 0;   ///< rounds of settle()
  std::uint64_t unsettled = 0; ///< of those: some peer had not answered
  cluster::interest_receiver::counters received;
};

/// Publications and the nodes' interest in topics, over the links: who tells
/// what is a sender and a receiver a peer (cluster/interest_sender.hpp), all
/// on one loop. Owned by the node beside the links; destroyed after the actor
/// system.
class linked_topics final : public publish_transport {
public:
  /// Registers for its kinds and for peers: before links.start(). All of them
  /// outlive this, but `system` and `links` only have to until stop().
  linked_topics(caf::actor_system& system, std::shared_ptr<topic_router> router,
                links::node_links& links, linked_topics_options options = {});
  ~linked_topics() override;
  linked_topics(const linked_topics&) = delete;
  linked_topics& operator=(const linked_topics&) = delete;

  /// Nothing goes to other nodes any more. The links are stopped after this,
  /// and destroyed when all loops have gone round.
  void stop();

  /// Any thread.
  [[nodiscard]] std::vector<peer_interest> peers() const;
  [[nodiscard]] exchange_stats stats() const;

  /// Calls `done` when all linked nodes know what is held here now, so that
  /// what they publish from then on comes here; or after a while, with false.
  /// Many at once share a round. Any thread; `done` runs on a loop, or never if
  /// this is stopped meanwhile.
  void settle(std::function<void(bool)> done);

  core::result<void> send(core::node_id to, std::uint64_t key,
                          core::shared_bytes frame) override;

private:
  class exchange;

  const std::shared_ptr<topic_router> router_;
  links::node_links& links_;
  std::shared_ptr<exchange> exchange_;
};

} // namespace troupe::actors::topics
