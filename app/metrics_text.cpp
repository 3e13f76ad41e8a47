// SPDX-License-Identifier: Apache-2.0
#include "app/metrics_text.hpp"

#include <array>
#include <charconv>
#include <chrono>

namespace troupe::app {
namespace {

std::string seconds_text(std::chrono::duration<double> time) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(),
                                 time.count(), std::chars_format::fixed)
                       .ptr;
  return {text.data(), end};
}

} // namespace

void metrics_writer::family(std::string_view name, std::string_view type,
                            std::string_view help) {
  out_.append("# HELP ").append(name).append(" ").append(help);
  out_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

void metrics_writer::sample(std::string_view name, std::uint64_t value) {
  out_.append(name).append(" ").append(std::to_string(value)).append("\n");
}

void metrics_writer::sample(std::string_view name, std::string_view label,
                            std::string_view label_value, std::uint64_t value) {
  out_.append(name).append("{").append(label).append("=\"");
  for (char c : label_value) {
    if (c == '"' || c == '\\')
      out_ += '\\';
    if (c == '\n')
      out_ += "\\n";
    else
      out_ += c;
  }
  out_.append("\"} ").append(std::to_string(value)).append("\n");
}

void metrics_writer::histogram(std::string_view name, std::string_view help,
                               const core::time_histogram& times) {
  family(name, "histogram", help);
  const auto bucket = std::string{name} + "_bucket";
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < core::time_histogram::bounds; ++i) {
    all += times.count(i);
    sample(bucket, "le", seconds_text(core::time_histogram::bound(i)), all);
  }
  all += times.count(core::time_histogram::bounds);
  sample(bucket, "le", "+Inf", all);
  out_.append(name).append("_sum ").append(seconds_text(times.sum()));
  out_ += '\n';
  sample(std::string{name} + "_count", all);
}

} // namespace troupe::app
