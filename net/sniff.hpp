// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troupe::net {

/// What a peer speaks, told from its first bytes.
enum class sniffed : std::uint8_t {
  need_more, ///< no byte yet, or it may still be a PROXY header
  tls,
  http,
  mq, ///< websocket.MQ's own frames
  mqtt,
  wamp_rawsocket,
  proxy_v1, ///< a PROXY header in text; another protocol follows it
  proxy_v2, ///< the same in binary
  unknown,
};

/// The most bytes a decision needs.
inline constexpr std::size_t sniff_bytes_max = 12;

[[nodiscard]] sniffed sniff(core::bytes_view first_bytes) noexcept;

[[nodiscard]] std::string_view to_string(sniffed what) noexcept;

} // namespace troupe::net
