// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http_front.hpp"
#include "net/websocket_handshake.hpp"
#include "tests/net_io/echo_protocol.hpp"
#include "tests/net_io/node_fixture.hpp"
#include "tests/net_io/socket_client.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::net::test {

/// A node with an HTTP front, whose targets do what its tests need.
class HttpFront : public node_fixture {
protected:
  HttpFront() {
    router_->add("GET", "/hello",
                 make_handler([](const http_request& r, responder answer) {
                   auto name = r.query_value("name").value_or("world");
                   answer.send({200, "text/plain", std::string{name}, {}});
                 }));
    router_->add("POST", "/echo",
                 make_handler([](const http_request& r, responder answer) {
                   answer.send({200, "text/plain", r.body, {}});
                 }));
    router_->add("GET", "/later",
                 make_handler([](const http_request&, responder answer) {
                   auto& home = answer.home();
                   home.post([answer] {
                     answer.send({200, "text/plain", "later", {}});
                     answer.send({200, "text/plain", "twice", {}});
                   });
                 }));
    router_->add("GET", "/never",
                 make_handler([this](const http_request&, responder answer) {
                   std::lock_guard lock{mutex_};
                   kept_.push_back(std::move(answer));
                 }));
    router_->add("GET", "/tail",
                 make_handler([this](const http_request&, responder answer) {
                   auto stream = answer.stream();
                   stream.write_event("one\ntwo", "line");
                   std::lock_guard lock{mutex_};
                   stream_ = stream;
                   stream_home_ = &answer.home();
                 }));
    router_->add_websocket("/ws", {},
                           [this](const websocket_terms&, protocol_host&) {
                             return std::make_unique<echo_protocol>(record_);
                           });
    websocket_options packed;
    packed.deflate = true;
    router_->add_websocket(
        "/packed", packed,
        [this](const websocket_terms& terms, protocol_host&) {
          deflate_agreed_ = terms.deflate.has_value();
          return std::make_unique<echo_protocol>(record_);
        });
    websocket_options named;
    named.subprotocols = {"v2.echo", "v1.echo"};
    named.origins = {"https://good.example"};
    router_->add_websocket("/named", named,
                           [this](const websocket_terms&, protocol_host&) {
                             return std::make_unique<echo_protocol>(record_);
                           });
  }
  ~HttpFront() override {
    network_->stop();
    kept_.clear();
    stream_ = {};
  }

  ip_endpoint serve_http(http_options options = {}) {
    door d;
    d.protocols[sniffed::http] = make_http(router_, std::move(options));
    return serve(std::move(d));
  }

  static std::string get(std::string_view target,
                         std::string_view fields = "") {
    return "GET " + std::string{target} + " HTTP/1.1\r\nHost: h\r\n" +
           std::string{fields} + "\r\n";
  }
  /// Head and body of the next response.
  static std::pair<std::string, std::string> response(socket_client& from) {
    auto head = from.receive_until("\r\n\r\n");
    auto at = head.find("Content-Length: ");
    auto length =
        at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
    return {head, from.receive(length)};
  }
  /// The status of the only response to `request`.
  unsigned status_of(const std::string& request) {
    socket_client client{serve_http()};
    client.send(request);
    auto head = response(client).first;
    return head.size() < 12
               ? 0
               : static_cast<unsigned>(std::stoul(head.substr(9, 3)));
  }

  static constexpr std::string_view upgrade_ =
      "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

  std::shared_ptr<http_router> router_ = std::make_shared<http_router>();
  std::shared_ptr<echo_record> record_ = std::make_shared<echo_record>();
  std::atomic<bool> deflate_agreed_{false};
  std::mutex mutex_;
  std::vector<responder> kept_;
  http_stream stream_;
  actors::runtime::loop* stream_home_ = nullptr;
};

} // namespace troupe::net::test
