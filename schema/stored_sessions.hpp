// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/session_store.hpp"
#include "core/state_space.hpp"

namespace troupe::schema {

/// core::session_store as records of a state space; docs/formats/records.md has
/// keys and values. Holds nothing but a reference: const functions may run on
/// any thread if those of the space do, except that what one call reads may be
/// from before and from after a change.
///
/// A name or realm above the bounds of core/name_rules.hpp is never found;
/// putting one is a programmer's error (assert), as is a damaged record.
class stored_sessions final : public core::session_store {
public:
  /// `space` must live longer.
  explicit stored_sessions(core::state_space& space) : space_(space) {}

  std::optional<core::session_record>
  session(const core::owner& name) const override;
  void put_session(const core::owner& name,
                   const core::session_record& record) override;
  void erase_session(const core::owner& name) override;
  void each_session(const std::optional<core::owner>& after,
                    const session_visitor& visit) const override;

  core::session_packets packets(const core::owner& name) const override;
  void put_packets(const core::owner& name,
                   const core::session_packets& packets) override;

  void put_due(const due_session& due) override;
  void erase_due(const due_session& due) override;
  std::vector<due_session> due_sessions(core::timestamp now,
                                        std::size_t limit) const override;

  void put_pending(const core::owner& name) override;
  void erase_pending(const core::owner& name) override;
  std::vector<core::owner>
  pending_sessions(const std::optional<core::owner>& after,
                   std::size_t limit) const override;

  std::uint64_t session_count() const override;
  void put_session_count(std::uint64_t count) override;
  core::session_policy policy_of_sessions() const override;
  void put_policy_of_sessions(const core::session_policy& policy) override;

private:
  core::state_space& space_;
};

} // namespace troupe::schema
