// SPDX-License-Identifier: Apache-2.0
#include "app/inner_request.hpp"

#include "actors/runtime/loop.hpp"
#include "core/assert.hpp"
#include "net/protocol.hpp"

#include <chrono>
#include <cstdlib>
#include <memory>
#include <utility>

namespace troupe::app {
namespace {

using actors::runtime::loop;

constexpr std::chrono::seconds patience{8};

/// Stands for a connection toward a handler: keeps itself until it is answered,
/// or for so long.
class inner_exchange final
    : public net::http_exchange,
      public std::enable_shared_from_this<inner_exchange> {
public:
  static void run(const http_server& server, const net::http_request& request,
                  http_reply reply) {
    auto self = std::make_shared<inner_exchange>(std::move(reply));
    auto& home = *loop::current();
    self->ticket_->exchange = self.get();
    self->ticket_->home = &home;
    self->self_ = self;
    self->timer_ = home.call_at(
        home.clock().now() + patience, [weak = std::weak_ptr{self}] {
          if (auto late = weak.lock())
            late->answer(net::http_error(504, "no answer in time"));
        });
    server(request, net::responder{self->ticket_});
  }

  explicit inner_exchange(http_reply reply) : reply_(std::move(reply)) {}

  void answer(net::http_response response) override {
    ticket_->exchange = nullptr;
    loop::current()->cancel(timer_);
    reply_(std::move(response));
    self_.reset(); // last: may destroy this
  }
  void answer_verbatim(std::string, net::http_after) override {
    answer(net::http_error(501, "this can't be had this way"));
  }
  void hand_over(std::unique_ptr<net::protocol>, std::string) override {
    answer(net::http_error(501, "a stream can't be had this way"));
  }
  net::protocol_host& host() override {
    TROUPE_ASSERT(false, "an inner request has no connection");
    std::abort();
  }
  void begin_stream(net::http_response) override {
    answer(net::http_error(501, "a stream can't be had this way"));
  }
  bool stream(std::string_view) override { return false; }
  void end_stream() override {}

private:
  http_reply reply_;
  std::shared_ptr<net::http_ticket> ticket_ =
      std::make_shared<net::http_ticket>();
  actors::runtime::timer_handle timer_;
  std::shared_ptr<inner_exchange> self_;
};

} // namespace

void run_inner_request(const http_server& server,
                       const net::http_request& request, http_reply reply) {
  inner_exchange::run(server, request, std::move(reply));
}

} // namespace troupe::app
