// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/publish_line.hpp"

#include "net/mqtt/crossing.hpp"

#include <chrono>
#include <utility>

namespace troupe::net::mqtt {
namespace {

core::set_key set_of(const core::publication& what,
                     const message_marks& marks) {
  core::set_key command;
  command.realm = what.realm;
  command.topic = what.topic.text();
  command.content.sender = what.sender;
  command.content.content_type = what.content_type;
  command.content.headers = what.headers;
  command.content.qos = static_cast<std::uint8_t>(marks.level);
  command.content.payload = what.payload;
  if (marks.expiry)
    command.time_to_live =
        core::milliseconds{std::int64_t{marks.expiry->count()} * 1000};
  return command;
}

} // namespace

core::publication_limits limits_of_retained() {
  constexpr std::size_t revision_bytes_max = 32;
  core::publication_limits limits;
  --limits.headers_max;
  limits.head_bytes_max -= revision_bytes_max;
  return limits;
}

reason_code outcome_of(core::errc why) noexcept {
  switch (why) {
  case core::errc::ok:
    return reason_code::success;
  case core::errc::storage_full:
  case core::errc::overloaded:
  case core::errc::too_large:
    return reason_code::quota_exceeded;
  default:
    return reason_code::implementation_specific_error;
  }
}

std::optional<reason_code> publish_line::publish(core::publication what,
                                                 queue_terms how,
                                                 told_function told) {
  const auto marks = marks_of(what);
  const bool kept = marks.retain && keys_ != nullptr;
  if (kept && !core::check(what, limits_of_retained())) {
    count(stats_.unkept_invalid);
    return reason_code::quota_exceeded;
  }
  const auto bytes = core::weight(what);
  const auto one = std::make_shared<item>(
      item{std::move(what), std::move(how), bytes, std::move(told)});
  line_.push_back(one);
  bytes_ += bytes;
  if (kept) {
    keep(one);
  } else {
    one->ready = true;
    drain();
  }
  return std::nullopt;
}

void publish_line::keep(const std::shared_ptr<item>& one) {
  const auto done = [self = shared_from_this(),
                     one](core::result<std::uint64_t> outcome) {
    self->on_kept(*one, std::move(outcome));
    self->drain();
  };
  // [MQTT-3.3.1-6]: nothing takes the place of what was there.
  if (one->what.payload.empty())
    keys_->clear({one->what.realm, one->what.topic.text(), {}}, done);
  else
    keys_->set(set_of(one->what, marks_of(one->what)), done);
}

void publish_line::on_kept(item& one, core::result<std::uint64_t> outcome) {
  one.ready = true;
  if (outcome) {
    mark_revision(one.what, *outcome);
    return;
  }
  one.goes = marks_of(one.what).level == qos::at_most_once;
  switch (outcome.error().code) {
  case core::errc::storage_full:
    count(stats_.unkept_quota);
    one.outcome = reason_code::quota_exceeded;
    break;
  case core::errc::too_large:
    count(stats_.unkept_invalid);
    one.outcome = reason_code::quota_exceeded;
    break;
  case core::errc::name_invalid:
    count(stats_.unkept_invalid);
    one.outcome = reason_code::topic_name_invalid;
    break;
  case core::errc::timed_out:
    // Who subscribes later may find it: who listens must have heard it.
    count(stats_.unkept_late);
    one.goes = true;
    one.outcome = reason_code::implementation_specific_error;
    break;
  default:
    count(stats_.unkept_busy);
    one.outcome = reason_code::implementation_specific_error;
    break;
  }
}

void publish_line::drain() {
  const auto self = shared_from_this(); // told() may end the session
  while (!line_.empty() && line_.front()->ready) {
    const auto one = std::move(line_.front());
    line_.pop_front();
    bytes_ -= one->bytes;
    if (one->goes)
      pass_on(*one);
    else
      one->told(one->outcome);
  }
}

/// To who listens, and to the sessions for which it is queued. What could not
/// be kept is not made good by that.
void publish_line::pass_on(item& one) {
  auto told = [told = std::move(one.told),
               kept = one.outcome](reason_code passed) {
    told(kept == reason_code::success ? passed : kept);
  };
  if (one.how.qos > 0)
    one.how.done = [told](core::errc why) { told(outcome_of(why)); };
  const auto waits = topics_.publish(std::move(one.what), std::move(one.how));
  if (!waits)
    told(reason_code::quota_exceeded);
  else if (!*waits)
    told(reason_code::success);
}

} // namespace troupe::net::mqtt
