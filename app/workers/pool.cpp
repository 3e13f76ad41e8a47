// SPDX-License-Identifier: Apache-2.0
#include "app/workers/pool.hpp"

#include "actors/runtime/loop.hpp"
#include "app/settings_table.hpp"

#include <algorithm>
#include <future>
#include <iterator>
#include <sys/socket.h>
#include <thread>

namespace troupe::app::workers {
namespace {

words::configure configuration(const settings& values, std::uint32_t worker,
                               const std::vector<door_kind>& doors) {
  words::configure all;
  all.worker = worker;
  for (const auto& row : all_settings())
    if (!row.traits.secret)
      all.settings.emplace_back(name_of(row), print(row, values));
  all.doors = doors;
  return all;
}

} // namespace

pool::pool(parts what) : parts_(std::move(what)) {
  const auto count = parts_.values.workers.count;
  for (std::size_t i = 0; i < count; ++i) {
    auto fresh = std::make_shared<slot>();
    fresh->home = parts_.loops[i % parts_.loops.size()];
    slots_.push_back(std::move(fresh));
  }
}

pool::~pool() { stop(); }

void pool::add_door(door_kind kind, net::owned_fd socket) {
  kinds_.push_back(kind);
  doors_.push_back(std::move(socket));
}

void pool::start(core::milliseconds patience) {
  std::vector<int> doors;
  for (const auto& door : doors_)
    doors.push_back(door.get());
  supervisor_ = std::make_unique<supervisor>(supervisor::parts{
      static_cast<std::uint32_t>(slots_.size()), std::move(doors),
      [this](std::uint32_t worker, std::uint64_t life, net::owned_fd line) {
        attach(worker, life, std::move(line));
      },
      parts_.log});
  supervisor_->start();
  const auto end = std::chrono::steady_clock::now() + patience;
  while (supervisor_->up() == 0 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(core::milliseconds{2});
}

// On the supervisor's thread, which ends before this.
void pool::attach(std::uint32_t worker, std::uint64_t life,
                  net::owned_fd socket) {
  const auto at = slots_[worker];
  agent_end::parts what;
  what.home = at->home;
  what.sessions = &parts_.sessions;
  what.channels = parts_.channels;
  what.addresses = parts_.addresses;
  what.counts = at->counts;
  what.first_word = configuration(parts_.values, worker, kinds_);
  what.ready = [this, worker, life] { supervisor_->ready(worker, life); };
  what.closed = [this, worker, life] { supervisor_->closed(worker, life); };
  what.lost = [this, worker, life](std::string why) {
    supervisor_->lost(worker, life, std::move(why));
  };
  at->home->post(
      [at, what = std::move(what), line = std::move(socket)]() mutable {
        if (at->closed)
          return;
        if (at->end) // its process has ended
          at->end->close();
        at->end = agent_end::open(std::move(what), std::move(line));
      });
}

void pool::tell_all(word what) const {
  for (const auto& at : slots_)
    at->home->post([at, what] {
      if (at->end)
        at->end->tell(what);
    });
}

void pool::send_away(std::chrono::milliseconds within) {
  for (const auto& at : slots_)
    at->home->post([at, within] {
      if (at->end)
        at->end->send_away(within);
    });
}

void pool::keep_clients() {
  for (const auto& at : slots_)
    at->home->post([at] {
      if (at->end)
        at->end->keep_clients();
    });
}

void pool::reload() { tell_all(words::reload{}); }

void pool::drain(core::milliseconds patience) {
  if (!supervisor_ || draining_.exchange(true))
    return;
  supervisor_->end(patience);
  tell_all(words::drain{});
  // For all processes at once, whoever still has one; closed when no start of
  // a worker can be under way any more.
  for (const auto& door : doors_)
    ::shutdown(door.get(), SHUT_RDWR);
}

void pool::stop() {
  if (!supervisor_ || std::exchange(stopped_, true))
    return;
  drain(core::milliseconds{0});
  // Those that have no clients left end by themselves.
  if (!supervisor_->wait_until_ended(core::milliseconds{500})) {
    tell_all(words::stop{});
    supervisor_->end(core::milliseconds{0});
    supervisor_->wait_until_ended(core::milliseconds{5'000});
  }
  // Behind these nothing of the ends is left on the loops.
  for (const auto& at : slots_) {
    at->closed = true;
    std::promise<void> done;
    at->home->post([at, &done] {
      if (auto end = std::move(at->end))
        end->close();
      done.set_value();
    });
    done.get_future().wait();
  }
  doors_.clear();
}

std::string pool::not_ready() const {
  if (!supervisor_ || draining_)
    return "the workers end";
  return supervisor_->up() > 0 ? "" : "no worker accepts clients";
}

net::net_stats pool::stats() const {
  net::net_stats sum;
  for (const auto& at : slots_)
    sum.add(at->counts->sum());
  return sum;
}

std::vector<worker_view> pool::views() const {
  std::vector<worker_view> all;
  if (!supervisor_)
    return all;
  for (auto& process : supervisor_->views()) {
    const auto& counts = *slots_[process.worker]->counts;
    const auto sum = counts.sum();
    all.push_back({std::move(process), sum.open, sum.bytes_in, sum.bytes_out,
                   counts.words_waiting()});
  }
  return all;
}

void pool::dismiss(net::connection_id which, actors::runtime::loop& home,
                   std::function<void(bool)> done) const {
  // Filled on `home` only, so it needs no lock.
  struct gathering {
    std::size_t missing;
    bool found;
    std::function<void(bool)> done;
  };
  auto all = std::make_shared<gathering>(
      gathering{slots_.size(), false, std::move(done)});
  for (const auto& at : slots_)
    at->home->post([at, which, all, &home] {
      const bool found = at->end && at->end->dismiss(which);
      home.post([all, found] {
        all->found = all->found || found;
        if (--all->missing == 0)
          all->done(all->found);
      });
    });
}

void pool::list_connections(
    actors::runtime::loop& home,
    std::function<void(std::vector<worker_connection>)> done) const {
  // Filled on `home` only, so it needs no lock.
  struct gathering {
    std::vector<worker_connection> rows;
    std::size_t missing;
    std::function<void(std::vector<worker_connection>)> done;
  };
  auto all = std::make_shared<gathering>(
      gathering{{}, slots_.size(), std::move(done)});
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    const auto& at = slots_[i];
    at->home->post([at, i, all, &home] {
      std::vector<worker_connection> rows;
      if (at->end)
        for (auto& view : at->end->connections())
          rows.push_back({i, std::move(view)});
      home.post([all, rows = std::move(rows)]() mutable {
        std::move(rows.begin(), rows.end(), std::back_inserter(all->rows));
        if (--all->missing == 0)
          all->done(std::move(all->rows));
      });
    });
  }
}

} // namespace troupe::app::workers
