// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/operation.hpp"
#include "core/command.hpp"

#include <functional>
#include <variant>

namespace troupe::actors::keys {

/// Sets or clears one key; durable when it is done.
class key_operation final : public operation {
public:
  using change = std::variant<core::set_key, core::clear_key>;
  /// errc::timed_out: it may have been done, or be done yet.
  using done_function = std::function<void(const core::shard_outcome&)>;

  key_operation(change what, done_function done);
  void start() override;
  void on_answer(shard_answer& answer) override;
  void on_timeout() override;

private:
  void end(const core::shard_outcome& outcome);

  change what_;
  bool sets_;
  done_function done_;
};

} // namespace troupe::actors::keys
