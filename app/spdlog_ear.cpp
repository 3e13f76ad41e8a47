// SPDX-License-Identifier: Apache-2.0
#include "app/spdlog_ear.hpp"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string_view>
#include <utility>

namespace troupe::app {
namespace {

log_level level_of(spdlog::level::level_enum level) {
  switch (level) {
  case spdlog::level::trace:
    return log_level::trace;
  case spdlog::level::debug:
    return log_level::debug;
  case spdlog::level::info:
    return log_level::info;
  case spdlog::level::warn:
    return log_level::warn;
  default:
    return log_level::error;
  }
}

class hook_sink final
    : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
  explicit hook_sink(log_hook to) : to_(std::move(to)) {}

protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    to_(level_of(message.level),
        std::string_view{message.payload.data(), message.payload.size()});
  }
  void flush_() override {}

private:
  const log_hook to_;
};

void listen_with(spdlog::sink_ptr sink) {
  auto made = std::make_shared<spdlog::logger>("", std::move(sink));
  made->set_level(spdlog::level::trace);
  spdlog::set_default_logger(std::move(made));
}

} // namespace

spdlog_ear::spdlog_ear(log_hook to) {
  listen_with(std::make_shared<hook_sink>(std::move(to)));
}

spdlog_ear::~spdlog_ear() {
  listen_with(std::make_shared<spdlog::sinks::null_sink_mt>());
}

} // namespace troupe::app
