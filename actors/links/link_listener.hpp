// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/link_options.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>

namespace troupe::actors::links {

/// Accepts on the cluster address: the only port of the links. Opened on any
/// thread, the rest on the context's.
class link_listener : public std::enable_shared_from_this<link_listener> {
public:
  using on_socket = std::function<void(boost::asio::ip::tcp::socket)>;

  /// in_use, io_error, or invalid_config if the host is no address.
  static core::result<std::shared_ptr<link_listener>>
  open(boost::asio::io_context& context, const host_port& where);

  explicit link_listener(boost::asio::io_context& context);

  void start(on_socket taken);
  void close();
  /// "ADDRESS:PORT", with the port in use.
  [[nodiscard]] const std::string& local() const { return local_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }

private:
  void accept();

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer rest_;
  std::string local_;
  std::uint16_t port_ = 0;
  on_socket taken_;
};

} // namespace troupe::actors::links
