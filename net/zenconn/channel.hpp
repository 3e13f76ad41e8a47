// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/publication.hpp"
#include "core/result.hpp"
#include "core/topic.hpp"
#include "net/zenconn/message.hpp"

#include <cstddef>
#include <string>
#include <string_view>

/// ZenConn's channels among the broker's topics
/// (docs/decisions/0019-zenconn.md).
namespace troupe::net::zenconn {

[[nodiscard]] inline bool is_private(std::string_view channel) {
  return channel.starts_with(private_prefix);
}

/// Where a channel's messages are published: a public one under its bytes
/// between slashes, a private one and that of everybody below $zenconn.
/// name_invalid ("", "private.", what begins with '$'), too_large.
[[nodiscard]] core::result<core::topic> topic_of(std::string_view channel);

/// Where a node listens that has members of it, to be asked how many.
[[nodiscard]] core::result<core::topic>
question_topic(std::string_view channel);

/// Where a floor listens for what is answered.
[[nodiscard]] core::topic answer_topic(core::node_id node, std::size_t floor);

} // namespace troupe::net::zenconn
