// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "core/topic.hpp"
#include "core/topic_filter.hpp"

#include <string>
#include <string_view>

/// Channels are topics: the bytes between slashes are the levels, whatever
/// they are ("a%20b" is no "a b"). Two channels are one topic exactly if their
/// bytes are the same.
namespace troupe::net::msgbus {

/// A channel that begins with '$' is no topic of the broker's own: its first
/// level gets a byte in front that no request can name. too_large: deeper or
/// longer than topics may be.
core::result<core::topic> topic_of(std::string_view channel);

/// What a subscriber of the channel listens to; of "", the root: everything
/// but the broker's own topics.
core::result<core::topic_filter> filter_of(std::string_view channel);

/// The other way round, for a line of text. Exactly the channel if topic_of()
/// made the topic; of topics made elsewhere, bytes that no target of a request
/// has, and a slash inside of a level, are written as %XX.
[[nodiscard]] std::string channel_of(const core::topic& name);

} // namespace troupe::net::msgbus
