// SPDX-License-Identifier: Apache-2.0
#include "app/access_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <pthread.h>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace troupe::app {
namespace {

core::result<int> open_file(const std::string& path) {
  constexpr mode_t mode = 0640;
  const int fd =
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, mode);
  if (fd < 0)
    return core::error{core::errc::io_error,
                       path + ": " + std::generic_category().message(errno)};
  return fd;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

} // namespace

core::result<std::unique_ptr<access_file>> access_file::open(std::string path) {
  const auto fd = open_file(path);
  if (!fd)
    return fd.error();
  return std::unique_ptr<access_file>{new access_file{std::move(path), *fd}};
}

access_file::access_file(std::string path, int fd)
    : path_(std::move(path)), fd_(fd), thread_([this] { run(); }) {
  ::pthread_setname_np(thread_.native_handle(), "troupe-access");
}

access_file::~access_file() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
  ::close(fd_);
}

void access_file::write(const net::access_entry& entry) {
  const auto line = net::combined_line(entry, clock_.wall());
  {
    const std::lock_guard lock{mutex_};
    if (waiting_.size() + line.size() > waiting_bytes_max) {
      lost_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    waiting_ += line;
    if (lines_waiting_++ > 0)
      return; // the thread knows
  }
  changed_.notify_one();
}

core::result<void> access_file::reopen() {
  const auto fresh = open_file(path_);
  if (!fresh)
    return fresh.error();
  const std::lock_guard lock{mutex_};
  // Under the name of the old one, so that whoever writes just now goes on.
  const bool done = ::dup3(*fresh, fd_, O_CLOEXEC) >= 0;
  ::close(*fresh);
  if (!done)
    return core::error{core::errc::io_error, path_ + ": dup3"};
  return {};
}

void access_file::run() {
  std::unique_lock lock{mutex_};
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || lines_waiting_ > 0; });
    if (lines_waiting_ == 0)
      return;
    const auto bytes = std::exchange(waiting_, {});
    const auto lines = std::exchange(lines_waiting_, 0);
    lock.unlock();
    if (!write_all(fd_, bytes))
      lost_.fetch_add(lines, std::memory_order_relaxed);
    lock.lock();
  }
}

} // namespace troupe::app
