// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/publication.hpp"
#include "net/msgbus/part_writer.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>

namespace troupe::net::msgbus {

/// The bytes of the last publication in each way in which somebody wanted
/// them: written once, shared by all subscribers of a loop. For one thread.
class part_cache {
public:
  /// `located`: with its channel, as those who listen to the root get it.
  const core::shared_bytes& get(const core::publication_ptr& what, framing how,
                                bool located);
  void clear();
  /// Bytes it keeps.
  [[nodiscard]] std::size_t size() const noexcept;
  /// How often it had to write; for tests.
  [[nodiscard]] std::size_t written() const noexcept { return written_; }

  /// This thread's.
  static part_cache& here();

private:
  // No owner: a large payload would be kept for nothing.
  std::weak_ptr<const core::publication> of_;
  std::array<std::optional<core::shared_bytes>, framing_count * 2> made_;
  std::size_t written_ = 0;
};

/// What is written of a publication. `location` is its channel and `id` its
/// mark, kept by the caller as long as the part.
[[nodiscard]] part part_of(const core::publication& what, bool located,
                           const std::string& location, const std::string& id);

/// The content type of what has none, as that of another door.
inline constexpr std::string_view default_type = "application/octet-stream";
[[nodiscard]] inline std::string_view type_of(const core::publication& what) {
  return what.content_type.empty() ? default_type
                                   : std::string_view{what.content_type};
}

} // namespace troupe::net::msgbus
