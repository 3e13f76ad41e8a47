// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/retained_feed.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace troupe::net::mqtt {

void retained_feed::begin(const core::topic_filter& heard,
                          const core::topic_filter& of) {
  forget_at_.reset();
  const auto same = [&](const scan& each) {
    return !each.repairs && *each.of == of;
  };
  std::erase_if(scans_, same);
  scan fresh;
  fresh.heard = heard;
  fresh.of = std::make_shared<const core::topic_filter>(of);
  scans_.push_back(std::move(fresh));
  start_first();
}

void retained_feed::start_first() {
  if (stopped_ || scans_.empty() || scans_.front().at != step::waits)
    return;
  auto& first = scans_.front();
  first.begun = memory_.now();
  if (first.repairs)
    return read(first);
  first.at = step::settles;
  first.number = ++last_number_;
  outlet_.settle(first.number);
}

void retained_feed::read(scan& one) {
  one.at = step::reads;
  one.number = ++last_number_;
  one.asked = memory_.now();
  key_query what;
  what.realm = realm_;
  what.filter = one.heard;
  what.from = one.from;
  outlet_.read(std::move(what), one.number);
}

void retained_feed::on_settled(std::uint64_t number, bool all) {
  if (stopped_ || scans_.empty() || scans_.front().number != number)
    return;
  scans_.front().incomplete = !all;
  read(scans_.front());
}

void retained_feed::on_page(std::uint64_t number, kept_page page,
                            core::steady_time now) {
  if (stopped_ || scans_.empty() || scans_.front().number != number)
    return;
  auto& first = scans_.front();
  first.at = step::gives;
  first.incomplete = first.incomplete || page.unread > 0;
  first.page = std::move(page);
  first.next = 0;
  pump(now);
}

void retained_feed::pump(core::steady_time now) {
  if (std::exchange(pumping_, true))
    return;
  while (!stopped_ && !scans_.empty() && scans_.front().at == step::gives) {
    auto& first = scans_.front();
    if (first.next == first.page.keys.size()) {
      if (!first.page.next) {
        end_first(now);
        continue;
      }
      first.from = *std::exchange(first.page.next, std::nullopt);
      first.rereads = 0;
      read(first);
      break;
    }
    if (!outlet_.has_room())
      break;
    if (!give_next(first))
      break;
  }
  pumping_ = false;
}

bool retained_feed::give_next(scan& one) {
  if (reads_again(one))
    return false;
  // Both may go on the way.
  const auto key = std::move(one.page.keys[one.next++]);
  const auto of = one.of;
  const auto& topic = key.what->topic.text();
  if (memory_.is_superseded(topic, key.revision, one.begun)) {
    count(stats_.retained_superseded);
    return true;
  }
  memory_.on_kept(topic, key.revision, of);
  if (outlet_.give(*of, key.what)) {
    count(stats_.retained_sent);
    return true;
  }
  if (stopped_)
    return true;
  // Nobody wants the rest.
  scans_.front().page = {};
  scans_.front().next = 0;
  return true;
}

/// What is remembered does not say any more whether this page is old.
bool retained_feed::reads_again(scan& one) {
  if (!memory_.forgot_since(one.asked))
    return false;
  if (one.rereads == rereads_max) {
    one.incomplete = true;
    return false;
  }
  ++one.rereads;
  // Those of it that were given are superseded by themselves.
  one.page = {};
  one.next = 0;
  read(one);
  return true;
}

void retained_feed::end_first(core::steady_time now) {
  if (scans_.front().incomplete)
    count(stats_.retained_incomplete);
  repairs_ -= scans_.front().repairs ? 1U : 0U;
  scans_.pop_front();
  if (scans_.empty())
    forget_at_ = now + linger;
  start_first();
}

void retained_feed::on_live(const core::topic& topic, std::uint64_t revision) {
  if (stopped_)
    return;
  const auto& name = topic.text();
  const bool known = memory_.knows(name);
  const bool wanted = !scans_.empty() && scans_.front().at != step::waits &&
                      scans_.front().heard.matches(topic);
  if (!wanted && !known)
    return;
  const auto of = known ? memory_.last_of(name) : scans_.front().of;
  if (memory_.on_live(name, revision, of) || repairs_ >= repairs_max)
    return;
  // An older value behind a newer one: that one once more.
  scan again;
  again.heard = core::topic_filter{topic};
  again.of = of;
  again.repairs = true;
  ++repairs_;
  forget_at_.reset();
  scans_.push_back(std::move(again));
  start_first();
}

void retained_feed::on_tick(core::steady_time now) {
  if (!forget_at_ || now < *forget_at_)
    return;
  forget_at_.reset();
  memory_.clear();
}

void retained_feed::stop() {
  stopped_ = true;
  scans_.clear();
  repairs_ = 0;
  memory_.clear();
  forget_at_.reset();
}

} // namespace troupe::net::mqtt
