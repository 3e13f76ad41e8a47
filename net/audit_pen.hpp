// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/audit.hpp"
#include "core/shared_bytes.hpp"
#include "net/responder.hpp"
#include "net/session_port.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::actors::runtime {
class loop;
} // namespace troupe::actors::runtime

namespace troupe::net {

/// What a client did at a door; borrowed for one call.
struct door_note {
  core::audit_kind kind = core::audit_kind::publish;
  std::string_view user{};   ///< "": nobody has said
  std::string_view target{}; ///< a channel; "": it was not about one
  std::string_view type{};   ///< content type, or what exactly was done
  std::string_view reason{}; ///< why it was refused; "": it was not
  core::shared_bytes payload{};
};

/// With what a door writes into the audit log; among what its connections
/// share. Without a log, as it comes, every call is one comparison.
/// Thread-safe.
class audit_pen {
public:
  audit_pen() = default;
  /// `sink` null: there is no log; else it outlives this.
  audit_pen(core::audit_sink* sink, std::string realm)
      : sink_(sink), realm_(std::move(realm)) {}

  /// False: new work is to be refused as overloaded.
  [[nodiscard]] bool has_room() const {
    return sink_ == nullptr || sink_->has_room();
  }
  core::audit_ticket note(const connection_info& from,
                          const door_note& what) const {
    return sink_ == nullptr ? 0 : write(from, what);
  }
  /// Whether there is a log, for whom a note takes some work.
  [[nodiscard]] bool writes() const { return sink_ != nullptr; }
  /// Whether an answer to what was noted may go.
  [[nodiscard]] bool is_kept(core::audit_ticket ticket) const {
    return sink_ == nullptr || sink_->is_kept(ticket);
  }
  /// Calls `work` on `home`, never from inside, once that record is kept; it
  /// dies there, too.
  void when_kept(core::audit_ticket ticket, actors::runtime::loop& home,
                 std::function<void()> work) const;
  /// The same for the loop it is called on.
  void when_kept(core::audit_ticket ticket, std::function<void()> work) const;
  /// Calls `send` when the record with this ticket is kept, as
  /// answer_when_kept().
  void answer(core::audit_ticket ticket, responder to,
              std::function<void(const responder&)> send) const;

private:
  core::audit_ticket write(const connection_info& from,
                           const door_note& what) const;

  core::audit_sink* sink_ = nullptr;
  std::string realm_;
};

} // namespace troupe::net
