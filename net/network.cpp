// SPDX-License-Identifier: Apache-2.0
#include "net/network.hpp"

#include "actors/runtime/loop.hpp"
#include "core/assert.hpp"
#include "net/connection.hpp"

#include <csignal>
#include <future>
#include <iterator>
#include <utility>

namespace troupe::net {

network::network(const std::vector<actors::runtime::loop*>& loops) {
  TROUPE_ASSERT(!loops.empty(), "a network needs a loop");
  std::signal(SIGPIPE, SIG_IGN);
  for (auto* loop : loops) {
    auto sockets = std::make_shared<loop_sockets>(*loop);
    loops_.push_back(sockets);
    loop->post([sockets] { sockets->readiness().start(); });
  }
}

network::~network() { stop(); }

core::result<ip_endpoint> network::listen(listener_options options) {
  std::lock_guard lock{mutex_};
  if (stopped_)
    return core::errc::shutting_down;
  auto& home = loops_[listeners_opened_++ % loops_.size()];
  auto opened = listener::open(std::move(options), home, loops_);
  if (!opened)
    return opened.error();
  auto fresh = std::move(opened).value();
  listeners_.push_back(fresh);
  auto local = fresh->local();
  home->home().post([fresh = std::move(fresh)] { fresh->start(); });
  return local;
}

void network::look() {
  std::lock_guard lock{mutex_};
  for (const auto& open : listeners_)
    open->sockets().home().post([open] { open->look(); });
}

void network::close_listeners() {
  std::lock_guard lock{mutex_};
  for (auto& open : std::exchange(listeners_, {})) {
    auto& loop = open->sockets().home();
    loop.post([open = std::move(open)] { open->close(); });
  }
}

void network::send_away(std::chrono::milliseconds within) {
  for (const auto& sockets : loops_)
    sockets->home().post([sockets, within] { sockets->send_away(within); });
}

void network::keep_clients() {
  for (const auto& sockets : loops_)
    sockets->home().post([sockets] { sockets->keep_clients(); });
}

void network::drain() {
  close_listeners();
  for (const auto& sockets : loops_)
    sockets->home().post([sockets] { sockets->drain(); });
}

void network::stop() {
  close_listeners();
  {
    std::lock_guard lock{mutex_};
    if (std::exchange(stopped_, true))
      return;
  }
  // Twice: a connection accepted on one loop may be on its way to another
  // when that one stops.
  for (int round = 0; round < 2; ++round) {
    for (const auto& sockets : loops_) {
      std::promise<void> done;
      sockets->home().post([&] {
        sockets->stop();
        done.set_value();
      });
      done.get_future().wait();
    }
  }
}

net_stats network::stats() const {
  net_stats sum;
  for (const auto& sockets : loops_) {
    sum.add(sockets->stats);
    sockets->by_protocol.collect(sum.open_by_protocol);
  }
  return sum;
}

void network::dismiss(connection_id which, actors::runtime::loop& home,
                      std::function<void(bool)> done) const {
  // Filled on `home` only, loop by loop, so it needs no lock.
  struct gathering {
    std::size_t missing;
    bool found;
    std::function<void(bool)> done;
  };
  auto all = std::make_shared<gathering>(
      gathering{loops_.size(), false, std::move(done)});
  for (const auto& sockets : loops_)
    sockets->home().post([sockets, all, which, &home] {
      bool found = false;
      for (const auto& c : sockets->connections())
        if (c->info().id == which) {
          const auto kept = c; // its end takes it out of this list
          found = kept->dismiss();
          break;
        }
      home.post([all, found] {
        all->found = all->found || found;
        if (--all->missing == 0)
          all->done(all->found);
      });
    });
}

void network::list_connections(
    actors::runtime::loop& home,
    std::function<void(std::vector<connection_view>)> done) const {
  // Filled on `home` only, loop by loop, so it needs no lock.
  struct gathering {
    std::vector<connection_view> rows;
    std::size_t missing;
    std::function<void(std::vector<connection_view>)> done;
  };
  auto all = std::make_shared<gathering>(
      gathering{{}, loops_.size(), std::move(done)});
  for (const auto& sockets : loops_) {
    sockets->home().post([sockets, all, &home] {
      std::vector<connection_view> rows;
      for (const auto& c : sockets->connections())
        rows.push_back({c->info(), sockets->home().index(), c->bytes_in(),
                        c->bytes_out(), c->output_waiting()});
      home.post([all, rows = std::move(rows)]() mutable {
        std::move(rows.begin(), rows.end(), std::back_inserter(all->rows));
        if (--all->missing == 0)
          all->done(std::move(all->rows));
      });
    });
  }
}

} // namespace troupe::net
