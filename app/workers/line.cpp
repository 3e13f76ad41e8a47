// SPDX-License-Identifier: Apache-2.0
#include "app/workers/line.hpp"

#include "app/workers/word_codec.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <utility>

namespace troupe::app::workers {
namespace {

constexpr std::size_t buffer_bytes = std::size_t{256} << 10;
// Encoded ahead of the socket.
constexpr std::size_t batch_bytes = std::size_t{256} << 10;
// Read or written before others on the loop have their turn.
constexpr std::size_t turn_bytes = std::size_t{1} << 20;
constexpr std::size_t full_bytes = std::size_t{1} << 20;

} // namespace

std::shared_ptr<line> line::open(actors::runtime::loop& home,
                                 net::owned_fd socket, line_user& user) {
  std::shared_ptr<line> fresh{new line{home, std::move(socket), user}};
  fresh->poller_->start();
  if (!fresh->poller_->add(fresh->socket_.get(), *fresh))
    fresh->wake_up(); // the first read will fail and tell
  return fresh;
}

line::line(actors::runtime::loop& home, net::owned_fd socket, line_user& user)
    : home_(home), poller_(std::make_shared<net::poller>(home)),
      socket_(std::move(socket)), user_(&user), buffer_(buffer_bytes) {}

line::~line() { close(); }

void line::close() {
  user_ = nullptr;
  if (!socket_)
    return;
  poller_->remove(socket_.get(), *this);
  poller_->stop();
  socket_.reset();
  forget_all();
}

void line::forget_all() {
  first_.clear();
  waiting_.clear();
  last_.clear();
  waiting_bytes_ = 0;
  last_bytes_ = 0;
  out_.clear();
}

void line::send(word what) {
  if (user_ == nullptr || unwritable_)
    return;
  waiting_bytes_ += weight(what);
  waiting_.push_back(std::move(what));
  home_.mark_dirty(shared_from_this());
}

void line::send_first(word what) {
  if (user_ == nullptr || unwritable_)
    return;
  first_.push_back(std::move(what));
  home_.mark_dirty(shared_from_this());
}

void line::send_last(word what) {
  if (user_ == nullptr || unwritable_)
    return;
  last_bytes_ += weight(what);
  last_.push_back(std::move(what));
  home_.mark_dirty(shared_from_this());
}

bool line::offer(word what) {
  if (last_bytes_ >= last_bytes_max)
    return false;
  send_last(std::move(what));
  return true;
}

bool line::full() {
  if (waiting_bytes_ + out_.size() <= full_bytes)
    return false;
  was_full_ = true;
  return true;
}

void line::fill() {
  while (out_.size() < batch_bytes) {
    if (!first_.empty()) {
      encode(first_.front(), out_);
      first_.pop_front();
    } else if (!waiting_.empty()) {
      waiting_bytes_ -= std::min(waiting_bytes_, weight(waiting_.front()));
      encode(waiting_.front(), out_);
      waiting_.pop_front();
    } else if (!last_.empty()) {
      last_bytes_ -= std::min(last_bytes_, weight(last_.front()));
      encode(last_.front(), out_);
      last_.pop_front();
    } else {
      return;
    }
  }
}

void line::flush() {
  std::size_t written = 0;
  while (user_ != nullptr && writable_ && !unwritable_ &&
         written < turn_bytes) {
    fill();
    if (out_.empty())
      break;
    std::array<iovec, 64> pieces;
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = out_.gather(pieces.data(), pieces.size());
    const auto count = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0 && errno == EAGAIN) {
      writable_ = false;
      break;
    }
    if (count < 0) {
      unwritable_ = true;
      forget_all();
      return wake_up();
    }
    written += static_cast<std::size_t>(count);
    out_.consume(static_cast<std::size_t>(count));
  }
  if (user_ == nullptr)
    return;
  if (writable_ && !idle())
    home_.mark_dirty(shared_from_this());
  if (was_full_ && waiting_bytes_ + out_.size() <= full_bytes / 2) {
    was_full_ = false;
    user_->on_room();
  }
}

void line::wake_up() { poller_->again(*this); }

void line::on_ready(std::uint32_t events) {
  const auto self = shared_from_this();
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
    writable_ = true;
    if (!idle())
      home_.mark_dirty(self);
  }
  if (reading_)
    return;
  reading_ = true;
  for (std::size_t i = 0; user_ != nullptr; ++i) {
    if (i * buffer_bytes >= turn_bytes) {
      wake_up();
      break;
    }
    if (!(large_bytes_ != 0 ? read_large() : read_some()))
      break;
  }
  reading_ = false;
}

/// False if there is nothing more for now.
bool line::read_some() {
  const auto count = ::recv(socket_.get(), buffer_.data() + filled_,
                            buffer_.size() - filled_, 0);
  if (count < 0 && errno == EINTR)
    return true;
  if (count < 0 && errno == EAGAIN)
    return false;
  if (count <= 0) {
    lose(loss::closed);
    return false;
  }
  heard_ = true;
  filled_ += static_cast<std::size_t>(count);
  take_frames();
  return true;
}

bool line::read_large() {
  const auto space = large_.space(large_bytes_ - large_.size());
  const auto count = ::recv(socket_.get(), space.data(), space.size(), 0);
  if (count < 0 && errno == EINTR)
    return true;
  if (count < 0 && errno == EAGAIN)
    return false;
  if (count <= 0) {
    lose(loss::closed);
    return false;
  }
  heard_ = true;
  large_.commit(static_cast<std::size_t>(count));
  if (large_.size() == large_bytes_) {
    const auto frame = large_.owner();
    large_.clear();
    large_bytes_ = 0;
    tell(frame.view(), &frame);
  }
  return true;
}

void line::take_frames() {
  std::size_t used = 0;
  const core::bytes_view all{buffer_.data(), filled_};
  while (user_ != nullptr && filled_ - used >= length_bytes) {
    std::uint32_t length = 0;
    std::memcpy(&length, all.data() + used, sizeof length);
    if (length > frame_bytes_max)
      return lose(loss::nonsense);
    const auto there = filled_ - used - length_bytes;
    const auto from = used + length_bytes;
    if (there >= length) {
      used = from + length;
      tell(all.subspan(from, length), nullptr);
      continue;
    }
    if (there > 0 && length_bytes + length > buffer_.size()) {
      large_bytes_ = length;
      large_.assign(all.subspan(from, there), length);
      filled_ = 0;
      return;
    }
    break;
  }
  std::memmove(buffer_.data(), buffer_.data() + used, filled_ - used);
  filled_ -= used;
}

void line::tell(core::bytes_view frame, const core::shared_bytes* owner) {
  auto what = decode(frame, owner);
  if (!what)
    return lose(loss::nonsense);
  user_->on_word(std::move(*what));
}

void line::lose(loss why) {
  if (auto* user = std::exchange(user_, nullptr)) {
    const auto self = shared_from_this();
    close();
    user->on_lost(why);
  }
}

} // namespace troupe::app::workers
