// SPDX-License-Identifier: Apache-2.0
// What a session does about retained messages: how they come to be kept, and
// how those that are kept come to the client.
#include "net/mqtt/crossing.hpp"
#include "net/mqtt/session.hpp"

#include <utility>

namespace troupe::net::mqtt {

key_space* session::keys() const {
  return house_.options().retained && house_.serving() ? house_.with().keys
                                                       : nullptr;
}

publish_state session::pass_on(core::publication what, std::string_view shown,
                               queue_terms terms, std::uint64_t ticket) {
  const bool kept = marks_of(what).retain && keys() != nullptr;
  if (kept || (line_ && !line_->empty()))
    return line_up(std::move(what), shown, std::move(terms), ticket);
  const auto waits =
      house_.with().topics.publish(std::move(what), std::move(terms));
  if (!waits)
    return publish_state::refused;
  return *waits ? publish_state::pending : publish_state::done;
}

/// The line may have to tell long after the session has gone.
publish_state session::line_up(core::publication what, std::string_view shown,
                               queue_terms terms, std::uint64_t ticket) {
  terms.done = {};
  if (!line_)
    line_ = std::make_shared<publish_line>(house_.with().topics, keys(),
                                           house_.stats());
  const auto refused =
      line_->publish(std::move(what), std::move(terms),
                     [weak = std::weak_ptr<session*>{self_}, ticket,
                      shown = std::string{shown}](reason_code outcome) {
                       const auto still = weak.lock();
                       if (!still || (*still)->gate_.closed())
                         return;
                       (*still)->run([&] {
                         if (is_failure(outcome))
                           (*still)->refused(core::audit_kind::publish, shown,
                                             to_string(outcome));
                         (*still)->gate_.on_published(ticket, outcome);
                       });
                     });
  return refused ? publish_state::refused : publish_state::pending;
}

// ------------------------------------------------------------- to the client

void session::send_retained(const core::topic_filter& what,
                            const core::topic_filter& of) {
  if (!feed_) {
    retained_outlet& outlet = *this; // nobody else may see it so
    feed_ = std::make_unique<retained_feed>(outlet, house_.stats(),
                                            house_.options().realm);
  }
  feed_->begin(what, of);
}

void session::settle(std::uint64_t number) {
  keys()->settle([weak = std::weak_ptr<session*>{self_}, number](bool all) {
    if (const auto still = weak.lock(); still && !(*still)->gate_.closed())
      (*still)->run([&] { (*still)->feed_->on_settled(number, all); });
  });
}

void session::read(key_query what, std::uint64_t number) {
  keys()->read(std::move(what), [weak = std::weak_ptr<session*>{self_},
                                 number](kept_page page) {
    if (const auto still = weak.lock(); still && !(*still)->gate_.closed())
      (*still)->run([&] {
        (*still)->feed_->on_page(number, std::move(page),
                                 (*still)->house_.with().clock.now());
      });
  });
}

void session::go_on_with_retained() {
  if (feed_ && feed_->busy())
    feed_->pump(house_.with().clock.now());
}

void session::note_value(const core::publication& what) {
  if (!feed_ || feed_->idle())
    return;
  if (const auto revision = marks_of(what).revision; revision != 0)
    feed_->on_live(what.topic, revision);
}

} // namespace troupe::net::mqtt
