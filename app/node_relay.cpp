// SPDX-License-Identifier: Apache-2.0
#include "app/node_relay.hpp"

#include "actors/runtime/loop.hpp"
#include "app/relay_wire.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::app {
namespace {

namespace links = actors::links;
using actors::runtime::loop;

/// The one asked gives up before (run_inner_request).
constexpr std::chrono::seconds ask_patience{10};
/// Questions of one loop that wait for other nodes.
constexpr std::size_t waiting_max = 1024;
/// Questions of other nodes that are being answered here.
constexpr std::size_t serving_max = 64;

} // namespace

/// Outlives the relay in handlers that are still at work.
struct node_relay::shared : std::enable_shared_from_this<shared> {
  struct question {
    net::responder answer;
    actors::runtime::timer_handle timer;
  };
  using questions = std::unordered_map<std::uint64_t, question>;

  explicit shared(links::node_links& to, std::size_t loops)
      : links(&to), waiting(loops) {}

  std::mutex mutex;
  // Guarded by mutex:
  links::node_links* links;
  http_server serves;

  std::atomic<std::uint64_t> last{0};
  std::atomic<std::size_t> serving{0};
  std::vector<questions> waiting; // [i] belongs to loop i

  core::result<void> send(core::node_id to, links::kind kind, std::uint64_t key,
                          core::shared_bytes body) {
    const std::lock_guard lock{mutex};
    if (links == nullptr)
      return core::errc::shutting_down;
    return links->send(to, kind, key, std::move(body));
  }

  void on_call(const links::received& message) {
    auto call = decode_relayed_request(message.body.view());
    if (!call)
      return; // who asks hears nothing and gives up
    const bool busy = ++serving > serving_max;
    // Called once.
    auto reply = [self = shared_from_this(), to = message.from, key = call->key,
                  number = call->number](net::http_response response) {
      --self->serving;
      if (response.body.size() > relayed_body_max)
        response = net::http_error(413, "too large to be relayed");
      (void)self->send(to, links::kind::answer, key,
                       encode(relayed_response{number, std::move(response)}));
    };
    http_server with;
    {
      const std::lock_guard lock{mutex};
      with = serves;
    }
    if (busy)
      return reply(net::http_error(503, "too many requests of other nodes"));
    if (!with)
      return reply(net::http_error(503, "the node starts or stops"));
    run_inner_request(with, call->request, std::move(reply));
  }

  void on_answer(const links::received& message) {
    auto found = decode_relayed_response(message.body.view());
    if (found)
      finish(found->number, std::move(found->response));
  }

  void finish(std::uint64_t number, net::http_response response) {
    auto& mine = waiting[loop::current()->index()];
    const auto at = mine.find(number);
    if (at == mine.end())
      return; // too late
    auto asked = std::move(at->second);
    mine.erase(at);
    loop::current()->cancel(asked.timer);
    asked.answer.send(std::move(response));
  }
};

node_relay::node_relay(links::node_links& links,
                       actors::runtime::scheduler& loops)
    : shared_(std::make_shared<shared>(links, loops.size())) {
  links.on_message(links::kind::call, [to = shared_](const links::received& m) {
    to->on_call(m);
  });
  links.on_message(
      links::kind::answer,
      [to = shared_](const links::received& m) { to->on_answer(m); });
}

node_relay::~node_relay() { close(); }

void node_relay::serve(http_server with) {
  const std::lock_guard lock{shared_->mutex};
  shared_->serves = std::move(with);
}

void node_relay::ask(core::node_id node, net::http_request request,
                     net::responder answer) {
  auto& home = answer.home();
  auto& mine = shared_->waiting[home.index()];
  if (mine.size() >= waiting_max)
    return answer.send(net::http_error(503, "too many requests wait"));
  const auto number = ++shared_->last;
  // The key leads the answer to this loop.
  const auto sent = shared_->send(
      node, links::kind::call, number,
      encode(relayed_request{number, home.index(), std::move(request)}));
  if (!sent)
    return answer.send(net::http_error(
        503, "node " + std::to_string(node.value()) +
                 " can't be asked: " + core::to_string(sent.error())));
  auto timer = home.call_at(
      home.clock().now() + ask_patience,
      [weak = std::weak_ptr{shared_}, number] {
        if (auto self = weak.lock())
          self->finish(number, net::http_error(504, "no answer in time"));
      });
  mine.emplace(number, shared::question{std::move(answer), std::move(timer)});
}

void node_relay::close() {
  const std::lock_guard lock{shared_->mutex};
  shared_->links = nullptr;
  shared_->serves = nullptr;
}

} // namespace troupe::app
