// SPDX-License-Identifier: Apache-2.0
#include "actors/links/frame_stream.hpp"

#include <boost/asio/post.hpp>
#include <caf/io/network/rw_state.hpp>
#include <openssl/err.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <sstream>
#include <sys/socket.h>
#include <utility>

namespace troupe::actors::links {

namespace {

using boost::asio::ip::tcp;
using caf::io::network::rw_state;

constexpr unsigned char tls_first_byte = 0x16;

std::string openssl_reason() {
  std::string text;
  while (const auto code = ERR_get_error()) {
    const auto* reason = ERR_reason_error_string(code);
    if (reason == nullptr)
      continue;
    text += text.empty() ? "" : ", ";
    text += reason;
  }
  return text;
}

stream_error hung_up(int code) {
  return {refusal_code::closed,
          code == 0 ? std::string{} : std::string{std::strerror(code)}};
}

bool would_block(int code) {
  return code == EAGAIN || code == EWOULDBLOCK || code == EINTR;
}

} // namespace

frame_stream::frame_stream(tcp::socket socket, side who, caf::actor_system* tls)
    : socket_(std::move(socket)), side_(who), tls_(tls) {
  boost::system::error_code ignored;
  socket_.native_non_blocking(true, ignored);
  socket_.set_option(tcp::no_delay{true}, ignored);
  const auto endpoint = socket_.remote_endpoint(ignored);
  std::ostringstream text;
  text << endpoint;
  peer_ = text.str();
}

// ------------------------------------------------------------------ operations

void frame_stream::read(std::size_t payload_max, on_frame done) {
  on_frame_ = std::move(done);
  payload_max_ = payload_max;
  have_head_ = false;
  received_ = 0;
  input_.assign(frame_head_size, '\0');
  boost::asio::post(socket_.get_executor(), [weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->continue_read();
  });
}

void frame_stream::write(std::string bytes, on_written done) {
  on_written_ = std::move(done);
  output_ = std::move(bytes);
  sent_ = 0;
  boost::asio::post(socket_.get_executor(), [weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->continue_write();
  });
}

void frame_stream::write_and_close(const std::string& bytes) {
  std::size_t sent = 0;
  const bool speaks = tls_ == nullptr || tls_established_ ||
                      error_.code == refusal_code::tls_required;
  if (socket_.is_open() && speaks)
    send(bytes.data(), bytes.size(), sent);
  // The other side is to read it before it learns of the end.
  boost::system::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  close();
}

void frame_stream::close() {
  on_frame_ = nullptr;
  on_written_ = nullptr;
  session_.reset();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

frame_stream::parts frame_stream::release() {
  parts all;
  all.session = std::move(session_);
  boost::system::error_code failed;
  all.descriptor = socket_.release(failed);
  if (failed)
    all.descriptor = -1;
  return all;
}

// ----------------------------------------------------------------------- read

void frame_stream::continue_read() {
  while (on_frame_) {
    while (received_ < input_.size()) {
      std::size_t got = 0;
      auto* place = reinterpret_cast<std::byte*>(input_.data()) + received_;
      switch (receive(place, input_.size() - received_, got)) {
      case progress::some:
        received_ += got;
        break;
      case progress::wait:
        wait_to_read();
        return;
      case progress::failed:
        finish_read(std::nullopt);
        return;
      }
    }
    if (have_head_) {
      finish_read(frame{head_.type, std::move(input_)});
      return;
    }
    auto head = decode_frame_head(core::as_bytes(input_), payload_max_);
    if (!head) {
      const bool looks_encrypted =
          static_cast<unsigned char>(input_[0]) == tls_first_byte;
      error_ = {looks_encrypted ? refusal_code::tls_unexpected
                                : refusal_code::malformed,
                head.error().detail};
      finish_read(std::nullopt);
      return;
    }
    head_ = *head;
    have_head_ = true;
    received_ = 0;
    input_.assign(head_.length, '\0');
  }
}

void frame_stream::wait_to_read() {
  socket_.async_wait(tcp::socket::wait_read,
                     [weak = weak_from_this()](const auto& failed) {
                       const auto self = weak.lock();
                       if (self && !failed)
                         self->on_readable();
                     });
}

void frame_stream::on_readable() {
  // A TLS handshake waits for bytes whichever side of it is at work.
  if (on_written_ && !tls_established_ && tls_ != nullptr)
    continue_write();
  if (on_frame_)
    continue_read();
}

void frame_stream::finish_read(std::optional<frame> got) {
  if (auto done = std::exchange(on_frame_, nullptr))
    done(std::move(got), error_);
}

// ---------------------------------------------------------------------- write

void frame_stream::continue_write() {
  while (on_written_ && sent_ < output_.size()) {
    std::size_t count = 0;
    switch (send(output_.data() + sent_, output_.size() - sent_, count)) {
    case progress::some:
      sent_ += count;
      break;
    case progress::wait:
      wait_to_write();
      return;
    case progress::failed:
      finish_write(false);
      return;
    }
  }
  finish_write(true);
}

void frame_stream::wait_to_write() {
  const bool handshaking = tls_ != nullptr && !tls_established_;
  if (handshaking) {
    wait_to_read();
    return;
  }
  socket_.async_wait(tcp::socket::wait_write,
                     [weak = weak_from_this()](const auto& failed) {
                       const auto self = weak.lock();
                       if (self && !failed)
                         self->on_writable();
                     });
}

void frame_stream::on_writable() {
  if (on_written_)
    continue_write();
}

void frame_stream::finish_write(bool sent) {
  if (auto done = std::exchange(on_written_, nullptr))
    done(sent, error_);
}

// ------------------------------------------------------------------ transport

frame_stream::progress frame_stream::receive(std::byte* out, std::size_t size,
                                             std::size_t& got) {
  if (tls_ == nullptr) {
    const auto count = ::recv(socket_.native_handle(), out, size, 0);
    if (count > 0) {
      got = static_cast<std::size_t>(count);
      return progress::some;
    }
    if (count < 0 && would_block(errno))
      return progress::wait;
    error_ = hung_up(count == 0 ? 0 : errno);
    return progress::failed;
  }
  if (const auto begun = begin_tls(); begun != progress::some)
    return begun;
  ERR_clear_error();
  const auto state =
      session_->read_some(got, socket_.native_handle(), out, size);
  if (state == rw_state::failure) {
    const auto reason = openssl_reason();
    error_ = reason.empty() ? hung_up(0)
                            : stream_error{refusal_code::tls_failed, reason};
    return progress::failed;
  }
  tls_established_ = tls_established_ || got != 0;
  return got == 0 ? progress::wait : progress::some;
}

frame_stream::progress frame_stream::send(const char* bytes, std::size_t size,
                                          std::size_t& sent) {
  const bool plain =
      tls_ == nullptr || error_.code == refusal_code::tls_required;
  if (plain) {
    const auto count =
        ::send(socket_.native_handle(), bytes, size, MSG_NOSIGNAL);
    if (count >= 0) {
      sent = static_cast<std::size_t>(count);
      return progress::some;
    }
    if (would_block(errno))
      return progress::wait;
    error_ = hung_up(errno);
    return progress::failed;
  }
  if (const auto begun = begin_tls(); begun != progress::some)
    return begun;
  ERR_clear_error();
  const auto state =
      session_->write_some(sent, socket_.native_handle(), bytes, size);
  if (state == rw_state::failure) {
    const auto reason = openssl_reason();
    error_ = reason.empty() ? hung_up(0)
                            : stream_error{refusal_code::tls_failed, reason};
    return progress::failed;
  }
  tls_established_ = tls_established_ || sent != 0;
  return sent == 0 ? progress::wait : progress::some;
}

/// `some` when there is a session. An acceptor makes one only for somebody
/// who begins to speak TLS: it costs the reading of three files.
frame_stream::progress frame_stream::begin_tls() {
  if (session_)
    return progress::some;
  if (side_ == side::acceptor) {
    unsigned char first = 0;
    const auto count =
        ::recv(socket_.native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count < 0 && would_block(errno))
      return progress::wait;
    if (count <= 0) {
      error_ = hung_up(count == 0 ? 0 : errno);
      return progress::failed;
    }
    if (first != tls_first_byte) {
      error_ = {refusal_code::tls_required, "this node speaks TLS only"};
      return progress::failed;
    }
  }
  return begin_session();
}

frame_stream::progress frame_stream::begin_session() {
  ERR_clear_error();
  try {
    session_ = caf::openssl::make_session(*tls_, socket_.native_handle(),
                                          side_ == side::acceptor);
  } catch (const std::exception& e) {
    error_ = {refusal_code::tls_failed, e.what()};
    return progress::failed;
  }
  if (session_)
    return progress::some;
  const auto reason = openssl_reason();
  error_ = {refusal_code::tls_failed,
            reason.empty() ? "the peer hung up" : reason};
  return progress::failed;
}

} // namespace troupe::actors::links
