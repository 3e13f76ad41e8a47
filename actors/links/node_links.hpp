// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/hello_codec.hpp"
#include "actors/links/link_options.hpp"
#include "actors/links/link_types.hpp"
#include "core/result.hpp"

#include <caf/fwd.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::actors::links {

class mesh;

/// Somebody who knows the secret asks to become a member.
struct join_call {
  peer_identity who;   ///< node 0 if it never was one
  std::string address; ///< of the socket
  core::shared_bytes request;
  /// Any thread, once; too late is harmless. An error is told as its text.
  std::function<void(core::result<core::shared_bytes>)> answer;
};
/// On the home loop.
using join_handler = std::function<void(join_call)>;

struct link_stats {
  /// Conversations that ended without a link, by reason.
  std::array<std::uint64_t, refusal_codes> refused{};
  std::uint64_t refused_total = 0;
  /// Connections that have not proven anything yet.
  std::uint64_t conversations = 0;
  /// Envelopes of links that are no more.
  std::uint64_t old_link_envelopes = 0;
  /// What peers sent beside envelopes for the gate; a few belong to CAF's own
  /// way of greeting.
  std::uint64_t swallowed = 0;
};

/// The links of this node to all others. Made after the actor system, by the
/// main thread; stopped and destroyed before it.
///
///   auto links = node_links::open(system, options);
///   (*links)->on_message(kind::raft, handler);
///   (*links)->start();
///   (*links)->set_peer(core::node_id{2}, {"10.0.0.2:7001"});
///
/// At most once, in order for one sending loop, peer, kind and key; a message
/// is lost with its link and nobody is told but by the peer_event. A peer that
/// takes nothing is bounded (send() says overloaded) and then cut.
class node_links {
public:
  /// Listens from now on, answers after start(). REQUIRES: enable_links() was
  /// called for the system's config. invalid_config, in_use, io_error.
  static core::result<std::unique_ptr<node_links>>
  open(caf::actor_system& system, link_options options);
  ~node_links();
  node_links(const node_links&) = delete;
  node_links& operator=(const node_links&) = delete;

  /// Before start(): one handler a kind, any number of peer handlers.
  void on_message(kind k, message_handler handler);
  void on_peer(peer_handler handler);
  void on_join(join_handler handler);
  void start();

  /// Names a member of the cluster and where it may be found. Any thread, as
  /// all below.
  void set_peer(core::node_id node, std::vector<std::string> addresses);
  /// Cuts the link and dials no more. Whether the peer may come back is up to
  /// `admit`.
  void forget_peer(core::node_id node);

  /// Free of locks on a loop; elsewhere it is posted to one and errors are
  /// not seen. unavailable: no link just now; overloaded: the peer's queue is
  /// full; too_large.
  core::result<void> send(core::node_id to, kind k, std::uint64_t key,
                          core::shared_bytes body);

  /// On a loop: whether there is a link just now.
  [[nodiscard]] bool reaches(core::node_id node) const;

  [[nodiscard]] std::vector<peer_info> peers() const;
  [[nodiscard]] link_stats stats() const;
  /// "ADDRESS:PORT" in use.
  [[nodiscard]] std::string listen_address() const;
  [[nodiscard]] std::uint16_t port() const;
  /// HOST:PORT under which peers are told to find this node.
  [[nodiscard]] const std::string& advertised_address() const;
  [[nodiscard]] links::incarnation incarnation() const;

  /// Takes leave of all peers and closes everything. Blocks; never on a loop.
  void stop(std::chrono::milliseconds patience = std::chrono::seconds{3});

private:
  explicit node_links(std::shared_ptr<mesh> implementation);

  std::shared_ptr<mesh> mesh_;
};

} // namespace troupe::actors::links
