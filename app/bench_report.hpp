// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/bench_histogram.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::app {

/// What a benchmark found: names with units, in the order they were added.
class bench_report {
public:
  explicit bench_report(std::string_view mode) { text("mode", mode); }

  void text(std::string_view name, std::string_view value);
  void count(std::string_view name, std::uint64_t value);
  /// Three decimals below 100, else one; what is no number becomes 0.
  void number(std::string_view name, double value);
  /// `<name>_p50_us` and so on.
  void latency(std::string_view name, const bench_histogram& histogram);

  /// One object on one line.
  [[nodiscard]] std::string json() const;
  /// One name and value a line.
  [[nodiscard]] std::string table() const;

private:
  struct row {
    std::string name;
    std::string value;
    bool quoted = false;
  };
  std::vector<row> rows_;
};

} // namespace troupe::app
