// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/session_event.hpp"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::test_support {

/// Keeps what a session tells its connection.
class recording_link final : public core::session_link {
public:
  void on_event(core::session_event event) override {
    events.push_back(std::move(event));
  }

  /// The events of one kind so far, in order.
  template <class Event>
  [[nodiscard]] std::vector<Event> all() const {
    std::vector<Event> found;
    for (const auto& event : events)
      if (const auto* one = std::get_if<Event>(&event))
        found.push_back(*one);
    return found;
  }
  /// The last event of one kind; a default one if there was none.
  template <class Event>
  [[nodiscard]] Event last() const {
    auto found = all<Event>();
    return found.empty() ? Event{} : std::move(found.back());
  }
  template <class Event>
  [[nodiscard]] std::size_t count() const {
    return all<Event>().size();
  }
  /// Payloads of all deliveries so far.
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> found;
    for (const auto& d : all<core::delivery>())
      found.emplace_back(d.message->payload.text());
    return found;
  }

  std::vector<core::session_event> events;
};

} // namespace troupe::test_support
