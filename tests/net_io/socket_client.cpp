// SPDX-License-Identifier: Apache-2.0
#include "tests/net_io/socket_client.hpp"

#include "net/tls_transport.hpp"
#include "tests/net_io/node_fixture.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdio>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::net::test {

namespace {

// One file pair a process and name, so that parallel tests don't meet.
std::string path_for(const std::string& name, const char* suffix) {
  return ::testing::TempDir() + "troupe_" + std::to_string(::getpid()) + "_" +
         name + suffix;
}

template <class Receive>
std::string collect_until(std::string_view end, Receive&& receive_one) {
  std::string all;
  while (!all.ends_with(end)) {
    auto next = receive_one();
    if (next.empty())
      break;
    all += next;
  }
  return all;
}

EVP_PKEY* read_key(const std::string& path) {
  auto* file = std::fopen(path.c_str(), "r");
  auto* key = PEM_read_PrivateKey(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  return key;
}

X509* read_certificate(const std::string& path) {
  auto* file = std::fopen(path.c_str(), "r");
  auto* certificate = PEM_read_X509(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  return certificate;
}

} // namespace

socket_client::socket_client(const ip_endpoint& server,
                             int receive_buffer_bytes)
    : fd_(::socket(server.address.is_v4() ? AF_INET : AF_INET6,
                   SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  timeval wait{patience.count(), 0};
  ::setsockopt(fd(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  ::setsockopt(fd(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  if (receive_buffer_bytes != 0)
    ::setsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                 sizeof receive_buffer_bytes);
  unsigned length = 0;
  auto raw = to_sockaddr(server, length);
  EXPECT_EQ(::connect(fd(), reinterpret_cast<sockaddr*>(&raw), length), 0)
      << to_string(server);
}

void socket_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0)
      return; // the test sees it by what does not come back
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string socket_client::receive(std::size_t count) {
  std::string all(count, '\0');
  std::size_t got = 0;
  while (got < count) {
    auto n = ::recv(fd(), all.data() + got, count - got, 0);
    if (n <= 0)
      break;
    got += static_cast<std::size_t>(n);
  }
  all.resize(got);
  return all;
}

std::string socket_client::receive_until(std::string_view end) {
  return collect_until(end, [&] { return receive(1); });
}

std::string socket_client::receive_all() {
  std::string all;
  std::array<char, 65536> part;
  for (;;) {
    auto n = ::recv(fd(), part.data(), part.size(), 0);
    if (n <= 0)
      return all;
    all.append(part.data(), static_cast<std::size_t>(n));
  }
}

bool socket_client::ended() {
  char one = 0;
  auto n = ::recv(fd(), &one, 1, 0);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

void socket_client::end_sending() { ::shutdown(fd(), SHUT_WR); }

void socket_client::reset() {
  linger hard{1, 0};
  ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  fd_.reset();
}

test_certificate::test_certificate(const std::string& name,
                                   const test_certificate* issuer)
    : certificate_path(path_for(name, ".crt")),
      key_path(path_for(name, ".key")) {
  auto* key = EVP_EC_gen("P-256");
  auto* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  auto* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(
      subject, "CN", MBSTRING_ASC,
      reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  if (issuer == nullptr) {
    X509_set_issuer_name(certificate, subject);
    auto* authority = X509V3_EXT_conf_nid(
        nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(certificate, authority, -1);
    X509_EXTENSION_free(authority);
    X509_sign(certificate, key, EVP_sha256());
  } else {
    auto* ca = read_certificate(issuer->certificate_path);
    auto* ca_key = read_key(issuer->key_path);
    X509_set_issuer_name(certificate, X509_get_subject_name(ca));
    X509_sign(certificate, ca_key, EVP_sha256());
    X509_free(ca);
    EVP_PKEY_free(ca_key);
  }
  auto* file = std::fopen(key_path.c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  file = std::fopen(certificate_path.c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

tls_client::tls_client(const ip_endpoint& server, const test_certificate* own,
                       int version, std::string_view preface)
    : socket_(server),
      context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free),
      ssl_(nullptr, &SSL_free) {
  if (version != 0) {
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    // Debian's default refuses old versions on the client's side already.
    SSL_CTX_set_security_level(context_.get(), 0);
  }
  if (own != nullptr) {
    SSL_CTX_use_certificate_file(context_.get(), own->certificate_path.c_str(),
                                 SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context_.get(), own->key_path.c_str(),
                                SSL_FILETYPE_PEM);
  }
  static constexpr unsigned char protocols[] = {8,   'h', 't', 't', 'p',
                                                '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context_.get(), protocols, sizeof protocols);
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), socket_.fd());
  socket_.send(preface);
  connected_ = SSL_connect(ssl_.get()) == 1;
}

tls_client::~tls_client() = default;

bool tls_client::send(std::string_view bytes) {
  return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) ==
         static_cast<int>(bytes.size());
}

std::string tls_client::receive(std::size_t count) {
  std::string all(count, '\0');
  std::size_t got = 0;
  while (got < count) {
    std::size_t n = 0;
    if (SSL_read_ex(ssl_.get(), all.data() + got, count - got, &n) != 1)
      break;
    got += n;
  }
  all.resize(got);
  return all;
}

std::string tls_client::receive_until(std::string_view end) {
  return collect_until(end, [&] { return receive(1); });
}

std::string tls_client::receive_all() {
  return collect_until("\xff\xff none", [&] { return receive(1); });
}

std::string tls_client::server_name() const {
  return certificate_subject(SSL_get0_peer_certificate(ssl_.get()));
}

std::string tls_client::alpn() const {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &length);
  return {reinterpret_cast<const char*>(name), length};
}

bool tls_client::got_close_notify() const {
  return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

} // namespace troupe::net::test
