// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <system_error>
#include <unistd.h>
#include <vector>

/// What generators of load have in common: time, what a process has used, and
/// how long things took.
namespace troupe::bench {

using steady = std::chrono::steady_clock;

[[noreturn]] inline void give_up(const std::string& what) {
  throw std::system_error{errno, std::generic_category(), what};
}

/// What a process has used up to now.
inline double cpu_seconds(int process) {
  if (process == 0)
    return 0;
  std::ifstream in{"/proc/" + std::to_string(process) + "/stat"};
  std::string line;
  std::getline(in, line);
  unsigned long user = 0;
  unsigned long kernel = 0;
  if (const auto at = line.rfind(')'); at != std::string::npos)
    (void)std::sscanf(line.c_str() + at + 2,
                      "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                      &user, &kernel);
  return static_cast<double>(user + kernel) /
         static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// Resident memory of a process.
inline double resident_bytes(int process) {
  std::ifstream in{"/proc/" + std::to_string(process) + "/statm"};
  double pages = 0;
  in >> pages >> pages;
  return pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

inline std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(steady::now().time_since_epoch() /
                                    std::chrono::nanoseconds{1});
}

/// How many of them took how long, by microseconds.
class histogram {
public:
  void add(std::uint64_t ns) {
    ++counts_[std::min<std::size_t>(ns / 1000, counts_.size() - 1)];
    ++sum_;
  }
  void clear() {
    std::fill(counts_.begin(), counts_.end(), 0);
    sum_ = 0;
  }
  [[nodiscard]] double percentile(double share) const {
    const auto wanted = share * static_cast<double>(sum_);
    std::uint64_t seen = 0;
    for (std::size_t us = 0; us < counts_.size(); ++us)
      if (seen += counts_[us]; static_cast<double>(seen) >= wanted)
        return static_cast<double>(us);
    return 0;
  }

private:
  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(4'000'000);
  std::uint64_t sum_ = 0;
};

} // namespace troupe::bench
