// SPDX-License-Identifier: Apache-2.0
#include "app/logging.hpp"

#include "app/json_text.hpp"
#include "app/value_text.hpp"

#include <fmt/format.h>
#include <spdlog/details/file_helper.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace troupe::app {
namespace {

spdlog::level::level_enum spd_level(log_level level) {
  switch (level) {
  case log_level::trace:
    return spdlog::level::trace;
  case log_level::debug:
    return spdlog::level::debug;
  case log_level::info:
    return spdlog::level::info;
  case log_level::warn:
    return spdlog::level::warn;
  case log_level::error:
    return spdlog::level::err;
  case log_level::off:
    return spdlog::level::off;
  }
  return spdlog::level::info;
}

std::string_view level_name(log_level level) {
  return choices(level)[static_cast<std::size_t>(level)];
}

bool is_plain(std::string_view text) {
  for (char c : text)
    if (c <= ' ' || c > '~' || c == '"' || c == '=' || c == '\\')
      return false;
  return !text.empty();
}

/// A message may have blanks, but never a line's end.
void append_message(std::string& to, std::string_view text) {
  std::string escaped;
  append_json(escaped, text);
  if (escaped.size() == text.size() + 2)
    to += text;
  else
    to += escaped;
}

void append_value(std::string& to, std::string_view text) {
  if (is_plain(text))
    to += text;
  else
    append_json(to, text);
}

std::string text_line(core::timestamp when, log_level level,
                      std::string_view component, std::string_view message,
                      const log_fields& fields) {
  auto line = fmt::format("{} {:5} {:8} ", print_time(when), level_name(level),
                          component);
  append_message(line, message);
  for (const auto& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field.value);
  }
  return line;
}

std::string json_line(core::timestamp when, log_level level,
                      std::string_view component, std::string_view message,
                      const log_fields& fields) {
  auto line = fmt::format(R"({{"time":"{}","level":"{}","component":)",
                          print_time(when), level_name(level));
  append_json(line, component);
  line += ",\"message\":";
  append_json(line, message);
  for (const auto& field : fields) {
    line += ',';
    append_json(line, field.key);
    line += ':';
    if (field.quoted)
      append_json(line, field.value);
    else
      line += field.value;
  }
  return line + '}';
}

/// A file that can be opened again under the same name.
class file_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
  explicit file_sink(const std::string& path) { file_.open(path); }

  void reopen() {
    const std::lock_guard lock{mutex_};
    file_.reopen(false);
  }

protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    file_.write(line);
  }
  void flush_() override { file_.flush(); }

private:
  spdlog::details::file_helper file_;
};

} // namespace

std::string format_line(log_format format, core::timestamp when,
                        log_level level, std::string_view component,
                        std::string_view message, const log_fields& fields) {
  return format == log_format::json
             ? json_line(when, level, component, message, fields)
             : text_line(when, level, component, message, fields);
}

std::optional<std::uint64_t> repeat_limit::pass(const std::string& key,
                                                core::steady_time now) {
  const auto found = keys_.find(key);
  if (found != keys_.end()) {
    auto& [passed, held_back] = found->second;
    if (now - passed < interval_) {
      ++held_back;
      return std::nullopt;
    }
    passed = now;
    return std::exchange(held_back, 0);
  }
  if (keys_.size() >= keys_max)
    std::erase_if(keys_, [now, this](const auto& each) {
      return now - each.second.passed >= interval_;
    });
  if (keys_.size() < keys_max)
    keys_.emplace(key, seen{now});
  return 0;
}

/// Keeps spdlog out of the header.
class logger::output {
public:
  explicit output(const log_settings& options) {
    if (options.file.empty()) {
      sink_ = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      file_ = std::make_shared<file_sink>(options.file);
      sink_ = file_;
    }
    // Lines come ready: spdlog adds their end only.
    sink_->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
    log_ = std::make_unique<spdlog::logger>("troupe", sink_);
    log_->set_level(spd_level(options.level));
    log_->flush_on(spdlog::level::warn);
    // A full disk must not end the node over its log.
    log_->set_error_handler([](const std::string&) {});
  }

  spdlog::logger& log() { return *log_; }
  void reopen() {
    if (file_)
      file_->reopen();
  }

private:
  std::shared_ptr<file_sink> file_;
  spdlog::sink_ptr sink_;
  std::unique_ptr<spdlog::logger> log_;
};

core::result<std::unique_ptr<logger>>
logger::open(const log_settings& options) {
  try {
    return std::unique_ptr<logger>{
        new logger{options.format, std::make_unique<output>(options)}};
  } catch (const spdlog::spdlog_ex& failure) {
    return core::error{core::errc::io_error, failure.what()};
  }
}

logger::logger(log_format format, std::unique_ptr<output> out)
    : format_(format), out_(std::move(out)) {}

logger::~logger() { flush(); }

void logger::write(log_level level, std::string_view component,
                   std::string_view message, const log_fields& fields) {
  if (!enabled(level))
    return;
  const auto line =
      format_line(format_, clock_.wall(), level, component, message, fields);
  out_->log().log(spd_level(level), spdlog::string_view_t{line});
}

void logger::write_limited(log_level level, std::string_view component,
                           std::string_view message, const log_fields& fields) {
  if (!enabled(level))
    return;
  std::optional<std::uint64_t> held_back;
  {
    const std::lock_guard lock{repeats_mutex_};
    held_back = repeats_.pass(
        std::string{component} + '\n' + std::string{message}, clock_.now());
  }
  if (!held_back)
    return;
  if (*held_back == 0)
    return write(level, component, message, fields);
  auto more = fields;
  more.emplace_back("left_out", *held_back);
  write(level, component, message, more);
}

bool logger::enabled(log_level level) const {
  return level != log_level::off && out_->log().should_log(spd_level(level));
}

void logger::set_level(log_level level) {
  out_->log().set_level(spd_level(level));
}

core::result<void> logger::reopen() {
  try {
    out_->reopen();
    return {};
  } catch (const spdlog::spdlog_ex& failure) {
    return core::error{core::errc::io_error, failure.what()};
  }
}

void logger::flush() { out_->log().flush(); }

log_hook logger::hook(std::string component) {
  return [this, component = std::move(component)](log_level level,
                                                  std::string_view message) {
    if (level >= log_level::warn)
      write_limited(level, component, message);
    else
      write(level, component, message);
  };
}

} // namespace troupe::app
