// SPDX-License-Identifier: Apache-2.0
#include "actors/links/link_scribe.hpp"

#include <caf/io/basp/header.hpp>
#include <caf/io/basp/message_type.hpp>
#include <caf/policy/tcp.hpp>
#include <openssl/err.h>

#include <sys/socket.h>
#include <utility>

namespace troupe::actors::links {

namespace {

namespace basp = caf::io::basp;
using caf::io::receive_policy;

// Names of a node and of nothing else.
constexpr std::size_t handshake_bytes_max = 4096;

template <class Integer>
Integer big_endian(std::string_view bytes) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i)
    value = static_cast<Integer>((value << 8U) |
                                 static_cast<unsigned char>(bytes[i]));
  return value;
}

/// OpenSSL reads the outcome of a call off a queue of errors that all
/// connections of a thread share and that CAF never empties: without this the
/// first link that ends by an error would take all others with it, and every
/// later one.
class guarded_session {
public:
  explicit guarded_session(caf::openssl::session& session)
      : session_(session) {}
  caf::io::network::rw_state read_some(std::size_t& result, int descriptor,
                                       void* bytes, std::size_t size) {
    ERR_clear_error();
    return session_.read_some(result, descriptor, bytes, size);
  }
  caf::io::network::rw_state write_some(std::size_t& result, int descriptor,
                                        const void* bytes, std::size_t size) {
    ERR_clear_error();
    return session_.write_some(result, descriptor, bytes, size);
  }
  bool must_read_more(int descriptor, std::size_t threshold) {
    return session_.must_read_more(descriptor, threshold);
  }

private:
  caf::openssl::session& session_;
};

} // namespace

// --------------------------------------------------------------------- stream

link_scribe::guarded_stream::guarded_stream(
    caf::io::network::default_multiplexer& network, int descriptor,
    caf::openssl::session_ptr session)
    : caf::io::network::stream(network, descriptor),
      session_(std::move(session)) {}

void link_scribe::guarded_stream::handle_event(
    caf::io::network::operation operation) {
  if (session_) {
    guarded_session guarded{*session_};
    handle_event_impl(operation, guarded);
  } else {
    caf::policy::tcp plain;
    handle_event_impl(operation, plain);
  }
}

// --------------------------------------------------------------------- scribe

link_scribe::link_scribe(caf::io::network::default_multiplexer& network,
                         int descriptor, caf::openssl::session_ptr session,
                         std::string address, scribe_rules rules)
    : caf::io::scribe(caf::io::network::conn_hdl_from_socket(descriptor)),
      address_(std::move(address)), rules_(std::move(rules)),
      stream_(network, descriptor, std::move(session)) {}

link_scribe::~link_scribe() {
  if (rules_.on_closed)
    rules_.on_closed();
}

void link_scribe::configure_read(receive_policy::config config) {
  stream_.configure_read(config);
  if (!std::exchange(launched_, true))
    stream_.start(this);
}

void link_scribe::ack_writes(bool enable) { stream_.ack_writes(enable); }

std::vector<char>& link_scribe::wr_buf() { return stream_.wr_buf(); }

std::vector<char>& link_scribe::rd_buf() { return stream_.rd_buf(); }

void link_scribe::flush() { stream_.flush(this); }

void link_scribe::graceful_shutdown() {
  stream_.graceful_shutdown();
  // A peer that is gone without a word would hold the connection for ever.
  hang_up();
  detach(&stream_.backend(), false);
}

void link_scribe::add_to_loop() { stream_.activate(this); }

void link_scribe::remove_from_loop() { stream_.passivate(); }

void link_scribe::hang_up() { ::shutdown(stream_.fd(), SHUT_RDWR); }

void link_scribe::read_next(expects what, std::size_t size) {
  next_ = what;
  stream_.configure_read(receive_policy::exactly(size));
}

bool link_scribe::consume(caf::execution_unit* unit, const void* bytes,
                          std::size_t size) {
  const std::string_view text{static_cast<const char*>(bytes), size};
  switch (next_) {
  case expects::head:
    if (text.size() == basp::header_size)
      return on_head(unit, text);
    hang_up();
    return true;
  case expects::payload:
    return on_payload(unit, text);
  case expects::waste:
    read_next(expects::head, basp::header_size);
    return true;
  }
  return false;
}

bool link_scribe::on_head(caf::execution_unit* unit, std::string_view head) {
  using basp::message_type;
  const auto type = static_cast<message_type>(head[0]);
  const auto flags = static_cast<unsigned char>(head[3]);
  const auto size = big_endian<std::uint32_t>(head.substr(4, 4));
  const auto to = big_endian<std::uint64_t>(head.substr(24, 8));
  const bool handshake = type == message_type::server_handshake ||
                         type == message_type::client_handshake;
  const auto most = handshake ? handshake_bytes_max : rules_.payload_bytes_max;
  if (size > most || (handshake && size == 0)) {
    hang_up(); // the next read finds the end
    return true;
  }
  if (type == message_type::heartbeat && size == 0)
    return caf::io::scribe::consume(unit, head.data(), head.size());
  const bool envelope = type == message_type::direct_message && flags == 0 &&
                        to == rules_.gate && size != 0;
  if (handshake || envelope) {
    head_.assign(head.begin(), head.end());
    read_next(expects::payload, size);
    return true;
  }
  // Among them is what CAF asks of every new peer on its own account.
  if (rules_.swallowed)
    rules_.swallowed->fetch_add(1, std::memory_order_relaxed);
  if (size != 0)
    read_next(expects::waste, size);
  return true;
}

bool link_scribe::on_payload(caf::execution_unit* unit,
                             std::string_view payload) {
  const auto type = static_cast<basp::message_type>(head_[0]);
  if (type == basp::message_type::direct_message &&
      !payload.starts_with(rules_.prefix)) {
    if (rules_.swallowed)
      rules_.swallowed->fetch_add(1, std::memory_order_relaxed);
    read_next(expects::head, basp::header_size);
    return true;
  }
  // The broker takes a head and then a payload out of the read buffer.
  next_ = expects::head;
  auto& buffer = rd_buf();
  std::vector<char> held;
  held.swap(buffer);
  buffer.swap(head_);
  bool more = caf::io::scribe::consume(unit, buffer.data(), buffer.size());
  buffer.swap(head_);
  buffer.swap(held);
  if (more)
    more = caf::io::scribe::consume(unit, buffer.data(), buffer.size());
  return more;
}

} // namespace troupe::actors::links
