// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/inbox_store.hpp"
#include "core/state_space.hpp"

namespace troupe::schema {

/// core::inbox_store as records of a state space; docs/formats/records.md has
/// keys and values. Holds nothing but a reference: const functions may run on
/// any thread if those of the space do, except that what one call reads may be
/// from before and from after a change.
///
/// Names are bounded by core::state_key_bytes_max: an owner whose realm and
/// name exceed 400 bytes is never found, and putting one is a programmer's
/// error (assert), as is a damaged record (the space keeps checksums).
class stored_inboxes final : public core::inbox_store {
public:
  /// `space` must live longer.
  explicit stored_inboxes(core::state_space& space) : space_(space) {}

  std::optional<core::inbox_head> head(const core::owner& inbox) const override;
  void put_head(const core::owner& inbox,
                const core::inbox_head& head) override;
  void erase_head(const core::owner& inbox) override;
  void each_head(
      const std::optional<core::owner>& after,
      const std::function<bool(const core::owner&, const core::inbox_head&)>&
          visit) const override;

  std::optional<core::inbox_entry>
  entry(std::uint64_t inbox, core::inbox_position position) const override;
  void put_entry(std::uint64_t inbox, const core::inbox_entry& entry) override;
  void erase_entry(std::uint64_t inbox, core::inbox_position position) override;
  void each_entry(std::uint64_t inbox, core::inbox_position from,
                  const std::function<bool(const core::inbox_entry&)>& visit)
      const override;

  void put_body(core::log_index source, const core::shared_bytes& command,
                std::uint32_t references) override;
  std::optional<core::shared_bytes> body(core::log_index source) const override;
  void release_body(core::log_index source) override;

  void put_expiry(core::timestamp when, std::uint64_t inbox,
                  core::inbox_position position,
                  const core::owner& owner) override;
  void erase_expiry(core::timestamp when, std::uint64_t inbox,
                    core::inbox_position position) override;
  std::vector<expiry> expired(core::timestamp now,
                              std::size_t limit) const override;

  std::optional<core::origin_record> origin(std::uint64_t id) const override;
  void put_origin(std::uint64_t id, const core::origin_record& record) override;
  void erase_origin(std::uint64_t id) override;
  std::vector<std::pair<std::uint64_t, core::origin_record>>
  origins() const override;

  std::optional<core::message_id>
  deduplicated(std::string_view key) const override;
  void put_deduplicated(std::string_view key, core::message_id id,
                        core::timestamp until) override;
  std::size_t erase_deduplicated(core::timestamp before,
                                 std::size_t limit) override;

  std::uint64_t next_inbox_number() const override;
  void put_next_inbox_number(std::uint64_t number) override;
  std::uint64_t inbox_count() const override;
  void put_inbox_count(std::uint64_t count) override;
  core::inbox_policy policy() const override;
  void put_policy(const core::inbox_policy& policy) override;

private:
  core::state_space& space_;
};

} // namespace troupe::schema
