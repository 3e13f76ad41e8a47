// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/load_measures.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::bench {

/// For all connections of a load; trusts every broker. Null: no TLS.
using tls_terms = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

inline tls_terms no_tls() { return {nullptr, SSL_CTX_free}; }
inline tls_terms any_tls() {
  tls_terms made{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  if (!made)
    throw std::runtime_error{"no TLS"};
  SSL_CTX_set_mode(made.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return made;
}

/// A connection to a broker on 127.0.0.1, with or without TLS; never waits once
/// it is there.
class load_stream {
public:
  /// Comes from the address `from` (127.0.0.x: each has ports of its own).
  load_stream(std::uint16_t port, std::uint32_t from, const tls_terms& terms)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(from);
    if (fd_ < 0 || ::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) < 0)
      give_up("bind");
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) < 0)
      give_up("connect");
    const int on = 1;
    (void)::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (terms) {
      tls_.reset(SSL_new(terms.get()));
      if (!tls_ || SSL_set_fd(tls_.get(), fd_) != 1 ||
          SSL_connect(tls_.get()) != 1)
        throw std::runtime_error{"TLS with the broker failed"};
    }
    if (::fcntl(fd_, F_SETFL, O_NONBLOCK) < 0)
      give_up("fcntl");
  }
  ~load_stream() {
    tls_.reset();
    ::close(fd_);
  }
  load_stream(const load_stream&) = delete;
  load_stream& operator=(const load_stream&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  /// Read from the socket already, so that epoll says nothing of it.
  [[nodiscard]] bool has_more() const {
    return tls_ && SSL_pending(tls_.get()) > 0;
  }

  /// So many bytes; 0: none now. Throws when the broker has ended it.
  std::size_t read(char* to, std::size_t size) {
    if (tls_)
      return outcome_of(SSL_read(tls_.get(), to, static_cast<int>(size)));
    const auto got = ::recv(fd_, to, size, 0);
    if (got == 0)
      throw std::runtime_error{"the broker has ended a connection"};
    return outcome_of(got, "recv");
  }
  std::size_t write(std::string_view bytes) {
    if (tls_)
      return outcome_of(
          SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())));
    return outcome_of(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
                      "send");
  }

private:
  static std::size_t outcome_of(ssize_t size, const char* call) {
    if (size < 0 && errno != EAGAIN && errno != EINTR)
      give_up(call);
    return size < 0 ? 0 : static_cast<std::size_t>(size);
  }
  std::size_t outcome_of(int size) {
    if (size > 0)
      return static_cast<std::size_t>(size);
    const int why = SSL_get_error(tls_.get(), size);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
      throw std::runtime_error{"the broker has ended a connection"};
    return 0;
  }

  int fd_;
  std::unique_ptr<SSL, decltype(&SSL_free)> tls_{nullptr, SSL_free};
};

} // namespace troupe::bench
