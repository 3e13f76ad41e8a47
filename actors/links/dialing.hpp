// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/frame_stream.hpp"
#include "actors/links/handshake.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors::links {

/// A connection whose both ends have proven to know the secret.
struct proven_connection {
  std::shared_ptr<frame_stream> stream;
  hello peer;
  session_keys keys;
};

struct dial_request {
  handshake_options self;
  links::purpose purpose = purpose::link;
  core::node_id expected;
  std::vector<std::string> addresses;
  std::chrono::milliseconds connect_timeout{0};
  std::chrono::milliseconds handshake_timeout{0};
  /// Null: plain.
  caf::actor_system* tls = nullptr;
};

/// One attempt to reach a peer: name, socket, TLS, proof. Ends by one call of
/// `done`, or by being dropped. On the context's thread.
class dialing : public std::enable_shared_from_this<dialing> {
public:
  /// A connection, or why there is none.
  using on_done =
      std::function<void(std::optional<proven_connection>, refusal)>;

  static std::shared_ptr<dialing> start(boost::asio::io_context& context,
                                        dial_request request, on_done done);
  dialing(boost::asio::io_context& context, dial_request request, on_done done);
  ~dialing();

  /// The peer has answered: it knows of this attempt.
  [[nodiscard]] bool proving() const { return answered_; }

private:
  void begin(boost::asio::io_context& context);
  void on_connected(core::result<boost::asio::ip::tcp::socket> socket);
  void read();
  void on_frame(const frame& got);
  void write(std::string bytes);
  void finish(std::optional<proven_connection> connection, refusal why);

  const dial_request request_;
  on_done done_;
  dialer_handshake handshake_;
  boost::asio::steady_timer deadline_;
  std::shared_ptr<void> connect_;
  std::shared_ptr<frame_stream> stream_;
  bool answered_ = false;
};

} // namespace troupe::actors::links
