// SPDX-License-Identifier: Apache-2.0
#include "actors/links/connector.hpp"

#include "actors/links/name_lookup.hpp"

#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <optional>
#include <sstream>

namespace troupe::actors::links {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using socket_result = core::result<tcp::socket>;

class connector : public std::enable_shared_from_this<connector> {
public:
  connector(asio::io_context& context, std::vector<std::string> addresses,
            std::chrono::milliseconds timeout,
            std::function<void(socket_result)> done)
      : context_(context), timer_(context), addresses_(std::move(addresses)),
        timeout_(timeout), done_(std::move(done)) {}

  void next_address() {
    if (address_ == addresses_.size()) {
      done_(core::error{core::errc::unavailable,
                        reasons_.empty() ? "no address" : reasons_});
      return;
    }
    found_.clear();
    next_ = 0;
    const auto where = parse_host_port(addresses_[address_++]);
    if (!where) {
      add_reason(where.error().detail);
      next_address();
      return;
    }
    start_deadline([](connector& self) {
      self.lookup_.reset();
      self.add_reason(self.addresses_[self.address_ - 1] +
                      ": the name was not found in time");
      self.next_address();
    });
    lookup_ = look_up(context_, *where,
                      [weak = weak_from_this()](core::result<endpoints> found) {
                        if (const auto self = weak.lock())
                          self->on_found(std::move(found));
                      });
  }

private:
  void on_found(core::result<endpoints> found) {
    timer_.cancel();
    ++round_;
    if (found)
      found_ = std::move(*found);
    else
      add_reason(found.error().detail);
    next_endpoint();
  }

  void next_endpoint() {
    if (next_ == found_.size()) {
      next_address();
      return;
    }
    endpoint_ = found_[next_++];
    socket_.emplace(context_);
    start_deadline([](connector& self) {
      self.socket_.reset();
      self.add_failure("no answer in time");
      self.next_endpoint();
    });
    socket_->async_connect(endpoint_,
                           [weak = weak_from_this(), round = round_](
                               const boost::system::error_code& failed) {
                             const auto self = weak.lock();
                             if (!self || self->round_ != round)
                               return;
                             ++self->round_;
                             self->timer_.cancel();
                             self->on_connected(failed);
                           });
  }

  void on_connected(const boost::system::error_code& failed) {
    if (failed) {
      socket_.reset();
      add_failure(failed.message());
      next_endpoint();
      return;
    }
    auto socket = std::move(*socket_);
    socket_.reset();
    done_(std::move(socket));
  }

  /// What happens later than the deadline belongs to an older round.
  template <class Function>
  void start_deadline(Function on_late) {
    ++round_;
    timer_.expires_after(timeout_);
    timer_.async_wait([weak = weak_from_this(), round = round_,
                       on_late](const boost::system::error_code& cancelled) {
      const auto self = weak.lock();
      if (cancelled || !self || self->round_ != round)
        return;
      ++self->round_;
      on_late(*self);
    });
  }

  void add_failure(const std::string& reason) {
    std::ostringstream text;
    text << endpoint_ << ": " << reason;
    add_reason(text.str());
  }
  void add_reason(const std::string& reason) {
    reasons_ += reasons_.empty() ? reason : "; " + reason;
  }

  asio::io_context& context_;
  asio::steady_timer timer_;
  const std::vector<std::string> addresses_;
  const std::chrono::milliseconds timeout_;
  const std::function<void(socket_result)> done_;
  std::size_t address_ = 0;
  std::shared_ptr<void> lookup_;
  endpoints found_;
  std::size_t next_ = 0;
  tcp::endpoint endpoint_;
  std::optional<tcp::socket> socket_;
  std::uint64_t round_ = 0;
  std::string reasons_;
};

} // namespace

std::shared_ptr<void> connect_to(asio::io_context& context,
                                 std::vector<std::string> addresses,
                                 std::chrono::milliseconds timeout,
                                 std::function<void(socket_result)> done) {
  auto fresh = std::make_shared<connector>(context, std::move(addresses),
                                           timeout, std::move(done));
  fresh->next_address();
  return fresh;
}

} // namespace troupe::actors::links
