// SPDX-License-Identifier: Apache-2.0
#include "core/date_text.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace troupe::core {

namespace chrono = std::chrono;

std::string to_iso_8601(timestamp time) {
  constexpr timestamp first{
      chrono::sys_days{chrono::year{0} / chrono::January / 1}
          .time_since_epoch()};
  constexpr timestamp end{
      chrono::sys_days{chrono::year{10'000} / chrono::January / 1}
          .time_since_epoch()};
  time = std::clamp(time, first, end - core::milliseconds{1});
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss clock{time - day};
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return text;
}

} // namespace troupe::core
