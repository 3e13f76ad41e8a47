// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"
#include "net/output_queue.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <sys/uio.h>
#include <utility>
#include <vector>

namespace troupe::bench {

/// What one read brought: the frames for the subscribers.
using batch = std::vector<core::shared_bytes>;
using batch_ptr = std::shared_ptr<const batch>;

/// The socket of one client, the same for both servers. Host gives it
/// `flushable`, `mark_dirty(shared_ptr<flushable>)`, `publish(batch_ptr)` and
/// `subscribe(connection&)`. Lives on its host's thread.
template <class Host>
class connection : public Host::flushable,
                   public std::enable_shared_from_this<connection<Host>> {
public:
  connection(boost::asio::ip::tcp::socket socket, Host& host)
      : socket_(std::move(socket)), host_(host) {
    socket_.non_blocking(true);
    socket_.set_option(boost::asio::ip::tcp::no_delay(true));
  }

  void read() {
    socket_.async_read_some(
        boost::asio::buffer(input_.data() + filled_, input_.size() - filled_),
        [self = this->shared_from_this()](
            const boost::system::error_code& error, std::size_t count) {
          if (!error)
            self->on_read(count);
        });
  }

  void append(const batch& frames) {
    for (const auto& frame : frames)
      output_.append(frame);
    host_.mark_dirty(this->shared_from_this());
  }

  void flush() override {
    while (!blocked_ && !output_.empty()) {
      std::array<iovec, 64> pieces{};
      const auto count = output_.gather(pieces.data(), pieces.size());
      const auto written = ::writev(socket_.native_handle(), pieces.data(),
                                    static_cast<int>(count));
      if (written >= 0) {
        output_.consume(static_cast<std::size_t>(written));
      } else if (errno == EAGAIN) {
        wait_until_writable();
      } else {
        output_.clear();
      }
    }
  }

private:
  static constexpr std::size_t header_bytes = 5;

  void on_read(std::size_t count) {
    filled_ += count;
    auto frames = std::make_shared<batch>();
    std::size_t used = 0;
    while (filled_ - used >= header_bytes) {
      std::uint32_t length = 0;
      std::memcpy(&length, input_.data() + used, sizeof length);
      const std::size_t size = sizeof length + length;
      if (filled_ - used < size)
        break;
      if (input_[used + sizeof length] == std::byte{'S'})
        host_.subscribe(*this);
      else
        frames->push_back(
            core::shared_bytes::copy_of({input_.data() + used, size}));
      used += size;
    }
    std::memmove(input_.data(), input_.data() + used, filled_ - used);
    filled_ -= used;
    if (!frames->empty())
      host_.publish(std::move(frames));
    read();
  }

  void wait_until_writable() {
    blocked_ = true;
    socket_.async_wait(boost::asio::socket_base::wait_write,
                       [self = this->shared_from_this()](
                           const boost::system::error_code& error) {
                         self->blocked_ = false;
                         if (!error)
                           self->flush();
                       });
  }

  boost::asio::ip::tcp::socket socket_;
  Host& host_;
  std::vector<std::byte> input_ = std::vector<std::byte>(64 * 1024);
  std::size_t filled_ = 0;
  net::output_queue output_;
  bool blocked_ = false;
};

} // namespace troupe::bench
