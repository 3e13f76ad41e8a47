// SPDX-License-Identifier: Apache-2.0
#include "actors/admin_operations.hpp"

#include <utility>

namespace troupe::actors {

remove_user_operation::remove_user_operation(std::string uid,
                                             done_function done)
    : uid_(std::move(uid)), done_(std::move(done)) {}

void remove_user_operation::start() {
  propose(core::remove_user{realm(), uid_}, false);
}

void remove_user_operation::on_answer(directory_answer& answer) {
  const auto code = answer.outcome.failure.code;
  in_directory_ = code != core::errc::user_unknown;
  if (in_directory_ && code != core::errc::ok)
    return end(std::move(answer.outcome.failure));
  const core::owner inbox{realm(), core::owner_kind::user, uid_};
  propose(context().group_of(inbox), core::drop_inbox{inbox}, false);
}

void remove_user_operation::on_answer(shard_answer& answer) {
  auto& failure = answer.outcome.failure;
  // A user whose registration was cut short has no inbox.
  if (failure.code == core::errc::user_unknown && in_directory_)
    failure = {};
  end(std::move(failure));
}

void remove_user_operation::on_timeout() { end({core::errc::timed_out, {}}); }

void remove_user_operation::end(core::error why) {
  done_(std::move(why));
  finish();
}

change_cluster_operation::change_cluster_operation(core::cluster_command change,
                                                   done_function done)
    : change_(std::move(change)), done_(std::move(done)) {}

void change_cluster_operation::start() {
  propose(core::change_cluster{std::move(change_)}, false);
}

void change_cluster_operation::on_answer(directory_answer& answer) {
  done_(std::move(answer.outcome.failure), answer.outcome.node);
  finish();
}

void change_cluster_operation::on_timeout() {
  done_({core::errc::timed_out, "the directory has no leader just now"}, {});
  finish();
}

import_operation::import_operation(core::import_directory batch,
                                   done_function done)
    : batch_(std::move(batch)), done_(std::move(done)) {}

void import_operation::start() {
  batch_.realm = realm();
  by_shard_.resize(context().options.shards + 1U);
  for (const auto& user : batch_.users) {
    const core::owner inbox{realm(), core::owner_kind::user, user.uid};
    auto& part = by_shard_[context().group_of(inbox).value()];
    for (const auto& device : user.devices)
      part.cursors.push_back({inbox, device.second, std::nullopt});
  }
  propose(std::move(batch_), true);
}

void import_operation::on_answer(directory_answer& answer) {
  if (answer.outcome.failure.code != core::errc::ok)
    return end(std::move(answer.outcome.failure));
  counts_ = answer.outcome.imported;
  // Only who is in the directory now gets an inbox.
  for (std::size_t g = 1; g < by_shard_.size(); ++g) {
    std::erase_if(by_shard_[g].cursors, [&](const core::add_cursor& c) {
      const auto user = context().directory->find_user(realm(), c.inbox.name);
      return !user || core::find_device(*user, c.device) == nullptr;
    });
    if (by_shard_[g].cursors.empty())
      continue;
    ++waiting_;
    propose(core::group_id{static_cast<std::uint16_t>(g)},
            std::move(by_shard_[g]), true);
  }
  if (waiting_ == 0)
    end({});
}

void import_operation::on_answer(shard_answer& answer) {
  if (answer.outcome.failure.code != core::errc::ok)
    failure_ = std::move(answer.outcome.failure);
  if (--waiting_ == 0)
    end(std::move(failure_));
}

void import_operation::on_timeout() { end({core::errc::timed_out, {}}); }

void import_operation::end(core::error why) {
  done_(std::move(why), counts_);
  finish();
}

} // namespace troupe::actors
