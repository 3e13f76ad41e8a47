// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mqtt/reason_code.hpp"

#include <string>
#include <string_view>

namespace troupe::net::mqtt {

/// A rule of the specification that a peer can break. `clause_3` is its number
/// in MQTT 3.1.1 (also said to peers with 3.1, which has none), `clause_5` in
/// MQTT 5: of a normative statement, "MQTT-3.1.2-3", or of a section; "" if
/// that version has no such rule.
struct rule {
  reason_code reason;
  std::string_view clause_3;
  std::string_view clause_5;
  std::string_view text;
};

/// What a peer did wrong: why its connection ends. All texts are literals.
struct violation {
  reason_code reason = reason_code::success;
  std::string_view clause{};
  std::string_view text{};
  std::string_view about{}; ///< the field or packet concerned, or ""

  friend bool operator==(const violation&, const violation&) = default;
};

/// "[MQTT-3.1.2-3] reserved connect flag is set", for logs and, as reason
/// string, for the peer.
[[nodiscard]] inline std::string to_string(const violation& what) {
  std::string text;
  if (!what.clause.empty()) {
    text += '[';
    text += what.clause;
    text += "] ";
  }
  text += what.text;
  if (!what.about.empty()) {
    text += ": ";
    text += what.about;
  }
  return text;
}

[[nodiscard]] constexpr violation broken(const rule& which, version by,
                                         std::string_view about = {}) noexcept {
  return {which.reason, by == version::v5 ? which.clause_5 : which.clause_3,
          which.text, about};
}

} // namespace troupe::net::mqtt
