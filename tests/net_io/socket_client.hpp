// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/ip_endpoint.hpp"
#include "net/owned_fd.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct ssl_st;
struct ssl_ctx_st;

namespace troupe::net::test {

/// A blocking client whose waits end with the test's patience.
class socket_client {
public:
  explicit socket_client(const ip_endpoint& server,
                         int receive_buffer_bytes = 0);

  void send(std::string_view bytes);
  /// Exactly `count` bytes; fewer if the server ends first.
  std::string receive(std::size_t count);
  /// Up to and with `end`.
  std::string receive_until(std::string_view end);
  /// All to the end of the connection; "" also for a reset.
  std::string receive_all();
  /// The server has ended the connection, cleanly or not.
  bool ended();
  void end_sending();
  /// Closes so that the server sees a reset.
  void reset();
  [[nodiscard]] int fd() const { return fd_.get(); }

private:
  owned_fd fd_;
};

/// A certificate for "localhost" made on the spot, signed by itself or by
/// `issuer`, written as PEM files below the test's temporary folder.
struct test_certificate {
  explicit test_certificate(const std::string& name,
                            const test_certificate* issuer = nullptr);
  std::string certificate_path;
  std::string key_path;
};

/// TLS over a socket_client; trusts anybody.
class tls_client {
public:
  /// `preface` goes before the handshake, as a balancer's PROXY header does.
  explicit tls_client(const ip_endpoint& server,
                      const test_certificate* own = nullptr, int version = 0,
                      std::string_view preface = {});
  ~tls_client();

  /// False if the handshake failed.
  [[nodiscard]] bool connected() const { return connected_; }
  /// False if the session is broken.
  bool send(std::string_view bytes);
  std::string receive(std::size_t count);
  std::string receive_until(std::string_view end);
  std::string receive_all();
  [[nodiscard]] std::string server_name() const;
  [[nodiscard]] std::string alpn() const;
  [[nodiscard]] bool got_close_notify() const;
  [[nodiscard]] socket_client& socket() { return socket_; }

private:
  socket_client socket_;
  std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> context_;
  std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
  bool connected_ = false;
};

} // namespace troupe::net::test
