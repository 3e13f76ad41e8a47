// SPDX-License-Identifier: Apache-2.0
#include "actors/rights_operation.hpp"

#include <utility>

namespace troupe::actors {

change_rights_operation::change_rights_operation(core::rights_command change,
                                                 done_function done)
    : change_(std::move(change)), done_(std::move(done)) {}

void change_rights_operation::start() {
  propose(core::change_rights{realm(), std::move(change_)}, true);
}

void change_rights_operation::on_answer(directory_answer& answer) {
  done_(std::move(answer.outcome.failure));
  finish();
}

void change_rights_operation::on_timeout() {
  done_({core::errc::timed_out, "the directory has no leader just now"});
  finish();
}

} // namespace troupe::actors
