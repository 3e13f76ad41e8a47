// SPDX-License-Identifier: Apache-2.0
#include "actors/links/link_listener.hpp"

#include <boost/asio/ip/address.hpp>

#include <sstream>

namespace troupe::actors::links {

namespace {

using boost::asio::ip::tcp;

constexpr int backlog = 128;
// After the process ran out of descriptors or memory.
constexpr std::chrono::milliseconds rest_time{100};

core::result<boost::asio::ip::address> address_of(const host_port& where) {
  using namespace boost::asio::ip;
  if (where.host.empty() || where.host == "*")
    return address{address_v4::any()};
  if (where.host == "localhost")
    return address{address_v4::loopback()};
  boost::system::error_code failed;
  const auto found = make_address(where.host, failed);
  if (failed)
    return core::error{core::errc::invalid_config,
                       "'" + where.host + "' is no address to listen on"};
  return found;
}

} // namespace

link_listener::link_listener(boost::asio::io_context& context)
    : acceptor_(context), rest_(context) {}

core::result<std::shared_ptr<link_listener>>
link_listener::open(boost::asio::io_context& context, const host_port& where) {
  const auto address = address_of(where);
  if (!address)
    return address.error();
  const tcp::endpoint endpoint{*address, where.port};
  auto fresh = std::make_shared<link_listener>(context);
  auto& acceptor = fresh->acceptor_;
  boost::system::error_code failed;
  const auto refused = [&](const char* what) {
    std::ostringstream text;
    text << what << ' ' << endpoint << ": " << failed.message();
    return core::error{failed == boost::asio::error::address_in_use
                           ? core::errc::in_use
                           : core::errc::io_error,
                       text.str()};
  };
  acceptor.open(endpoint.protocol(), failed);
  if (failed)
    return refused("can't open a socket for");
  acceptor.set_option(tcp::acceptor::reuse_address{true}, failed);
  acceptor.bind(endpoint, failed);
  if (failed)
    return refused("can't bind");
  acceptor.listen(backlog, failed);
  if (failed)
    return refused("can't listen on");
  std::ostringstream text;
  text << acceptor.local_endpoint(failed);
  fresh->local_ = text.str();
  fresh->port_ = acceptor.local_endpoint(failed).port();
  return fresh;
}

void link_listener::start(on_socket taken) {
  taken_ = std::move(taken);
  accept();
}

void link_listener::close() {
  taken_ = nullptr;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  rest_.cancel();
}

void link_listener::accept() {
  acceptor_.async_accept(
      [weak = weak_from_this()](const boost::system::error_code& failed,
                                tcp::socket socket) {
        const auto self = weak.lock();
        if (!self || !self->acceptor_.is_open())
          return;
        if (!failed) {
          self->taken_(std::move(socket));
          self->accept();
          return;
        }
        self->rest_.expires_after(rest_time);
        self->rest_.async_wait([weak](const auto& cancelled) {
          const auto rested = weak.lock();
          if (rested && !cancelled && rested->acceptor_.is_open())
            rested->accept();
        });
      });
}

} // namespace troupe::actors::links
