// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/handles.hpp"
#include "core/errc.hpp"
#include "core/ids.hpp"
#include "core/key_query.hpp"
#include "core/shared_bytes.hpp"
#include "core/topic_filter.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

/// The messages about retained keys; see handles.hpp. They travel by pointer
/// inside the process.
namespace troupe::actors::keys {

/// keys → shard: what a filter matches among the keys of the shard, from
/// behind `after` on, as it stands when this is asked.
struct keys_asked {
  std::uint64_t ticket = 0;
  keys_client from;
  std::string realm;
  core::topic_filter filter;
  std::optional<std::string> after;
  core::key_page_limits limits;
};

/// shard → keys.
struct keys_found {
  std::uint64_t ticket = 0;
  core::errc failure = core::errc::ok;
  /// With errc::not_leader: who leads, 0 if unknown here.
  core::node_id leader{};
  core::key_page page;
};

/// Which way a frame of key_read_wire.hpp goes.
enum class keys_way : std::uint8_t { question, answer };

struct keys_frame {
  core::node_id from;
  keys_way way = keys_way::question;
  core::shared_bytes bytes;
  /// Given back to the link when the frame has been worked on. May be null.
  std::shared_ptr<const void> credit{};
};

struct keys_state;
struct keys_order {
  std::function<void(keys_state&)> work;
};

} // namespace troupe::actors::keys

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::keys::keys_asked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::keys::keys_found)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::keys::keys_frame)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::keys::keys_order)
