// SPDX-License-Identifier: Apache-2.0
#include "net/listener.hpp"

#include "actors/runtime/loop.hpp"
#include "net/connection.hpp"

#include <spdlog/spdlog.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <utility>

namespace troupe::net {

namespace {

// Accepts before the connections of this loop have their turn.
constexpr int accepts_a_turn = 64;
// Where other processes accept, too: they shall have their part.
constexpr int shared_accepts_a_turn = 2;
// The pause after the process ran out of descriptors or memory.
constexpr std::chrono::milliseconds rest_time{100};

owned_fd spare_descriptor() {
  return owned_fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
}

core::error failed(const std::string& what, const ip_endpoint& endpoint) {
  return {errno == EADDRINUSE ? core::errc::in_use : core::errc::io_error,
          what + " " + to_string(endpoint) + ": " + std::strerror(errno)};
}

ip_endpoint local_endpoint(int fd) {
  sockaddr_storage raw{};
  socklen_t length = sizeof raw;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&raw), &length);
  return from_sockaddr(raw);
}

// A machine without IPv6 serves "every address" over IPv4.
owned_fd open_socket(ip_endpoint& endpoint) {
  auto make = [](int family) {
    return owned_fd{
        ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  };
  if (endpoint.address.is_v4())
    return make(AF_INET);
  auto socket = make(AF_INET6);
  if (!socket && errno == EAFNOSUPPORT && endpoint.address.is_unspecified()) {
    endpoint.address = boost::asio::ip::address_v4::any();
    return make(AF_INET);
  }
  if (socket) {
    int v6_only = endpoint.address.is_unspecified() ? 0 : 1;
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only,
                 sizeof v6_only);
  }
  return socket;
}

} // namespace

connection_id next_connection_id() {
  static std::atomic<std::uint64_t> last{0};
  return connection_id{last.fetch_add(1, std::memory_order_relaxed) + 1};
}

core::result<owned_fd> open_listening_socket(ip_endpoint& endpoint,
                                             int backlog) {
  auto socket = open_socket(endpoint);
  if (!socket)
    return failed("can't open a socket for", endpoint);
  int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  unsigned length = 0;
  auto raw = to_sockaddr(endpoint, length);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&raw), length) != 0)
    return failed("can't bind", endpoint);
  if (::listen(socket.get(), backlog) != 0)
    return failed("can't listen on", endpoint);
  endpoint = local_endpoint(socket.get());
  return core::result<owned_fd>{std::move(socket)};
}

core::result<std::shared_ptr<listener>>
listener::open(listener_options options, std::shared_ptr<loop_sockets> home,
               loops all) {
  const bool shared = options.socket >= 0;
  owned_fd socket{std::exchange(options.socket, -1)};
  if (!shared) {
    auto opened = open_listening_socket(options.endpoint, options.backlog);
    if (!opened)
      return opened.error();
    socket = std::move(*opened);
  }
  std::shared_ptr<listener> fresh{new listener{
      std::move(options), std::move(home), std::move(all), std::move(socket)}};
  fresh->shared_ = shared;
  return fresh;
}

listener::listener(listener_options options, std::shared_ptr<loop_sockets> home,
                   loops all, owned_fd socket)
    : options_(std::move(options)), home_(std::move(home)),
      loops_(std::move(all)), socket_(std::move(socket)),
      spare_(spare_descriptor()), local_(local_endpoint(socket_.get())) {}

listener::~listener() = default;

void listener::start() {
  if (!socket_)
    return;
  auto& readiness = home_->readiness();
  const bool added = shared_ ? readiness.add_shared(socket_.get(), *this)
                             : readiness.add(socket_.get(), *this);
  if (!added)
    spdlog::error("can't poll {}", to_string(local_));
}

void listener::close() {
  if (!socket_)
    return;
  home_->readiness().remove(socket_.get(), *this);
  socket_.reset();
}

void listener::on_ready(std::uint32_t) {
  if (resting_)
    return;
  auto self = shared_from_this();
  const auto most = shared_ ? shared_accepts_a_turn : accepts_a_turn;
  for (int i = 0; i < most; ++i)
    if (!accept_one())
      return;
  home_->readiness().again(*this);
}

bool listener::accept_one() {
  if (!socket_)
    return false;
  sockaddr_storage peer{};
  socklen_t length = sizeof peer;
  owned_fd accepted{::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&peer),
                              &length, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (accepted) {
    hand_over(std::move(accepted), peer);
    return true;
  }
  switch (errno) {
  case EAGAIN:
    return false;
  case EMFILE:
  case ENFILE:
  case ENOBUFS:
  case ENOMEM:
    out_of_descriptors();
    return false;
  default:
    return true; // of the one connection only (accept(2), "Error handling")
  }
}

void listener::out_of_descriptors() {
  home_->stats.refuse(refusal::no_descriptors);
  spdlog::warn("{}: can't accept: {}; resting", to_string(local_),
               std::strerror(errno));
  // The one at the front gets an answer (a reset) rather than silence.
  spare_.reset();
  owned_fd unserved{::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  unserved.reset();
  spare_ = spare_descriptor();
  resting_ = true;
  auto& loop = home_->home();
  loop.call_at(loop.clock().now() + rest_time, weak_from_this(),
               [](listener& self) {
                 self.resting_ = false;
                 self.on_ready(0);
               });
}

bool listener::address_comes_later(const ip_endpoint& peer) const {
  const auto& d = *options_.served;
  if (d.proxy == proxy_policy::required)
    return true;
  return d.proxy == proxy_policy::optional && trusts(d, peer.address);
}

loop_sockets& listener::least_loaded() {
  // Among equals in turn, so that a burst is spread before it is counted.
  auto count = loops_.size();
  auto* best = loops_[next_loop_ % count].get();
  for (std::size_t i = 1; i < count; ++i) {
    auto* other = loops_[(next_loop_ + i) % count].get();
    if (other->load.load(std::memory_order_relaxed) <
        best->load.load(std::memory_order_relaxed))
      best = other;
  }
  ++next_loop_;
  return *best;
}

void listener::hand_over(owned_fd accepted, const sockaddr_storage& peer) {
  auto& loop = home_->home();
  connection_info info;
  info.id = next_connection_id();
  info.peer = from_sockaddr(peer);
  info.local = local_endpoint(accepted.get());
  info.opened = loop.clock().now();
  address_lease lease;
  const auto& addresses = options_.served->addresses;
  if (addresses && !address_comes_later(info.peer)) {
    auto admitted = addresses->admit(info.peer.address, info.opened);
    if (admitted.refused) {
      home_->stats.refuse(*admitted.refused);
      return;
    }
    lease = std::move(admitted.lease);
  }
  auto& target = least_loaded();
  target.load.fetch_add(1, std::memory_order_relaxed);
  auto begin = [to = target.shared_from_this(), served = options_.served,
                fd = std::move(accepted), info = std::move(info),
                held = std::move(lease)]() mutable {
    connection::start(*to, std::move(served), fd.release(), std::move(info),
                      std::move(held));
  };
  if (&target == home_.get())
    begin();
  else
    target.home().post(std::move(begin));
}

} // namespace troupe::net
