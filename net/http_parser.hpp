// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http_message.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::net {

struct http_limits {
  std::size_t head_bytes_max = 16 * 1024;
  std::size_t body_bytes_max = 1 << 20;
  /// Paths that begin so are nobody's but their handler's to understand:
  /// http_request::target has them untouched, `path` is the part before '?' as
  /// it came, `query` stays empty. "": there are none. Not owned.
  std::string_view raw_prefix{};
  /// For a log: http_request::line is wanted.
  bool keep_line = false;
};

/// Bytes → one HTTP/1.x request, without I/O. Refuses what two parsers could
/// understand in two ways (request smuggling, RFC 9112 11.2): both
/// Content-Length and Transfer-Encoding, several or malformed lengths, codings
/// other than chunked, a missing or doubled Host.
class http_parser {
public:
  explicit http_parser(const http_limits& limits);
  ~http_parser();

  enum class state : std::uint8_t {
    head,     ///< wants more of the head
    body,     ///< the head is complete, wants more of the body
    complete, ///< take() has the request
    failed,   ///< error_status() says with which answer
  };

  /// Takes bytes; returns how many were used. Head bytes are used all at once
  /// when the head is whole: till then the same bytes must come again with
  /// more behind them.
  std::size_t put(std::string_view bytes);

  [[nodiscard]] state at() const noexcept { return state_; }
  [[nodiscard]] unsigned error_status() const noexcept { return error_; }
  [[nodiscard]] std::string_view error_text() const noexcept { return text_; }
  /// The client waits for "100 Continue" before it sends the body.
  [[nodiscard]] bool wants_continue() const noexcept { return continue_; }

  /// What is known of the request line, also of a request that failed.
  [[nodiscard]] const std::string& line() const noexcept {
    return request_.line;
  }
  /// REQUIRES: at() == state::complete.
  http_request take();

private:
  struct implementation;
  void fail(unsigned status, std::string text);
  void check_head();
  bool check_framing();
  bool check_target(std::string_view target);
  bool take_raw(std::string_view target);

  std::string_view raw_prefix_;
  bool keep_line_;
  std::unique_ptr<implementation> parser_;
  http_request request_;
  state state_ = state::head;
  bool continue_ = false;
  unsigned error_ = 0;
  std::string text_;
};

} // namespace troupe::net
