// SPDX-License-Identifier: Apache-2.0
#include "net/poller.hpp"

#include "actors/runtime/loop.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace troupe::net {

namespace {

int open_epoll() {
  auto fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0)
    throw std::system_error{errno, std::system_category(), "epoll_create1"};
  return fd;
}

} // namespace

poller::poller(actors::runtime::loop& home)
    : home_(home), epoll_(open_epoll()), descriptor_(home.context(), epoll_),
      batch_(batch_max) {}

// descriptor_ closes epoll_.
poller::~poller() = default;

void poller::stop() {
  stopped_ = true;
  boost::system::error_code ignored;
  descriptor_.cancel(ignored);
  again_.clear();
  std::fill(running_again_.begin(), running_again_.end(), nullptr);
  batch_size_ = 0;
}

bool poller::add(int fd, watcher& w) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &w;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool poller::add_shared(int fd, watcher& w) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET | EPOLLEXCLUSIVE;
  event.data.ptr = &w;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void poller::remove(int fd, watcher& w) {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  // What this turn still holds for it must not be told.
  for (int i = 0; i < batch_size_; ++i)
    if (batch_[static_cast<std::size_t>(i)].data.ptr == &w)
      batch_[static_cast<std::size_t>(i)].data.ptr = nullptr;
  std::erase(again_, &w);
  std::replace(running_again_.begin(), running_again_.end(), &w,
               static_cast<watcher*>(nullptr));
}

void poller::again(watcher& w) {
  if (stopped_ || std::find(again_.begin(), again_.end(), &w) != again_.end())
    return;
  again_.push_back(&w);
  if (!std::exchange(again_posted_, true))
    home_.post([self = shared_from_this()] { self->run_again(); });
}

void poller::run_again() {
  again_posted_ = false;
  running_again_.swap(again_);
  // Indexed: a watcher may remove itself or others.
  for (std::size_t i = 0; i < running_again_.size(); ++i)
    if (auto* w = running_again_[i])
      w->on_ready(0);
  running_again_.clear();
}

void poller::wait() {
  descriptor_.async_wait(
      boost::asio::posix::stream_descriptor::wait_read,
      [self = shared_from_this()](const boost::system::error_code& failed) {
        if (failed || self->stopped_)
          return;
        self->dispatch();
        if (!self->stopped_)
          self->wait();
      });
}

void poller::dispatch() {
  batch_size_ = ::epoll_wait(epoll_, batch_.data(), batch_max, 0);
  // Sockets beyond the batch keep the set readable: the next wait ends at
  // once, after the others had their turn.
  for (int i = 0; i < batch_size_; ++i) {
    const auto& event = batch_[static_cast<std::size_t>(i)];
    if (event.data.ptr != nullptr)
      static_cast<watcher*>(event.data.ptr)->on_ready(event.events);
  }
  batch_size_ = 0;
}

} // namespace troupe::net
