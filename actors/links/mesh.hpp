// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/credit.hpp"
#include "actors/links/dialing.hpp"
#include "actors/links/envelope.hpp"
#include "actors/links/gate.hpp"
#include "actors/links/inbound.hpp"
#include "actors/links/link_listener.hpp"
#include "actors/links/link_options.hpp"
#include "actors/links/node_links.hpp"
#include "actors/links/peer_port.hpp"
#include "actors/links/send_queue.hpp"
#include "actors/runtime/scheduler.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::actors::links {

class join_serving;

/// One connection to one peer, from the hand-over to CAF until CAF has let go
/// of it.
struct link_session {
  link_session() = default;
  link_session(const link_session&) = delete;
  link_session& operator=(const link_session&) = delete;
  ~link_session();

  link_id id;
  links::incarnation incarnation;
  bool dialed = false;
  bool encrypted = false;
  peer_state state = peer_state::handshake; // handshake, up, closing
  std::string address;                      // of the socket
  std::string advertised;
  std::uint32_t features = 0;
  int cut_descriptor = -1; // a second name of the socket, to end it by
  bool given_to_caf = false;
  gate_actor remote;
  core::steady_time began{};
  core::steady_time up_since{};
  core::steady_time heard{};

  std::uint64_t last_sent = 0;     // sequence
  std::uint64_t last_received = 0; // sequence
  send_queue queue;
  std::vector<assembler> input; // one a lane
  std::shared_ptr<credit_account> account;

  std::uint64_t peer_beat = 0; // its latest sent_at
  core::steady_time peer_beat_at{};
  std::chrono::nanoseconds round_trip{0};
  std::uint64_t progress = 0; // of the queue when it last moved
  core::steady_time progress_at{};
  std::string why; // it closes

  std::uint64_t messages_in = 0;
  std::uint64_t messages_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

/// A proven connection that waits until the one before it is gone.
struct successor {
  std::shared_ptr<inbound> accepted; // or
  std::optional<proven_connection> dialed;
  core::steady_time deadline{};
};

/// One other node.
struct mesh_peer {
  core::node_id id;
  std::vector<std::string> addresses;
  bool known = false; // set_peer() named it
  std::shared_ptr<peer_port> port;
  std::unique_ptr<link_session> link;
  std::optional<successor> next;
  // Another process claims the node: is the linked one still alive?
  std::uint64_t probe = 0; // sent_at of the asking beat; 0: no question
  core::steady_time probe_deadline{};

  std::shared_ptr<dialing> dial;
  runtime::timer_handle retry;
  std::uint32_t failures = 0;
  links::incarnation last_incarnation;
  std::uint64_t times_up = 0;
  std::uint64_t messages_in = 0; // of links that are gone, as all below
  std::uint64_t messages_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::string last_error;
  core::steady_time logged_at{};
};

/// The links of one node: who is there, who is connected, what flows. Lives
/// on one loop, its home; owned by node_links, which is what others see.
/// Members are called on the home loop unless said otherwise.
///
/// Who dials: the node with the higher id, at once; the one with the lower id
/// after second_dialer_after without a link, for networks that open in one
/// direction only. Who decides between two connections: the acceptor of each,
/// in favour of the one dialed by the higher id (judge()).
class mesh : public std::enable_shared_from_this<mesh> {
public:
  mesh(caf::actor_system& system, link_options options,
       std::shared_ptr<link_listener> listener);
  ~mesh();

  /// Before start().
  std::array<message_handler, 256> handlers;
  std::vector<peer_handler> peer_handlers;
  join_handler on_join;

  void start();
  /// Takes leave, closes everything, calls `done` on the home loop.
  void stop(std::function<void()> done);

  void set_peer(core::node_id id, std::vector<std::string> addresses);
  void forget_peer(core::node_id id);

  /// Any thread.
  [[nodiscard]] bool reaches(core::node_id node);
  core::result<void> send(core::node_id to, kind k, std::uint64_t key,
                          core::shared_bytes body);
  [[nodiscard]] std::vector<peer_info> info() const;
  [[nodiscard]] link_stats stats() const;
  [[nodiscard]] runtime::loop& home() const { return home_; }
  [[nodiscard]] const link_options& options() const { return options_; }
  [[nodiscard]] const std::string& advertised() const { return advertised_; }
  [[nodiscard]] const link_listener& listener() const { return *listener_; }

private:
  friend class join_serving;

  // mesh.cpp
  void tick();
  void tick_peer(mesh_peer& p);
  void tick_link(mesh_peer& p, link_session& link);
  mesh_peer& peer_for(core::node_id id);
  void publish_info(const mesh_peer& p);
  void log(std::string_view level, const std::string& text) const;
  void log_limited(mesh_peer& p, std::string_view level,
                   const std::string& text);
  void notify(const mesh_peer& p, const link_session& link, bool up,
              bool restarted);
  [[nodiscard]] core::steady_time now() const;
  [[nodiscard]] handshake_options self() const;
  [[nodiscard]] bool dials_first(const mesh_peer& p) const {
    return options_.self > p.id;
  }
  void finish_stop_if_done();

  // mesh_connections.cpp: from nothing to a link and back
  void schedule_dial(mesh_peer& p);
  void dial(mesh_peer& p);
  void on_dialed(core::node_id id, std::optional<proven_connection> connection,
                 const refusal& why);
  void on_socket(boost::asio::ip::tcp::socket socket);
  void on_proven(const std::shared_ptr<inbound>& conversation);
  void drop_conversation(const std::shared_ptr<inbound>& conversation);
  void on_refused(const std::shared_ptr<inbound>& conversation,
                  const refusal& why);
  [[nodiscard]] std::optional<refusal> objection(const inbound& conversation);
  [[nodiscard]] std::optional<refusal> judge(mesh_peer& p, const hello& peer);
  void drop_successor(mesh_peer& p, const refusal& why);
  void make_room(mesh_peer& p, links::incarnation fresh);
  void proceed(mesh_peer& p);
  link_session& begin_session(mesh_peer& p, const hello& peer,
                              const session_keys& keys, bool dialed,
                              std::string address);
  void hand_over(core::node_id id, link_id link,
                 const std::shared_ptr<frame_stream>& stream);
  void cut(mesh_peer& p, std::string_view level, std::string why);
  void on_released(core::node_id id, link_id link);
  [[nodiscard]] mesh_peer* find(core::node_id id);
  [[nodiscard]] link_session* find(core::node_id id, link_id link);

  // mesh_traffic.cpp: what flows over a link
  void on_envelope(const caf::strong_actor_ptr& from, const envelope& e);
  void on_hello(mesh_peer& p, const caf::strong_actor_ptr& from,
                const envelope& e);
  void on_beat(mesh_peer& p, const envelope& e);
  void on_batch(mesh_peer& p, const envelope& e);
  void deliver(std::size_t loop, std::vector<received> messages);
  void up(mesh_peer& p);
  void send_part(link_session& link, part what, core::shared_bytes bytes);
  void send_beat(link_session& link);
  [[nodiscard]] beat make_beat(link_session& link) const;
  void enqueue(const std::shared_ptr<peer_port>& port, packed_messages packed);
  void pump(mesh_peer& p);
  void report_credit(core::node_id id, link_id link);

  caf::actor_system& system_;
  runtime::scheduler& loops_;
  runtime::loop& home_;
  const link_options options_;
  caf::actor_system* const tls_; // null: plain
  const std::string advertised_;
  const std::string prefix_; // of envelopes on the wire
  std::shared_ptr<link_listener> listener_;
  links::gate gate_;
  std::unordered_map<core::node_id, std::unique_ptr<mesh_peer>> peers_;
  std::unordered_map<link_id, core::node_id> links_;
  std::vector<std::shared_ptr<inbound>> conversations_; // oldest first
  std::set<std::shared_ptr<join_serving>> joins_;
  std::mt19937 random_;
  bool started_ = false;
  bool stopping_ = false;
  std::function<void()> stopped_;
  core::steady_time refusals_since_{};
  std::uint32_t refusals_logged_ = 0;

  port_table ports_;
  std::array<std::atomic<std::uint64_t>, refusal_codes> refused_{};
  std::atomic<std::uint64_t> open_conversations_{0}; // as conversations_
  std::atomic<std::uint64_t> old_link_envelopes_{0};
  std::shared_ptr<std::atomic<std::uint64_t>> swallowed_;
  mutable std::mutex info_mutex_;
  struct shown_peer {
    peer_info info; // of the last tick or change
    std::shared_ptr<peer_port> port;
  };
  std::unordered_map<core::node_id, shown_peer> shown_; // guarded by it
};

} // namespace troupe::actors::links
