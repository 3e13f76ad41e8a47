// SPDX-License-Identifier: Apache-2.0
#include "net/connection.hpp"

#include "core/assert.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <unistd.h>
#include <utility>

namespace troupe::net {

namespace {

// Frames above this are read into a buffer of their own, which the protocol
// may keep slices of; below, a copy is cheaper than the allocation.
constexpr std::size_t scratch_frame_max = 16 * 1024;
// What an announced frame gets before its bytes come, and how it grows with
// them: who announces 64 MiB and sends nothing has cost us this much.
constexpr std::size_t frame_first_bytes = 64 * 1024;
constexpr std::size_t frame_growth = 4;
// Bytes written for one connection before the others have their turn.
constexpr std::size_t write_turn_bytes = 1 << 20;

constexpr auto never = core::steady_time::max();

} // namespace

connection::connection(loop_sockets& sockets, std::shared_ptr<const door> door,
                       int fd, connection_info info, address_lease lease)
    : sockets_(sockets.shared_from_this()), door_(std::move(door)),
      transport_(make_tcp_transport(fd)), info_(std::move(info)),
      lease_(std::move(lease)), fd_(fd) {}

connection::~connection() {
  TROUPE_ASSERT(stage_ == stage::closed, "an open connection was dropped");
}

// -- reading -----------------------------------------------------------------

void connection::on_ready(std::uint32_t events) {
  if (stage_ == stage::closed)
    return;
  constexpr std::uint32_t ended = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((events & ended) != 0)
    hung_up_ = true;
  // TLS may have to read in order to write and the other way round.
  auto both = events != 0 && transport_->secure();
  if (both || (events & (EPOLLIN | ended)) != 0)
    readable_ = true;
  if (both || (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
    writable_ = true;
  auto self = shared_from_this();
  // Nobody reads just now, so nobody else would notice the reset.
  if ((events & (EPOLLHUP | EPOLLERR)) != 0 && stage_ == stage::speaking &&
      !may_read())
    return broken();
  if (writable_ && (!output_.empty() || stage_ == stage::closing))
    home().mark_dirty(self);
  work();
}

void connection::work() {
  if (std::exchange(reoffer_, false))
    offer_held();
  auto budget = door_->limits.read_turn_bytes;
  auto next = step::more;
  while (readable_ && next == step::more) {
    switch (stage_) {
    case stage::proxy_header:
      next = read_proxy_header();
      break;
    case stage::detect:
      next = detect();
      break;
    case stage::handshake:
      next = shake_hands();
      break;
    case stage::detect_inner:
      next = detect_inner();
      break;
    case stage::speaking:
      next = read_for_protocol(budget);
      break;
    case stage::lingering:
      next = read_away();
      break;
    case stage::closing:
    case stage::closed:
      return;
    }
  }
}

bool connection::may_offer() const {
  return stage_ == stage::speaking && !close_wanted_ && !abort_wanted_ &&
         !protocol_->paused();
}

bool connection::may_read() const {
  return may_offer() && !output_full_ && !peer_ended_ &&
         !(session_ && session_->full());
}

connection::step connection::read_for_protocol(std::size_t& budget) {
  if (!may_read())
    return step::wait;
  if (budget == 0) {
    sockets_->readiness().again(*this);
    return step::wait;
  }
  auto need = input_.empty() ? 0 : protocol_->frame_bytes();
  if (need > scratch_frame_max)
    return read_into_frame(need, budget);
  return read_into_scratch(budget);
}

connection::step connection::read_into_scratch(std::size_t& budget) {
  auto scratch = sockets_->scratch();
  auto held = input_.size();
  if (held > door_->limits.unused_bytes_max || held >= scratch.size())
    return protocol_error("sends bytes that make no frame");
  auto got = transport_->read_some(scratch.subspan(held));
  auto next = after_read(got);
  if (got.bytes == 0)
    return next;
  budget -= std::min(budget, got.bytes);
  if (held != 0) {
    std::memcpy(scratch.data(), input_.view().data(), held);
    input_.clear();
  }
  core::bytes_view all = scratch.first(held + got.bytes);
  auto rest = all.subspan(offer(all, nullptr));
  if (stage_ != stage::speaking)
    return next;
  input_.assign(rest, rest.size());
  if (!rest.empty() && protocol_->frame_bytes() > door_->limits.frame_bytes_max)
    return protocol_error("announces a frame above the limit");
  return next;
}

connection::step connection::read_into_frame(std::size_t need,
                                             std::size_t& budget) {
  auto held = input_.size();
  if (need <= held)
    return protocol_error("makes no progress");
  if (held == input_.capacity())
    input_.reserve(
        std::min(need, std::max(frame_first_bytes, held * frame_growth)));
  auto got = transport_->read_some(input_.space(std::min(need - held, budget)));
  auto next = after_read(got);
  if (got.bytes == 0)
    return next;
  budget -= std::min(budget, got.bytes);
  input_.commit(got.bytes);
  if (input_.size() < need)
    return next;
  auto used = offer(input_.view(), &input_.owner());
  if (stage_ == stage::speaking)
    input_.drop_front(used);
  return next;
}

connection::step connection::after_read(const io_result& got) {
  bytes_in_ += got.bytes;
  sockets_->stats.bytes_in.add(got.bytes);
  // After a hang-up the end is still to be read behind the last bytes, and
  // no edge will tell.
  if (got.drained && !hung_up_)
    readable_ = false;
  switch (got.status) {
  case io_status::done:
    return step::more;
  case io_status::want_read:
  case io_status::want_write:
    readable_ = false;
    return step::wait;
  case io_status::closed:
    peer_ended();
    return step::wait;
  case io_status::failed:
    broken();
    return step::wait;
  }
  return step::wait;
}

connection::step connection::read_away() {
  auto got = transport_->read_some(sockets_->scratch());
  lingered_bytes_ += got.bytes;
  if (got.status == io_status::closed || got.status == io_status::failed ||
      lingered_bytes_ > door_->limits.linger_bytes) {
    finish();
    return step::wait;
  }
  if (got.status != io_status::done || (got.drained && !hung_up_))
    readable_ = false;
  return step::more;
}

std::size_t connection::offer(core::bytes_view bytes,
                              const core::shared_bytes* owner) {
  std::size_t total = 0;
  while (total < bytes.size() && may_offer()) {
    const auto* speaker = protocol_.get();
    std::size_t used = 0;
    drive([&](protocol& p, effects& out) {
      used = p.on_bytes({bytes.subspan(total), owner}, now(), out);
    });
    TROUPE_ASSERT(used <= bytes.size() - total, "used more than offered");
    total += used;
    if (used == 0 && protocol_.get() == speaker)
      break;
  }
  return total;
}

void connection::offer_held() {
  if (input_.empty())
    return;
  auto used = offer(input_.view(), nullptr);
  if (stage_ == stage::speaking)
    input_.drop_front(used);
}

void connection::peer_ended() {
  peer_ended_ = true;
  readable_ = false;
  bool goes_on = false;
  drive([&](protocol& p, effects& out) {
    goes_on = p.on_half_closed(now(), out);
    if (!goes_on)
      p.on_closed(out);
  });
  if (!goes_on && stage_ == stage::speaking)
    begin_closing();
}

void connection::broken() {
  sockets_->stats.socket_errors.add();
  spdlog::debug("connection {}: {}", info_.id.value(),
                transport_->last_error());
  if (stage_ == stage::speaking && !driving_) {
    peer_ended_ = true;
    abort_wanted_ = true;
    drive([](protocol& p, effects& out) { p.on_closed(out); });
  } else {
    finish();
  }
}

connection::step connection::protocol_error(std::string_view text) {
  sockets_->stats.protocol_errors.add();
  spdlog::debug("connection {} from {} {}", info_.id.value(),
                to_string(info_.peer), text);
  abort_wanted_ = true;
  drive([](protocol& p, effects& out) { p.on_closed(out); });
  return step::wait;
}

// -- writing and closing -----------------------------------------------------

void connection::flush() {
  if (stage_ != stage::speaking && stage_ != stage::closing)
    return;
  auto self = shared_from_this();
  write_out();
}

void connection::write_out() {
  std::size_t budget = write_turn_bytes;
  while (writable_ && !output_.empty() && budget > 0) {
    std::array<iovec, 64> pieces;
    auto count = output_.gather(pieces.data(), pieces.size());
    auto put = transport_->write_some({pieces.data(), count});
    if (put.status == io_status::failed || put.status == io_status::closed)
      return broken();
    output_.consume(put.bytes);
    bytes_out_ += put.bytes;
    sockets_->stats.bytes_out.add(put.bytes);
    budget -= std::min(budget, put.bytes);
    if (put.status != io_status::done)
      writable_ = false;
    if (put.bytes != 0 || stall_deadline_ == never)
      stall_deadline_ = now() + stall_time();
  }
  if (output_full_ && output_.size() <= door_->limits.output_pause_bytes / 2) {
    output_full_ = false;
    sockets_->readiness().again(*this);
  }
  if (!output_.empty()) {
    if (writable_)
      home().mark_dirty(shared_from_this());
    return arm();
  }
  stall_deadline_ = never;
  if (stage_ == stage::closing)
    return end_sending();
  if (std::exchange(flush_due_, false))
    drive([&](protocol& p, effects& out) { p.on_flushed(now(), out); });
}

std::chrono::milliseconds connection::stall_time() const {
  const auto own =
      stage_ == stage::speaking ? protocol_->write_stall() : std::nullopt;
  return own.value_or(door_->limits.write_stall);
}

void connection::begin_closing() {
  stage_ = stage::closing;
  leave_protocol();
  input_.clear();
  set_deadline(door_->limits.closing);
  if (output_.empty())
    return end_sending();
  home().mark_dirty(shared_from_this());
}

void connection::end_sending() {
  auto ended = transport_->shutdown();
  if (ended.status == io_status::want_write) {
    writable_ = false; // the next edge tries again, or the deadline ends it
    return;
  }
  if (peer_ended_ || ended.status == io_status::failed)
    return finish();
  stage_ = stage::lingering;
  set_deadline(door_->limits.linger);
  // Bytes may wait in the socket whose edge was seen long ago.
  readable_ = true;
  sockets_->readiness().again(*this);
}

void connection::leave_protocol() {
  events_ = {};
  if (auto session = std::exchange(session_, nullptr))
    session->close();
}

void connection::finish() {
  TROUPE_ASSERT(!driving_, "closed inside of a call to the protocol");
  if (stage_ == stage::closed)
    return;
  auto self = shared_from_this();
  stage_ = stage::closed;
  leave_protocol();
  home().cancel(timer_);
  sockets_->readiness().remove(fd_, *this);
  transport_.reset();
  ::close(fd_);
  protocol_.reset();
  input_.clear();
  output_.clear();
  lease_.release();
  sockets_->by_protocol.subtract(info_.protocol);
  sockets_->stats.open.subtract();
  if (const auto told = std::exchange(at_end_, nullptr))
    told(bytes_out_ - at_end_from_);
  if (std::exchange(observed_, false))
    door_->observer->on_end(*this);
  sockets_->remove(*this);
}

void connection::abort(std::string_view reason) {
  spdlog::debug("connection {}: {}", info_.id.value(), reason);
  if (driving_)
    abort_wanted_ = true;
  else if (stage_ == stage::speaking)
    broken();
  else
    finish();
}

void connection::send_away() {
  if (stage_ == stage::speaking && (session_ || protocol_->can_move()))
    on_event(core::session_ended{{core::errc::draining, {}}});
}

bool connection::dismiss() {
  if (stage_ != stage::speaking || info_.protocol == "http")
    return false;
  on_event(core::session_ended{{core::errc::not_permitted, {}}});
  return true;
}

void connection::cut(refusal reason) {
  sockets_->stats.refuse(reason);
  abort(to_string(reason));
}

void connection::drain() {
  if (stage_ == stage::speaking)
    on_event(core::session_ended{{core::errc::shutting_down, {}}});
  else if (stage_ < stage::speaking)
    refuse(refusal::draining, "the node shuts down");
}

// -- time --------------------------------------------------------------------

core::steady_time connection::now() const {
  return sockets_->home().clock().now();
}

void connection::set_deadline(std::chrono::milliseconds from_now) {
  deadline_ = now() + from_now;
  arm();
}

void connection::arm() {
  if (stage_ == stage::closed)
    return;
  auto wanted = std::min(deadline_, stall_deadline_);
  if (stage_ == stage::speaking)
    wanted = std::min(wanted, protocol_->deadline().value_or(never));
  // A later deadline than the armed one is found out when that fires: most
  // deadlines move on with every message.
  if (wanted >= armed_)
    return;
  home().cancel(timer_);
  armed_ = wanted;
  timer_ = home().call_at(wanted, weak_from_this(),
                          [](connection& self) { self.on_timer(); });
}

void connection::on_timer() {
  armed_ = never;
  timer_ = {};
  auto self = shared_from_this();
  auto time = now();
  if (time >= deadline_) {
    if (stage_ < stage::speaking) {
      refuse(refusal::opening_timeout, "no protocol chosen in time");
      return;
    }
    if (stage_ > stage::speaking)
      return finish();
  }
  if (time >= stall_deadline_) {
    sockets_->stats.dropped_slow.add();
    return abort("the peer does not read");
  }
  if (stage_ == stage::speaking &&
      protocol_->deadline().value_or(never) <= time)
    drive([&](protocol& p, effects& out) { p.on_tick(time, out); });
  arm();
}

} // namespace troupe::net
