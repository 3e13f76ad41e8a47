// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/messages.hpp"

#include <cstdint>
#include <optional>

namespace troupe::actors {

namespace runtime {
class loop;
} // namespace runtime

/// How long nobody is asked after so many failures: twice as long each time,
/// up to a second. `spread` names who waits: those of a node that lost a
/// leader don't all come at once.
[[nodiscard]] core::milliseconds attach_pause(unsigned failures,
                                              std::uint64_t spread);

/// The way of a session to its inbox, wherever that is led: the replica of the
/// shard on this node is asked, then whom that names as the leader, then
/// nobody for a pause. What is asked for, and what follows from an answer, the
/// owner says; it also sends itself an attach_tick when a pause is over. Part
/// of the state of a session_actor, used on its loop only.
class attaching {
public:
  /// A replica or a leader that has not answered by then is asked again.
  static constexpr core::milliseconds patience{5'000};

  /// `number` is that of the session. `context` outlives this.
  void open(broker_context& context, std::uint64_t number) {
    context_ = &context;
    number_ = number;
  }

  /// There is no inbox, and one is wanted.
  [[nodiscard]] bool wanted() const { return wanted_; }
  [[nodiscard]] bool pauses() const { return wanted_ && ticket_ == 0; }
  /// The last attempt: once it has an inbox, its attachment there.
  [[nodiscard]] actors::attachment attachment() const {
    return attachment_of(attempts_);
  }
  [[nodiscard]] const core::error& last_failure() const { return failure_; }
  [[nodiscard]] unsigned failures() const { return failures_; }

  /// Asks the replica here. Ticket, attachment and session of `what` are
  /// filled in. The first question begins a search, which end() ends.
  void ask(const session_actor& self, attach_request what);
  /// Asks the node that was named, for a session that lives on `home`. False:
  /// of no use, or done already.
  bool ask_leader(const session_actor& self, runtime::loop* home,
                  core::node_id leader, attach_request what);
  /// Whether this answers the last question. One that comes too late and
  /// brings an inbox gives that back.
  [[nodiscard]] bool takes(const attached& reply);
  /// It has an inbox, or has given up.
  void end();

  /// Asks nobody for a while. How long, if no tick is under way already.
  [[nodiscard]] std::optional<core::milliseconds> pause(core::error why);
  /// Whether the pause is over: then ask().
  [[nodiscard]] bool on_tick();
  /// Nobody has answered in time: then pause(). Never without other nodes,
  /// where everybody answers.
  [[nodiscard]] bool is_overdue(core::steady_time now) const;

private:
  void fill_in(attach_request& what, const session_actor& self);
  [[nodiscard]] actors::attachment attachment_of(actors::ticket attempt) const;

  broker_context* context_ = nullptr;
  std::uint64_t number_ = 0;
  actors::ticket attempts_ = 0;
  actors::ticket ticket_ = 0; ///< asked, not answered; 0: pausing
  core::steady_time answer_due_{};
  core::error failure_;
  unsigned failures_ = 0;
  bool wanted_ = false;
  bool asked_leader_ = false;
  bool tick_pending_ = false;
};

} // namespace troupe::actors
