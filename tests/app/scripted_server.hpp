// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/endpoint.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <thread>

namespace troupe::app {

/// A listener on a free port of the loopback that hands `count` connections,
/// one after the other, to a function on a thread of its own.
class scripted_server {
public:
  using tcp = boost::asio::ip::tcp;
  using talk = std::function<void(tcp::socket&)>;

  scripted_server(int count, talk with_client)
      : acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}),
        thread_([this, count, serve = std::move(with_client)] {
          for (int i = 0; i < count; ++i) {
            tcp::socket client{io_};
            acceptor_.accept(client);
            serve(client);
          }
        }) {}
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;
  /// Waits until all connections were served.
  ~scripted_server() { thread_.join(); }

  [[nodiscard]] endpoint address() const {
    return {"127.0.0.1", acceptor_.local_endpoint().port()};
  }

private:
  boost::asio::io_context io_;
  tcp::acceptor acceptor_;
  std::thread thread_;
};

} // namespace troupe::app
