// SPDX-License-Identifier: Apache-2.0
#include "app/metrics_text.hpp"

namespace troupe::app {

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

} // namespace troupe::app
