// SPDX-License-Identifier: Apache-2.0
#include "net/transport.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace troupe::net {

namespace {

class tcp_transport final : public transport {
public:
  explicit tcp_transport(int fd) : fd_(fd) {}

  io_result handshake() override { return {}; }

  io_result read_some(std::span<std::byte> into) override {
    for (;;) {
      auto n = ::recv(fd_, into.data(), into.size(), 0);
      if (n > 0) {
        auto bytes = static_cast<std::size_t>(n);
        return {io_status::done, bytes, bytes < into.size()};
      }
      if (n == 0)
        return {io_status::closed, 0, true};
      if (errno == EINTR)
        continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK)
        return {io_status::want_read, 0, true};
      return failed();
    }
  }

  io_result write_some(std::span<const iovec> from) override {
    std::size_t wanted = 0;
    for (const auto& piece : from)
      wanted += piece.iov_len;
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(from.data());
    message.msg_iovlen = from.size();
    for (;;) {
      auto n = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
      if (n >= 0) {
        auto bytes = static_cast<std::size_t>(n);
        auto status = bytes == wanted ? io_status::done : io_status::want_write;
        return {status, bytes, false};
      }
      if (errno == EINTR)
        continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK)
        return {io_status::want_write, 0, false};
      return failed();
    }
  }

  io_result shutdown() override {
    return ::shutdown(fd_, SHUT_WR) == 0 ? io_result{} : failed();
  }

  [[nodiscard]] bool secure() const noexcept override { return false; }

  [[nodiscard]] std::string last_error() const override {
    return error_ == 0 ? std::string{} : std::strerror(error_);
  }

private:
  io_result failed() {
    error_ = errno;
    return {io_status::failed, 0, true};
  }

  int fd_;
  int error_ = 0;
};

} // namespace

std::unique_ptr<transport> make_tcp_transport(int fd) {
  return std::make_unique<tcp_transport>(fd);
}

} // namespace troupe::net
