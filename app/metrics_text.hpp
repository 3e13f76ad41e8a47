// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/time_histogram.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::app {

/// Writes the Prometheus text format (version 0.0.4). Names and help are our
/// own and need no escaping; label values are escaped.
class metrics_writer {
public:
  void family(std::string_view name, std::string_view type,
              std::string_view help);
  void sample(std::string_view name, std::uint64_t value);
  void sample(std::string_view name, std::string_view label,
              std::string_view label_value, std::uint64_t value);
  void counter(std::string_view name, std::string_view help,
               std::uint64_t value) {
    family(name, "counter", help);
    sample(name, value);
  }
  void gauge(std::string_view name, std::string_view help,
             std::uint64_t value) {
    family(name, "gauge", help);
    sample(name, value);
  }

  /// In seconds.
  void histogram(std::string_view name, std::string_view help,
                 const core::time_histogram& times);

  [[nodiscard]] std::string text() && { return std::move(out_); }

private:
  std::string out_;
};

} // namespace troupe::app
