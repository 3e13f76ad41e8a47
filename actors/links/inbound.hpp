// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/frame_stream.hpp"
#include "actors/links/handshake.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace troupe::actors::links {

/// Somebody who has connected to the cluster address and must show that he
/// knows the secret. Owned by the mesh until it is told of the outcome. Bytes
/// and time are bounded. On the socket's thread.
class inbound : public std::enable_shared_from_this<inbound> {
public:
  /// Authenticated (no refusal): accept(), refuse() or keep it for a while.
  using on_proven = std::function<void(const std::shared_ptr<inbound>&)>;
  /// Failed; it is closed already.
  using on_failed =
      std::function<void(const std::shared_ptr<inbound>&, const refusal&)>;

  inbound(boost::asio::ip::tcp::socket socket, handshake_options self,
          caf::actor_system* tls);
  ~inbound();

  void start(std::chrono::milliseconds timeout, on_proven proven,
             on_failed failed);

  [[nodiscard]] const hello& peer() const { return handshake_.peer(); }
  [[nodiscard]] const session_keys& keys() const { return handshake_.keys(); }
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] bool proven() const { return handshake_.authenticated(); }

  /// The stream once the answer is written; null if that failed.
  using on_accepted = std::function<void(std::shared_ptr<frame_stream>)>;
  /// Says yes. Called back in any case, within the time start() was given.
  void accept(on_accepted done);
  /// Says no and hangs up.
  void refuse(const refusal& why);

private:
  void arm(std::chrono::milliseconds timeout);
  void read();
  void on_frame(const frame& got);
  void fail(const refusal& why);

  acceptor_handshake handshake_;
  std::shared_ptr<frame_stream> stream_;
  std::string address_;
  boost::asio::steady_timer deadline_;
  on_proven on_proven_;
  on_failed on_failed_;
  on_accepted on_accepted_; // while the answer is being written
};

} // namespace troupe::actors::links
