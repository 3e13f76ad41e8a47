// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"
#include "core/topic.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::core {

/// What was published under a topic. Immutable once it is, and shared by all
/// who get it; it is gone when they have it.
struct publication {
  std::string realm = "default";
  core::topic topic;
  /// Where it was published; the router says so.
  node_id node;
  /// Names whoever published it on its node, as long as that lives; 0: nobody.
  std::uint64_t publisher = 0;
  /// Which publication of its node it is: ascends in the order in which the
  /// node published, also over restarts as long as its clock does; about the
  /// time in microseconds. The router says so.
  std::uint64_t number = 0;
  /// It has been queued for the sessions that have routes to it, by a table of
  /// routes as of this index of the directory's log; 0: it has not.
  std::uint64_t queued_as_of = 0;
  std::string sender;       ///< uid, "" if there is none
  std::string content_type; ///< "" if the protocol has none
  std::vector<std::pair<std::string, std::string>> headers;
  shared_bytes payload;

  friend bool operator==(const publication&, const publication&) = default;
};

using publication_ptr = std::shared_ptr<const publication>;

struct publication_limits {
  std::size_t headers_max = 64;
  /// Of sender, content type and headers together; below 64 KiB.
  std::size_t head_bytes_max = std::size_t{32} << 10U;
  std::size_t payload_bytes_max = std::size_t{20} << 20U;
};

/// too_large, too_many, name_invalid (the realm).
result<void> check(const publication& p, const publication_limits& limits);

/// Bytes one takes while it waits somewhere, about.
[[nodiscard]] inline std::size_t weight(const publication& p) {
  return p.payload.size() + p.topic.text().size() + 256;
}

} // namespace troupe::core
