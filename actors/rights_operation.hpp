// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/operation.hpp"
#include "core/rights_command.hpp"

#include <functional>

namespace troupe::actors {

/// A change of credentials or rights, on behalf of an operator.
class change_rights_operation final : public operation {
public:
  using done_function = std::function<void(core::error)>;

  change_rights_operation(core::rights_command change, done_function done);
  void start() override;
  void on_answer(directory_answer& answer) override;
  void on_timeout() override;

private:
  core::rights_command change_;
  done_function done_;
};

} // namespace troupe::actors
