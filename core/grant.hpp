// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "core/topic_filter.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What somebody may do, and on which topics.
namespace troupe::core {

/// Numbers are stable (stored).
enum class right : std::uint8_t {
  publish = 1,
  subscribe = 2,
  post = 3, ///< to inboxes and lists: topics users/<uid>, lists/<name>
  call = 4,
  register_procedure = 5,
  admin = 6, ///< acts on others' channels and sessions, from a client
};
inline constexpr std::array rights_all{
    right::publish, right::subscribe,          right::post,
    right::call,    right::register_procedure, right::admin};
[[nodiscard]] constexpr bool is_right(std::uint8_t number) noexcept {
  return number >= 1 && number <= rights_all.size();
}
/// "publish", …, "register", "admin".
[[nodiscard]] std::string_view to_string(right what) noexcept;

inline constexpr std::size_t grant_bytes_max = 1024;

/// What %u and %c stand for.
struct grant_subject {
  std::string_view uid;    ///< "" for somebody without a name
  std::string_view client; ///< what the door calls this client; may be ""
};

/// A right on the topics of a filter. The filter is spelled as in
/// topic_filter, and may have placeholders in its levels: %u the name of the
/// user, %c the name of the client.
struct grant {
  right what = right::publish;
  std::string filter = "#";

  /// "RIGHT:FILTER". malformed, name_invalid, too_large.
  static result<grant> parse(std::string_view text);
  /// ok if the filter is one. name_invalid, too_large.
  [[nodiscard]] error check() const;

  /// With what the placeholders stand for; nothing if the subject lacks it.
  [[nodiscard]] std::optional<topic_filter>
  expand(const grant_subject& subject) const;
  [[nodiscard]] bool has_placeholder() const noexcept;

  friend auto operator<=>(const grant&, const grant&) = default;
};

/// "RIGHT:FILTER".
[[nodiscard]] std::string to_string(const grant& g);

} // namespace troupe::core
