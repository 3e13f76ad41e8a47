// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/settings.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"

#include <concepts>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::app {

/// One key=value of a log line. Keys are words of our own; values may come
/// from peers and are escaped. Never put a token, a password or a device's
/// name into one.
struct log_field {
  std::string_view key;
  std::string value;
  bool quoted = true; ///< in JSON

  log_field(std::string_view name, std::string_view text)
      : key(name), value(text) {}
  log_field(std::string_view name, const char* text)
      : log_field(name, std::string_view{text}) {}
  log_field(std::string_view name, const std::string& text)
      : log_field(name, std::string_view{text}) {}
  log_field(std::string_view name, bool flag)
      : key(name), value(flag ? "true" : "false"), quoted(false) {}
  template <std::integral Number>
  log_field(std::string_view name, Number number)
      : key(name), value(std::to_string(number)), quoted(false) {}
};

using log_fields = std::vector<log_field>;

/// How lower layers say something without knowing this one.
using log_hook = std::function<void(log_level, std::string_view message)>;

/// A line without its end, as it is written.
[[nodiscard]] std::string format_line(log_format format, core::timestamp when,
                                      log_level level,
                                      std::string_view component,
                                      std::string_view message,
                                      const log_fields& fields);

/// Holds back a text that comes again and again: each key passes once an
/// interval. Remembers a bounded number of keys; with more, it lets pass.
/// Not thread-safe.
class repeat_limit {
public:
  explicit repeat_limit(milliseconds interval) : interval_(interval) {}

  /// How many were held back since this key last passed, or nothing if it is
  /// held back now.
  [[nodiscard]] std::optional<std::uint64_t> pass(const std::string& key,
                                                  core::steady_time now);

private:
  static constexpr std::size_t keys_max = 1024;
  struct seen {
    core::steady_time passed;
    std::uint64_t held_back = 0;
  };

  milliseconds interval_;
  std::unordered_map<std::string, seen> keys_;
};

/// The node's log: one line an event, to standard error or a file. Owned by
/// the program, outlives everything that logs. Thread-safe; a line is written
/// before the call returns (and the file is flushed from `warn` on), so keep
/// it off the paths of single messages.
class logger {
public:
  /// Fails if the file cannot be opened.
  [[nodiscard]] static core::result<std::unique_ptr<logger>>
  open(const log_settings& options);
  ~logger();
  logger(const logger&) = delete;
  logger& operator=(const logger&) = delete;

  void write(log_level level, std::string_view component,
             std::string_view message, const log_fields& fields = {});
  /// For what a peer or a full disk can cause without end: the same message of
  /// a component passes every ten seconds, with the number left out.
  void write_limited(log_level level, std::string_view component,
                     std::string_view message, const log_fields& fields = {});

  [[nodiscard]] bool enabled(log_level level) const;
  void set_level(log_level level);
  /// Opens the file again, after it was moved away. No-op on standard error.
  [[nodiscard]] core::result<void> reopen();
  void flush();

  /// For a lower layer; warnings and errors pass the limit on repeats.
  /// REQUIRES: the logger outlives the hook.
  [[nodiscard]] log_hook hook(std::string component);

private:
  class output;
  logger(log_format format, std::unique_ptr<output> out);

  log_format format_;
  std::unique_ptr<output> out_;
  core::system_clock clock_;
  std::mutex repeats_mutex_;
  repeat_limit repeats_{milliseconds{10'000}};
};

} // namespace troupe::app
