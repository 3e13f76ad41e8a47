// SPDX-License-Identifier: Apache-2.0
#include "net/tls_transport.hpp"

#include <climits>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace troupe::net {

namespace {

// The payload of one TLS record (RFC 8446 5.1).
constexpr std::size_t record_bytes_max = 16 * 1024;

struct ssl_deleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class tls_transport final : public transport {
public:
  tls_transport(SSL* ssl, int fd) : ssl_(ssl), fd_(fd) {}

  io_result handshake() override {
    ERR_clear_error();
    auto n = SSL_accept(ssl_.get());
    return n == 1 ? io_result{} : outcome(n, 0);
  }

  io_result read_some(std::span<std::byte> into) override {
    std::size_t total = 0;
    while (total < into.size()) {
      ERR_clear_error();
      std::size_t n = 0;
      auto ok =
          SSL_read_ex(ssl_.get(), into.data() + total, into.size() - total, &n);
      if (ok != 1) {
        // What came before is handed out first; the next call meets the same
        // end or failure again.
        auto end = outcome(ok, total);
        if (total == 0)
          return end;
        auto waits = end.status == io_status::want_read;
        return {io_status::done, total, waits};
      }
      total += n;
    }
    return {io_status::done, total, false};
  }

  io_result write_some(std::span<const iovec> from) override {
    std::size_t total = 0;
    std::array<std::byte, record_bytes_max> record;
    cursor at{from};
    while (!at.at_end()) {
      auto next = at.next_record(record);
      ERR_clear_error();
      std::size_t n = 0;
      auto ok = SSL_write_ex(ssl_.get(), next.data(), next.size(), &n);
      if (ok != 1)
        return outcome(ok, total);
      at.advance(n);
      total += n;
    }
    return {io_status::done, total, false};
  }

  io_result shutdown() override {
    ERR_clear_error();
    // Only our close_notify is awaited: the peer's is read while lingering.
    if (!SSL_in_init(ssl_.get()) &&
        (SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) == 0) {
      auto n = SSL_shutdown(ssl_.get());
      if (n < 0 && SSL_get_error(ssl_.get(), n) == SSL_ERROR_WANT_WRITE)
        return {io_status::want_write, 0, false};
    }
    ::shutdown(fd_, SHUT_WR);
    return {};
  }

  [[nodiscard]] bool secure() const noexcept override { return true; }

  [[nodiscard]] std::string peer_certificate() const override {
    return certificate_subject(SSL_get0_peer_certificate(ssl_.get()));
  }

  [[nodiscard]] std::string last_error() const override {
    if (error_ == 0)
      return "connection reset";
    std::array<char, 256> text{};
    ERR_error_string_n(error_, text.data(), text.size());
    return text.data();
  }

private:
  // Walks the pieces and makes record-sized parts of them. The part offered
  // again after want_* begins with the same bytes and is never shorter, which
  // is what OpenSSL asks of a repeated write.
  class cursor {
  public:
    explicit cursor(std::span<const iovec> pieces) : pieces_(pieces) {
      skip_empty();
    }
    [[nodiscard]] bool at_end() const { return pieces_.empty(); }

    std::span<const std::byte>
    next_record(std::span<std::byte, record_bytes_max> space) const {
      auto first = piece(0).subspan(offset_);
      if (first.size() >= space.size() || pieces_.size() == 1)
        return first.first(std::min(first.size(), space.size()));
      std::size_t filled = 0;
      auto skip = offset_;
      for (std::size_t i = 0; i < pieces_.size() && filled < space.size();
           ++i) {
        auto part = piece(i).subspan(skip);
        skip = 0;
        auto count = std::min(part.size(), space.size() - filled);
        if (count != 0)
          std::memcpy(space.data() + filled, part.data(), count);
        filled += count;
      }
      return space.first(filled);
    }

    void advance(std::size_t count) {
      while (count > 0) {
        auto left = pieces_.front().iov_len - offset_;
        auto step = std::min(left, count);
        offset_ += step;
        count -= step;
        skip_empty();
      }
    }

  private:
    [[nodiscard]] std::span<const std::byte> piece(std::size_t i) const {
      return {static_cast<const std::byte*>(pieces_[i].iov_base),
              pieces_[i].iov_len};
    }
    void skip_empty() {
      while (!pieces_.empty() && offset_ == pieces_.front().iov_len) {
        pieces_ = pieces_.subspan(1);
        offset_ = 0;
      }
    }

    std::span<const iovec> pieces_;
    std::size_t offset_ = 0;
  };

  io_result outcome(int returned, std::size_t bytes) {
    switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return {io_status::want_read, bytes, true};
    case SSL_ERROR_WANT_WRITE:
      return {io_status::want_write, bytes, true};
    case SSL_ERROR_ZERO_RETURN:
      return {io_status::closed, bytes, true};
    default:
      error_ = ERR_peek_last_error();
      ERR_clear_error();
      return {io_status::failed, bytes, true};
    }
  }

  std::unique_ptr<SSL, ssl_deleter> ssl_;
  int fd_;
  unsigned long error_ = 0;
};

} // namespace

std::unique_ptr<transport> make_tls_transport(ssl_ctx_st* context, int fd) {
  std::unique_ptr<SSL, ssl_deleter> ssl{SSL_new(context)};
  if (!ssl || SSL_set_fd(ssl.get(), fd) != 1)
    return nullptr;
  SSL_set_accept_state(ssl.get());
  return std::make_unique<tls_transport>(ssl.release(), fd);
}

std::string certificate_subject(const x509_st* certificate) {
  if (certificate == nullptr)
    return {};
  std::unique_ptr<BIO, int (*)(BIO*)> text{BIO_new(BIO_s_mem()), &BIO_free};
  if (!text)
    return {};
  X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0,
                     XN_FLAG_RFC2253);
  char* data = nullptr;
  auto size = BIO_get_mem_data(text.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

} // namespace troupe::net
