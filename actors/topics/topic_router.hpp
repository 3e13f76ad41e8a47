// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/channels/channel_host.hpp"
#include "actors/channels/loop_channels.hpp"
#include "actors/runtime/hub.hpp"
#include "actors/runtime/loop.hpp"
#include "actors/runtime/scheduler.hpp"
#include "actors/topics/publication_wire.hpp"
#include "actors/topics/share_turns.hpp"
#include "cluster/interest_board.hpp"
#include "core/ids.hpp"
#include "core/listener_about.hpp"
#include "core/listener_fate.hpp"
#include "core/publication.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"
#include "core/topic_filter.hpp"

#include <caf/fwd.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The ephemeral plane: what is published goes to who listens just now, on all
/// nodes, and is gone.
namespace troupe::actors::topics {

/// Gets publications on the loop on which it subscribed, in a turn's end.
class topic_subscriber {
public:
  /// Once for each subscription that matches; those of one publication come in
  /// a row, with the same pointer. `tag` is the subscription's. May subscribe,
  /// publish, and end subscriptions, also the one it is called for.
  virtual void deliver(const core::publication_ptr& what,
                       std::uint64_t tag) = 0;
  /// Says, without doing it, what deliver() would do with one that is not
  /// made. Of the filter and share at which `to` is.
  virtual void foretell(const core::publication_ptr&, std::uint64_t,
                        core::fate_list& to) {
    to.add({});
  }

protected:
  ~topic_subscriber() = default;
};

struct subscribe_options {
  /// Not what the subscriber itself has published, as `publisher`.
  bool no_local = false;
  std::uint64_t publisher = 0;
  std::uint64_t tag = 0;
  /// All subscriptions on all nodes to the same filter with the same share,
  /// which is not "", are one: each publication goes to one of them.
  std::string share{};
  /// Shown by the channel, if the filter is a topic. Who holds one without
  /// saying so is not, and if he is the first on his loop, neither is anybody
  /// else there.
  core::listener_about about{};
};

/// Relaxed, written on any loop. "Dropped" has a reason each.
struct router_stats {
  using counter = std::atomic<std::uint64_t>;

  counter published{0};         ///< on this node
  counter published_bytes{0};   ///< of their payloads
  counter unmatched{0};         ///< of those: nobody listens anywhere
  counter refused{0};           ///< of those asked for: out of bounds
  counter delivered{0};         ///< handed to subscribers here
  counter dropped_here{0};      ///< too much waited for a loop, a loop each
  counter sent{0};              ///< to other nodes, a node each
  counter dropped_peer_full{0}; ///< no room in the link to a node
  counter dropped_peer_gone{0}; ///< no link just then
  counter shared{0};            ///< turns of shared subscriptions given out
  counter shared_in_vain{0};    ///< of those: nobody could be reached
  counter received{0};          ///< from other nodes
  counter received_stray{0};    ///< of those: nobody listens here any more
  counter bad_frames{0};
  counter subscriptions{0};         ///< now
  counter subscriptions_refused{0}; ///< the node's limit
};

/// The way of a publication to one other node. On a loop; a slow node must not
/// slow anything else: overloaded, unavailable.
class publish_transport {
public:
  virtual ~publish_transport() = default;
  /// What goes to one node with one key keeps its order.
  virtual core::result<void> send(core::node_id to, std::uint64_t key,
                                  core::shared_bytes frame) = 0;
};

/// Sees what is published before anybody gets it, with or without listeners:
/// who begins to listen and then looks here has missed nothing. Called on any
/// loop.
class publication_recorder {
public:
  virtual ~publication_recorder() = default;
  virtual void record(const core::publication_ptr& what) = 0;
};

struct router_options {
  core::node_id self;
  cluster::interest_limits interest;
  core::publication_limits publication;
  /// Bytes that may wait for one loop; above that publications are dropped.
  std::size_t waiting_bytes_max = std::size_t{64} << 20U;
  core::share_policy shares = core::share_policy::round_robin;
};

/// Who may get a publication.
enum class reach : std::uint8_t {
  cluster, ///< whoever listens
  node,    ///< who listens on this node, for himself
};

/// A share of a filter whose turn is given otherwise.
struct share_name {
  std::string share;
  std::string filter; ///< a core::topic_filter's text
};

struct publish_outcome {
  std::size_t filters = 0; ///< of this node's loops that match
  std::size_t peers = 0;   ///< other nodes that want it
  std::size_t dropped = 0; ///< loops and nodes that don't get it
};

/// What publish() would do just now.
struct publish_forecast {
  /// Those who share a filter, and whose turn it would be.
  struct share {
    cluster::shared_audience all;
    share_seat next;
  };
  /// What is held here and matches, and which other nodes hold it.
  std::vector<cluster::interest_board::row> filters;
  std::vector<core::node_id> peers; ///< that would get it
  std::vector<share> shares;
  core::fate_list here; ///< at the subscribers of this node
};

class topic_router;

/// Keeps a subscriber subscribed; ends that when it dies. Belongs to the
/// subscriber; dies before it and before the router, on their loop.
class topic_subscription {
public:
  topic_subscription() noexcept;
  topic_subscription(topic_subscription&& other) noexcept;
  topic_subscription& operator=(topic_subscription&& other) noexcept;
  ~topic_subscription();

  explicit operator bool() const noexcept { return member_ != nullptr; }
  void end() noexcept;

  // Of one that listens as a group; nothing otherwise. REQUIRES: it has not
  // ended.
  void came(const core::listener_about& who);
  void went(std::uint64_t session);
  /// What was delivered has gone on to so many.
  void handed_on(std::size_t listeners);

private:
  friend class topic_router;
  struct member;
  explicit topic_subscription(std::unique_ptr<member> made) noexcept;

  std::unique_ptr<member> member_;
};

/// Takes publications to subscribers. One a node, owned by it; outlives the
/// actor system, whose loops it uses. Subscribers, and who publishes, live on
/// loops and are called and call there.
///
/// A publication is matched once on the node where it is published: it goes
/// in one piece to each loop and each other node with subscribers, and from
/// there to these. It is delivered at most once a subscription, in the order
/// in which one publisher published on one loop. Nobody waits for anybody: what
/// does not fit is dropped and counted.
///
/// In a system without loops (deterministic tests) publish() delivers before
/// it returns, unless it is called by a delivery.
class topic_router : public std::enable_shared_from_this<topic_router> {
public:
  topic_router(caf::actor_system& system, router_options options);
  ~topic_router();
  topic_router(const topic_router&) = delete;
  topic_router& operator=(const topic_router&) = delete;

  /// On the subscriber's loop. too_many: the node's limit of filters;
  /// name_invalid: the realm.
  core::result<topic_subscription> subscribe(std::string_view realm,
                                             const core::topic_filter& filter,
                                             topic_subscriber& target,
                                             subscribe_options options = {});
  /// On the publisher's loop, always the same one. Errors: those of
  /// core::check(). Success says nothing of arrival.
  /// Those of `without` do not get it.
  core::result<publish_outcome>
  publish(core::publication what, reach how = reach::cluster,
          const std::vector<share_name>& without = {});
  /// What publish() would do with it, and what would come of that on this
  /// node; nobody's turn is taken. `done` is called on this loop, once all
  /// loops have said. REQUIRES: it fits, see core::check().
  using forecast_function = std::function<void(publish_forecast)>;
  void foretell(core::publication what, const std::vector<share_name>& without,
                std::size_t rows_max, forecast_function done);
  /// What receive() would do with what another node sends.
  void foretell_received(sent_publication what, std::size_t rows_max,
                         forecast_function done);
  /// What another node has published, as it sent it; on a loop.
  void receive(core::node_id from, const core::shared_bytes& frame);

  /// The way to other nodes, null: there are none. Any thread; who takes it
  /// away waits until all loops have gone round before it goes.
  void set_transport(publish_transport* transport) {
    transport_.store(transport, std::memory_order_release);
  }

  /// Null: none. What other nodes publish is seen as far as somebody here
  /// listens. Any thread, before the first publication; outlives the loops.
  void set_recorder(publication_recorder* recorder) {
    recorder_.store(recorder, std::memory_order_release);
  }

  /// The channels of the node, which see what is subscribed from now on;
  /// outlives this. Before the first subscription; not at all: there are none.
  void set_channels(channels::channel_host& host, channels::reporting how = {});
  /// Before their actors end, while the loops still run: nothing is reported
  /// any more. Waits for the loops; not on one.
  void drop_channels();
  /// Reports at once what loops have counted; for systems without loops.
  void report_channels();

  [[nodiscard]] cluster::interest_board& board() { return board_; }
  [[nodiscard]] const cluster::interest_board& board() const { return board_; }
  [[nodiscard]] const router_stats& stats() const { return stats_; }
  [[nodiscard]] const router_options& options() const { return options_; }

private:
  friend struct topic_subscription::member;
  /// Beside a filter on a loop.
  struct channel_note {
    channels::channel_tally* tally = nullptr; ///< null: not shown
  };
  using hub_type = runtime::hub<cluster::filter_id, core::publication_ptr,
                                std::hash<cluster::filter_id>, channel_note>;
  struct batch;
  class place;
  struct survey;

  [[nodiscard]] std::size_t here() const;
  [[nodiscard]] std::uint64_t next_number();
  std::size_t queue_for_loops(std::size_t from,
                              const core::publication_ptr& what);
  std::size_t send_to_peers(std::size_t from, const core::publication& what);
  bool send(core::node_id to, std::size_t from,
            const core::shared_bytes& frame);
  void give_turns(place& mine, const core::publication& what);
  std::size_t send_turns(std::size_t from, const core::publication& what);
  void find_wanted(place& mine);
  void ask_loops(std::shared_ptr<survey> all);
  void ask_loop(std::size_t index, const survey& all, core::fate_list& to);
  void flush(std::size_t from);
  void deliver(std::size_t index, const batch& all);
  void deliver_at_once();

  runtime::scheduler* const scheduler_;
  const router_options options_;
  cluster::interest_board board_;
  router_stats stats_;
  std::atomic<publish_transport*> transport_{nullptr};
  std::atomic<publication_recorder*> recorder_{nullptr};
  std::atomic<std::uint64_t> number_{0};          // the last one given
  std::vector<std::shared_ptr<place>> places_;    // one a loop
  std::vector<std::atomic<std::size_t>> waiting_; // bytes for each loop
  bool delivering_ = false;                       // without loops
};

} // namespace troupe::actors::topics
