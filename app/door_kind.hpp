// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace troupe::app {

/// What a listening socket serves to clients. The numbers are those of
/// docs/formats/worker-frames.md.
enum class door_kind : std::uint8_t {
  all = 1,      ///< every protocol, told apart by its first bytes
  mq = 2,       ///< websocket.MQ
  tls = 3,      ///< every protocol inside TLS
  channels = 4, ///< channels over plain HTTP
  mqtt = 5,     ///< MQTT; never of a worker, which has no desk for it
  mqtt_tls = 6, ///< the same inside TLS
};

} // namespace troupe::app
