// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/cluster_steward.hpp"
#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/join_words.hpp"
#include "actors/links/node_links.hpp"
#include "actors/messages.hpp"
#include "actors/operation.hpp"
#include "core/clock.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::actors {

/// Keys of messages of the links' kind `membership`. Numbers cross the wire.
enum class membership_word : std::uint64_t {
  balance_leaders = 1, ///< give groups to their preferred leaders now
  leaders = 2,         ///< what the sender leads (leader_board)
  reach = 3,           ///< which nodes it has links to (reach_board)
  doors = 4,           ///< where its clients come in (door_board)
};

/// Takes such a message, on the loop of its key.
void take_membership_word(broker_context& context,
                          const links::received& message);

struct membership_deps {
  broker_context* context = nullptr;
  /// Outlives the actor.
  links::node_links* links = nullptr;
  node_identity self;
  /// Whom to ask until the directory has arrived here.
  std::vector<known_peer> introduced{};
  /// This node gives its clients to others from now on, or does not any more;
  /// on the loop.
  std::function<void(bool)> on_draining = [](bool) {};
  /// This node was removed from its cluster for good. Once, on the loop.
  std::function<void(core::error)> on_removed = [](core::error) {};
};

/// Owner: the node, while it has links. Lost when it dies: join calls under
/// way, which are asked again. Mailbox: bounded by the join calls that the
/// links take at once. Waits for: answers of the directory, its tick.
struct membership_state {
  static inline const char* name = "membership";
  using pointer = membership_actor::stateful_pointer<membership_state>;

  explicit membership_state(pointer ptr);
  [[nodiscard]] std::string path() const { return "membership"; }

  void start(membership_deps deps);
  void on_look();
  void on_join(join_asked& asked);
  void on_answers(directory_answers& batch);
  void on_deadline_tick();
  void on_retry_tick();
  [[nodiscard]] std::string describe() const;

private:
  void follow_nodes();
  void announce_leaderships();
  void announce_reach();
  void tell_all(membership_word word, const core::shared_bytes& body);
  void see_self(const core::node_record& record);
  void see_removed(core::node_id node);
  void see_peer(core::node_id node, const std::string& address);
  void welcome_back(const join_request& request, const links::join_call& call);
  void admit(join_request request, const links::join_call& call);
  [[nodiscard]] join_answer admitted(core::node_id node) const;
  void flush();

  pointer self_;
  broker_context* context_ = nullptr;
  links::node_links* links_ = nullptr;
  node_identity own_;
  std::vector<known_peer> introduced_;
  std::function<void(bool)> on_draining_;
  std::function<void(core::error)> on_removed_;
  std::unique_ptr<operation_table> operations_;
  /// Addresses the links have been given.
  std::map<core::node_id, std::string> peers_;
  /// When the removal of a linked node was seen.
  std::map<core::node_id, core::steady_time> leaving_;
  bool announcing_ = false;
  bool told_removed_ = false;
  bool tick_pending_ = false;
  bool retry_pending_ = false;
};

membership_actor::behavior_type
membership_behavior(membership_state::pointer self, membership_deps deps);

/// Who may have a link: nodes in the table that were not removed, and anybody
/// who knows the secret while there is no table yet. On any thread.
[[nodiscard]] core::result<void> admit_peer(const core::directory& directory,
                                            const links::peer_identity& peer);

} // namespace troupe::actors
