// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/attachment_line.hpp"
#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/messages.hpp"
#include "core/ids.hpp"

#include <caf/fwd.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace troupe::actors::runtime {
class loop;
}

namespace troupe::actors {

/// Who of this node is attached to inboxes of other nodes, and the other way
/// round. A session that lives here talks to a remote_inbox, which stands for
/// the inbox; at the inbox's node a remote_session stands for the session.
/// This table leads the frames between the two.
///
/// Owned by the node beside the links; made before the first session, and
/// lives until the actor system is gone. Thread-safe.
class attachment_table {
public:
  attachment_table(caf::actor_system& system, broker_context& context,
                   attachment_transport& transport);
  attachment_table(const attachment_table&) = delete;
  attachment_table& operator=(const attachment_table&) = delete;
  ~attachment_table();

  /// Asks another node for an inbox, for a session that lives on `home` (null
  /// only in a system without loops): it gets an `attached` in any case. Its
  /// inbox is then a remote_inbox.
  void attach(runtime::loop* home, core::node_id leader,
              attach_request request);

  /// From a link, on any loop; the proxy for a new session gets this one.
  /// REQUIRES: the shards' handles are there.
  void on_frame(attachment_way way, attachment_frame frame);
  /// Before anything that comes over the next link to that node.
  void on_peer_down(core::node_id peer);
  /// Who has the inboxes of a group from now on, as far as this node knows:
  /// sessions attached to another one look for it, before the link to that is
  /// found to be dead.
  void on_leader(core::group_id group, core::node_id leader);

  /// Ends all proxies and lets no new ones in; does not wait for their end.
  /// Before the shards' handles go. Any number of times.
  void close();

  /// Names a session of another node toward its inbox here: never the number
  /// of a session's own.
  [[nodiscard]] attachment next_local_attachment();
  [[nodiscard]] attachment_transport& transport() { return transport_; }

  /// For the proxies, when they end.
  void forget_inbox(std::uint64_t number);
  void forget_session(core::node_id node, std::uint64_t life,
                      std::uint64_t number);

  /// What stands at nodes/{n}/inboxes/{number} and nodes/{n}/sessions/{number}
  /// in the registry, for `inspect`; null if there is none.
  [[nodiscard]] remote_inbox_actor find_inbox(std::uint64_t number) const;
  [[nodiscard]] remote_session_actor find_session(core::node_id node,
                                                  std::uint64_t number) const;
  [[nodiscard]] std::size_t remote_inboxes() const;
  [[nodiscard]] std::size_t remote_sessions() const;

private:
  struct inbox_place {
    core::group_id group;
    core::node_id leader;
    remote_inbox_actor proxy;
  };
  struct session_key {
    core::node_id node;
    std::uint64_t life = 0;
    std::uint64_t number = 0;

    friend auto operator<=>(const session_key&, const session_key&) = default;
  };

  template <class Place>
  void lose_inboxes(const Place& is_lost,
                    std::vector<remote_inbox_actor>& lost);
  void on_frame_to_inbox(attachment_frame frame, std::uint64_t number);
  void on_frame_to_session(attachment_frame frame, std::uint64_t number);
  void let_in(const attachment_frame& frame, std::uint64_t number,
              attachment_words::attach request);
  void answer_stranger(core::node_id to, attachment_way way,
                       std::uint64_t number, const attachment_words::any& what);

  caf::actor_system& system_;
  broker_context& context_;
  attachment_transport& transport_;
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::unordered_map<std::uint64_t, inbox_place> inboxes_;
  std::map<session_key, remote_session_actor> sessions_;
  bool closed_ = false;
  /// Ascends from a random number: no two lives of a node share one.
  std::atomic<std::uint64_t> last_number_;
  std::atomic<std::uint64_t> last_local_{0};
};

} // namespace troupe::actors
