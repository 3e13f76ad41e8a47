// SPDX-License-Identifier: Apache-2.0
//
// What an idle connection costs in resident memory: a server process with
// real loops and a trivial protocol, and this process that opens connections,
// makes each work once, and leaves them alone.
//
//   idle_connections_bench [connections] [plain|upgrade|tls]
#include "actors/runtime/loop.hpp"
#include "actors/runtime/runtime_config.hpp"
#include "actors/runtime/scheduler.hpp"
#include "net/http_front.hpp"
#include "net/network.hpp"
#include "net/owned_fd.hpp"
#include "net/tls_context.hpp"

#include <caf/actor_system.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace troupe;

/// Sends every byte back.
class mirror final : public net::protocol {
public:
  void on_open(core::steady_time, net::effects&) override {}
  std::size_t on_bytes(const net::input& in, core::steady_time,
                       net::effects& out) override {
    out.output.append(in.bytes);
    return in.bytes.size();
  }
  [[nodiscard]] std::size_t frame_bytes() const override { return 0; }
  void on_event(core::session_event, core::steady_time,
                net::effects&) override {}
  void on_flushed(core::steady_time, net::effects&) override {}
  void on_tick(core::steady_time, net::effects&) override {}
  [[nodiscard]] std::optional<core::steady_time> deadline() const override {
    return std::nullopt;
  }
  void on_closed(net::effects&) override {}
  [[nodiscard]] std::string_view name() const override { return "mirror"; }
};

std::size_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::size_t size = 0;
  std::size_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

net::tls_options make_certificate() {
  auto base = "/tmp/idle_connections_" + std::to_string(::getpid());
  net::tls_options files;
  files.certificate_path = base + ".crt";
  files.key_path = base + ".key";
  auto* key = EVP_EC_gen("P-256");
  auto* certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  auto* file = std::fopen(files.key_path.c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  file = std::fopen(files.certificate_path.c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return files;
}

net::door make_door(std::string_view mode) {
  net::door d;
  auto make_mirror = [](net::protocol_host&) {
    return std::make_unique<mirror>();
  };
  d.protocols[net::sniffed::mq] = make_mirror;
  auto router = std::make_shared<net::http_router>();
  router->add_websocket("/mq", {},
                        [](const net::websocket_terms&, net::protocol_host&) {
                          return std::make_unique<mirror>();
                        });
  d.protocols[net::sniffed::http] = net::make_http(router);
  if (mode == "tls") {
    auto files = make_certificate();
    d.tls = net::tls_policy::sniffed;
    d.certificate = *net::tls_context::load(files);
    ::unlink(files.certificate_path.c_str());
    ::unlink(files.key_path.c_str());
  }
  return d;
}

/// Serves until the pipe closes; answers each byte with its resident memory.
void run_server(std::string_view mode, int orders, int answers) {
  actors::runtime::runtime_options options;
  options.loops = 2;
  actors::runtime::runtime_config config{options};
  caf::actor_system system{config};
  auto& scheduler = actors::runtime::scheduler::of(system);
  net::network network{{&scheduler.at(0), &scheduler.at(1)}};
  net::listener_options listen;
  listen.endpoint = *net::parse_endpoint("127.0.0.1:0");
  listen.served = std::make_shared<const net::door>(make_door(mode));
  std::uint64_t port = network.listen(listen)->port;
  if (::write(answers, &port, sizeof port) < 0)
    return;
  char order = 0;
  while (::read(orders, &order, 1) == 1) {
    std::uint64_t bytes = resident_bytes();
    if (::write(answers, &bytes, sizeof bytes) < 0)
      return;
  }
}

std::uint64_t read_number(int from) {
  std::uint64_t number = 0;
  if (::read(from, &number, sizeof number) != sizeof number)
    std::exit(1);
  return number;
}

std::string talk(int fd, std::string_view bytes, std::string_view until) {
  if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0)
    std::exit(1);
  std::string got;
  std::array<char, 1024> part;
  while (!got.ends_with(until)) {
    auto n = ::recv(fd, part.data(), part.size(), 0);
    if (n <= 0)
      std::exit(1);
    got.append(part.data(), static_cast<std::size_t>(n));
  }
  return got;
}

/// A connection that has worked once. TLS sessions are kept in `sessions`.
net::owned_fd open_one(std::string_view mode, std::uint16_t port,
                       SSL_CTX* context, std::vector<SSL*>& sessions) {
  net::owned_fd fd{::socket(AF_INET, SOCK_STREAM, 0)};
  unsigned length = 0;
  auto raw =
      net::to_sockaddr({boost::asio::ip::address_v4::loopback(), port}, length);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&raw), length) != 0)
    std::exit(1);
  if (mode == "plain")
    talk(fd.get(), "\x85ping", "ping");
  if (mode == "upgrade") {
    talk(fd.get(),
         "GET /mq HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
         "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         "\r\n\r\n");
    talk(fd.get(), "ping", "ping");
  }
  if (mode == "tls") {
    auto* ssl = SSL_new(context);
    SSL_set_fd(ssl, fd.get());
    std::array<char, 8> back{};
    if (SSL_connect(ssl) != 1 || SSL_write(ssl, "\x85ping", 5) != 5 ||
        SSL_read(ssl, back.data(), 5) != 5)
      std::exit(1);
    sessions.push_back(ssl);
  }
  return fd;
}

} // namespace

int main(int argc, char** argv) {
  std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10'000;
  std::string mode = argc > 2 ? argv[2] : "upgrade";
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  int orders[2];
  int answers[2];
  if (::pipe(orders) != 0 || ::pipe(answers) != 0)
    return 1;
  auto server = ::fork();
  if (server == 0) {
    ::close(orders[1]);
    run_server(mode, orders[0], answers[1]);
    return 0;
  }
  ::close(orders[0]);
  auto port = static_cast<std::uint16_t>(read_number(answers[0]));
  auto measure = [&] {
    if (::write(orders[1], "?", 1) != 1)
      std::exit(1);
    return read_number(answers[0]);
  };
  auto* context = SSL_CTX_new(TLS_client_method());
  std::vector<SSL*> sessions;
  std::vector<net::owned_fd> open;
  // Warms up what is allocated once.
  for (int i = 0; i < 64; ++i)
    open.push_back(open_one(mode, port, context, sessions));
  auto before = measure();
  for (std::size_t i = 0; i < count; ++i)
    open.push_back(open_one(mode, port, context, sessions));
  auto after = measure();
  std::printf("%s: %zu connections, %llu bytes each (%llu → %llu KiB)\n",
              mode.c_str(), count,
              static_cast<unsigned long long>((after - before) / count),
              static_cast<unsigned long long>(before / 1024),
              static_cast<unsigned long long>(after / 1024));
  ::close(orders[1]);
  ::waitpid(server, nullptr, 0);
  return 0;
}
