// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/key_store.hpp"
#include "core/state_space.hpp"

namespace troupe::schema {

/// core::key_store as records of a state space; docs/formats/records.md has
/// keys and values. Holds nothing but a reference: const functions may run on
/// any thread if those of the space do, except that what one call reads may be
/// from before and from after a change.
///
/// A realm above its bound (core/name_rules.hpp) is never found; putting one is
/// a programmer's error (assert), as is a damaged record.
class stored_keys final : public core::key_store {
public:
  /// `space` must live longer.
  explicit stored_keys(core::state_space& space) : space_(space) {}

  std::optional<core::key_record> key(std::string_view realm,
                                      std::string_view topic) const override;
  bool put_key(std::string_view realm, std::string_view topic,
               const core::key_record& record) override;
  void erase_key(std::string_view realm, std::string_view topic) override;
  void each_key(std::string_view realm, std::string_view beginning,
                const std::optional<std::string>& after,
                const key_visitor& visit) const override;

  void put_value(core::log_index source,
                 const core::shared_bytes& command) override;
  std::optional<core::shared_bytes>
  value(core::log_index source) const override;
  void erase_value(core::log_index source) override;

  void put_key_expiry(const key_expiry& expiry) override;
  void erase_key_expiry(core::timestamp when, core::log_index source) override;
  std::vector<key_expiry> expired_keys(core::timestamp now,
                                       std::size_t limit) const override;

  core::key_totals totals_of_keys() const override;
  void put_totals_of_keys(const core::key_totals& totals) override;
  core::key_policy policy_of_keys() const override;
  void put_policy_of_keys(const core::key_policy& policy) override;

private:
  core::state_space& space_;
};

} // namespace troupe::schema
