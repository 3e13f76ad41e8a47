// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/handshake.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace troupe::test_support {

/// A blocking socket to 127.0.0.1 that says whatever a test wants. Every wait
/// ends after 10 s.
class raw_peer {
public:
  explicit raw_peer(std::uint16_t port);
  ~raw_peer();
  raw_peer(const raw_peer&) = delete;
  raw_peer& operator=(const raw_peer&) = delete;

  /// False if the other side has hung up.
  bool send(std::string_view bytes);
  /// Exactly so many, fewer at the end.
  std::string receive(std::size_t size);
  /// The other side hangs up, whatever it says before.
  bool wait_for_end();
  struct frame {
    actors::links::frame_type type{};
    std::string payload;
  };
  std::optional<frame> receive_frame();
  /// The whole conversation of a dialer. The last step.
  actors::links::handshake_step
  shake_hands(actors::links::dialer_handshake& dialer);

private:
  int socket_ = -1;
};

} // namespace troupe::test_support
