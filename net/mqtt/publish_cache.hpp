// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/publication.hpp"
#include "net/mqtt/outgoing_publish.hpp"

#include <cstddef>
#include <memory>
#include <optional>

namespace troupe::net::mqtt {

/// The last publication as it goes to clients: encoded once, shared by all
/// sessions of a loop. For one thread.
class publish_cache {
public:
  outgoing_publish& get(const core::publication_ptr& what);
  void clear();
  /// Bytes that it keeps, about.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// How often it had to encode; for tests.
  [[nodiscard]] std::size_t encoded() const noexcept { return encoded_; }

  /// This thread's.
  static publish_cache& here();

private:
  std::weak_ptr<const core::publication> of_;
  std::optional<outgoing_publish> made_;
  std::size_t size_ = 0;
  std::size_t encoded_ = 0;
};

} // namespace troupe::net::mqtt
