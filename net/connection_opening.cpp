// SPDX-License-Identifier: Apache-2.0
// The part of a connection from accept until a protocol is chosen.
#include "net/connection.hpp"
#include "net/proxy_header.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace troupe::net {

namespace {

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

ip_endpoint to_endpoint(const peer_address& from) {
  namespace ip = boost::asio::ip;
  if (from.kind == peer_address::family::ipv4) {
    ip::address_v4::bytes_type four{};
    std::copy_n(from.octets.begin(), four.size(), four.begin());
    return {ip::address_v4{four}, from.port};
  }
  ip::address_v6::bytes_type six{};
  std::copy_n(from.octets.begin(), six.size(), six.begin());
  return {unmapped(ip::address_v6{six}), from.port};
}

} // namespace

void connection::start(loop_sockets& sockets, std::shared_ptr<const door> door,
                       int fd, connection_info info, address_lease lease) {
  std::shared_ptr<connection> fresh{new connection{
      sockets, std::move(door), fd, std::move(info), std::move(lease)}};
  sockets.add(fresh);
  sockets.stats.accepted.add();
  sockets.stats.open.add();
  sockets.by_protocol.add(fresh->info_.protocol);
  fresh->set_socket_options();
  if (sockets.stopped() || !sockets.readiness().add(fd, *fresh))
    return fresh->finish();
  const auto& d = *fresh->door_;
  fresh->set_deadline(d.limits.opening);
  if (d.proxy != proxy_policy::off) {
    if (trusts(d, fresh->info_.peer.address))
      fresh->stage_ = stage::proxy_header;
    else if (d.proxy == proxy_policy::required)
      fresh->refuse(refusal::proxy_header, "not a trusted proxy");
    else
      fresh->tell_observer();
    return; // the first edge goes on
  }
  fresh->tell_observer();
  if (d.tls == tls_policy::off)
    if (const auto* only = fresh->only_protocol())
      fresh->begin(*only);
}

void connection::set_socket_options() {
  const auto& limits = door_->limits;
  set_option(fd_, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd_, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd_, IPPROTO_TCP, TCP_KEEPIDLE,
             static_cast<int>(limits.keep_alive_idle.count()));
  set_option(fd_, IPPROTO_TCP, TCP_KEEPINTVL,
             static_cast<int>(limits.keep_alive_interval.count()));
  set_option(fd_, IPPROTO_TCP, TCP_KEEPCNT, limits.keep_alive_probes);
}

const protocol_factory* connection::only_protocol() const {
  const auto& served = door_->protocols;
  return served.size() == 1 ? &served.begin()->second : nullptr;
}

std::optional<core::bytes_view> connection::peek(std::span<std::byte> into) {
  for (;;) {
    auto n = ::recv(fd_, into.data(), into.size(), MSG_PEEK);
    if (n > 0)
      return core::bytes_view{into.data(), static_cast<std::size_t>(n)};
    if (n < 0 && errno == EINTR)
      continue;
    readable_ = false;
    if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
      finish();
    return std::nullopt;
  }
}

connection::step connection::read_proxy_header() {
  auto seen = peek(sockets_->scratch().first(proxy_v2_bytes_max));
  if (!seen)
    return step::wait;
  auto kind = sniff(*seen);
  auto is_header = kind == sniffed::proxy_v1 || kind == sniffed::proxy_v2;
  if (!is_header && kind != sniffed::need_more) {
    if (door_->proxy == proxy_policy::required)
      return refuse(refusal::proxy_header, "no PROXY header");
    return accept_peer();
  }
  auto header = is_header ? parse_proxy_header(*seen) : proxy_header{};
  switch (header.what) {
  case proxy_header::status::malformed:
    return refuse(refusal::proxy_header, "malformed PROXY header");
  case proxy_header::status::need_more:
    readable_ = false;
    if (hung_up_)
      finish();
    return step::wait;
  case proxy_header::status::ready:
    break;
  }
  // Exactly the header leaves the socket: what follows may be TLS.
  auto taken = ::recv(fd_, sockets_->scratch().data(), header.bytes, 0);
  if (taken != static_cast<ssize_t>(header.bytes)) {
    finish();
    return step::wait;
  }
  if (header.source.kind != peer_address::family::none) {
    info_.peer = to_endpoint(header.source);
    info_.local = to_endpoint(header.destination);
  }
  return accept_peer();
}

// The client's address is known now.
connection::step connection::accept_peer() {
  if (door_->addresses && !lease_) {
    auto admitted = door_->addresses->admit(info_.peer.address, now());
    if (admitted.refused)
      return refuse(*admitted.refused, "limit");
    lease_ = std::move(admitted.lease);
  }
  tell_observer();
  stage_ = stage::detect;
  return step::more;
}

void connection::tell_observer() {
  if (door_->observer == nullptr)
    return;
  observed_ = true;
  door_->observer->on_open(*this);
}

connection::step connection::detect() {
  if (door_->tls == tls_policy::off)
    if (const auto* only = only_protocol())
      return begin(*only);
  std::array<std::byte, sniff_bytes_max> first;
  auto seen = peek(first);
  if (!seen)
    return step::wait;
  auto kind = sniff(*seen);
  if (kind == sniffed::tls)
    return begin_tls();
  if (kind == sniffed::need_more) {
    readable_ = false;
    if (hung_up_)
      finish();
    return step::wait;
  }
  if (door_->tls == tls_policy::required)
    return refuse(refusal::unknown_protocol, "plain text on a TLS port");
  return choose(kind);
}

connection::step connection::begin_tls() {
  if (door_->tls == tls_policy::off || !door_->certificate)
    return refuse(refusal::tls_not_served, "TLS is not served here");
  auto secured = door_->certificate->accept(fd_);
  if (!secured) {
    finish();
    return step::wait;
  }
  transport_ = std::move(secured);
  stage_ = stage::handshake;
  return step::more;
}

connection::step connection::shake_hands() {
  auto shaken = transport_->handshake();
  switch (shaken.status) {
  case io_status::done:
    break;
  case io_status::want_read:
  case io_status::want_write:
    // Any edge tries again, whichever way OpenSSL waits.
    readable_ = false;
    return step::wait;
  case io_status::closed:
  case io_status::failed:
    sockets_->stats.tls_failures.add();
    spdlog::debug("connection {} from {}: TLS: {}", info_.id.value(),
                  to_string(info_.peer), transport_->last_error());
    finish();
    return step::wait;
  }
  sockets_->stats.tls_handshakes.add();
  info_.tls = true;
  info_.client_certificate = transport_->peer_certificate();
  if (const auto* only = only_protocol())
    return begin(*only);
  stage_ = stage::detect_inner;
  return step::more;
}

connection::step connection::detect_inner() {
  auto space = sockets_->scratch().first(loop_sockets::scratch_bytes / 2);
  auto got = transport_->read_some(space);
  if (got.drained && !hung_up_)
    readable_ = false;
  if (got.bytes == 0) {
    if (got.status == io_status::closed || got.status == io_status::failed)
      finish();
    else
      readable_ = false;
    return step::wait;
  }
  bytes_in_ += got.bytes;
  sockets_->stats.bytes_in.add(got.bytes);
  auto held = input_.size();
  input_.reserve(held + got.bytes);
  if (held == 0) {
    input_.assign(space.first(got.bytes), got.bytes);
  } else {
    auto to = input_.space(got.bytes);
    std::copy_n(space.begin(), got.bytes, to.begin());
    input_.commit(got.bytes);
  }
  auto kind = sniff(input_.view());
  if (kind == sniffed::need_more)
    return step::more;
  auto next = choose(kind);
  offer_held();
  return next;
}

connection::step connection::choose(sniffed kind) {
  auto served = door_->protocols.find(kind);
  if (served == door_->protocols.end())
    return refuse(refusal::unknown_protocol, to_string(kind));
  return begin(served->second);
}

connection::step connection::begin(const protocol_factory& make) {
  auto made = make(*this);
  if (!made)
    return refuse(refusal::unknown_protocol, "not served now");
  deadline_ = core::steady_time::max();
  stage_ = stage::speaking;
  sockets_->by_protocol.subtract(info_.protocol);
  protocol_ = std::move(made);
  info_.protocol = protocol_->name();
  sockets_->by_protocol.add(info_.protocol);
  if (observed_)
    door_->observer->on_protocol(*this);
  drive([&](protocol& p, effects& out) { p.on_open(now(), out); });
  return step::more;
}

connection::step connection::refuse(refusal reason, std::string_view text) {
  sockets_->stats.refuse(reason);
  spdlog::debug("connection {} from {} refused ({}): {}", info_.id.value(),
                to_string(info_.peer), to_string(reason), text);
  finish();
  return step::wait;
}

} // namespace troupe::net
