// SPDX-License-Identifier: Apache-2.0
// The broker of a session that outlives its connections: what it is asked for
// becomes durable later, in its order, and is told later still.
#include "tests/net/mqtt/random_session.hpp"

namespace troupe::net::mqtt::test {

// ------------------------------------------------ what a gate asks the broker

void connection::open_session(const session_request& what) { of_.open(what); }

publish_state connection::publish(core::publication what, std::string_view,
                                  std::uint64_t ticket) {
  const auto level = marks_of(what).level;
  if (level == q0)
    return publish_state::done;
  for (auto& [id, each] : of_.saying_)
    if (each.payload == what.payload.text())
      each.ticket = ticket;
  const bool fails = !of_.calm_ && of_.by_ == version::v5 && of_.chance(8);
  of_.later([this, ticket, fails, text = std::string{what.payload.text()}] {
    if (!fails)
      of_.published_.insert(text);
    of_.tell([this, ticket, fails] {
      of_.resolved_.insert(ticket);
      subject.on_published(ticket, fails ? reason_code::quota_exceeded
                                         : reason_code::success);
    });
  });
  return publish_state::pending;
}

void connection::publish_once(core::publication what, std::string_view,
                              std::uint64_t ticket, packet_id id) {
  of_.saying_.at(id.value()).ticket = ticket;
  of_.later([this, ticket, id, text = std::string{what.payload.text()}] {
    const auto [at, fresh] =
        of_.received_.try_emplace(id.value(), of_.last_taken_ + 1);
    of_.last_taken_ += fresh ? 1 : 0;
    if (of_.taken_.insert(at->second).second)
      of_.published_.insert(text);
    of_.tell([this, ticket] {
      of_.resolved_.insert(ticket);
      subject.on_published(ticket, reason_code::success);
    });
  });
}

void connection::release(packet_id id) {
  of_.later([this, id] {
    of_.received_.erase(id.value());
    of_.tell([this, id] { subject.on_completed({id.value()}); });
  });
}

void connection::settle(core::inbox_position up_to,
                        std::vector<std::uint16_t> awaiting) {
  EXPECT_FALSE(closed);
  EXPECT_LE(up_to.value(), delivered_up_to);
  of_.later([this, up_to, awaiting = std::move(awaiting)] {
    EXPECT_GE(up_to.value(), of_.cursor_);
    of_.cursor_ = std::max(of_.cursor_, up_to.value());
    of_.awaiting_.insert(awaiting.begin(), awaiting.end());
    if (!awaiting.empty())
      of_.tell([this, awaiting] { subject.on_released(awaiting); });
  });
}

void connection::complete(packet_id id) {
  of_.later([this, id] { of_.awaiting_.erase(id.value()); });
}

void connection::route(std::uint64_t ticket,
                       std::vector<core::route_name> remove,
                       std::vector<core::route> add) {
  if (asking != 0)
    waits_for_route[asking] = ticket;
  of_.later([this, ticket, remove = std::move(remove), add = std::move(add)] {
    auto all = of_.routes_.rbegin()->second;
    const auto index = of_.routes_.rbegin()->first + 1;
    core::client_routed done;
    done.ticket = ticket;
    done.at = core::log_index{index + 1};
    for (const auto& each : remove) {
      done.results.push_back(all.erase(each.filter) > 0
                                 ? core::route_result::was_present
                                 : core::route_result::was_absent);
      of_.removed_at_ = index;
    }
    for (const auto& each : add) {
      const auto level = static_cast<qos>(each.options.qos);
      const bool refuse =
          !of_.calm_ && !all.contains(each.name.filter) && of_.chance(10);
      done.results.push_back(refuse ? core::route_result::refused
                             : all.contains(each.name.filter)
                                 ? core::route_result::was_present
                                 : core::route_result::was_absent);
      if (refuse)
        continue;
      all[each.name.filter] = level;
      if (level == q0)
        of_.removed_at_ = index; // by which things are queued
    }
    of_.routes_[index] = std::move(all);
    of_.note("  routed " + std::to_string(ticket) + " at " +
             std::to_string(index));
    if (!of_.calm_ && of_.chance(60))
      done.failure.code = core::errc::timed_out; // it was done all the same
    of_.tell([this, done] {
      of_.resolved_.insert(done.ticket);
      subject.on_routed(done);
    });
  });
}

void connection::queue_own(const core::publication& what, qos level, bool,
                           std::vector<std::uint32_t>) {
  random_session::message one;
  one.number = std::stoull(std::string{what.payload.text()});
  one.topic = what.topic.text();
  one.expiry = marks_of(what).expiry;
  of_.append(std::move(one), level); // by a courier, whatever becomes of us
}

void connection::settle(std::uint64_t number) {
  of_.tell([this, number] { feed.on_settled(number, true); });
}

void connection::read(key_query what, std::uint64_t number) {
  kept_page page;
  for (const auto& [topic, each] : of_.keys_)
    if (what.filter.matches(*parse_topic(topic)))
      page.keys.push_back(each);
  of_.tell([this, number, page] { feed.on_page(number, page, now); });
}

} // namespace troupe::net::mqtt::test
