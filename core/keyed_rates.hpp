// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace troupe::core {

/// How often something may happen for each of many names: `burst` at once,
/// `per_second` in the long run. Thread-safe; one short lock a question, none
/// if there is no limit.
class keyed_rates {
public:
  struct options {
    double per_second = 0; ///< 0: no limit
    double burst = 0;
    /// Names remembered; newcomers beyond share one place.
    std::size_t names_max = 65'536;
  };

  explicit keyed_rates(options limits);

  /// Takes one; false if there is none left.
  [[nodiscard]] bool take(std::string_view name, steady_time now);
  /// How many are left; takes none, and remembers no name.
  [[nodiscard]] double left(std::string_view name, steady_time now);
  /// What was taken does not count after all.
  void give_back(std::string_view name, steady_time now);
  [[nodiscard]] bool limited() const noexcept {
    return options_.per_second > 0;
  }

private:
  struct bucket {
    double left = 0;
    steady_time filled{};
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct part {
    std::mutex mutex;
    std::unordered_map<std::string, bucket, text_hash, std::equal_to<>> buckets;
    steady_time swept{};
  };
  part& part_of(std::string_view name) {
    return parts_[text_hash{}(name) % parts_.size()];
  }
  bucket& bucket_of(part& in, std::string_view name, steady_time now);
  [[nodiscard]] double left_in(const bucket& which, steady_time now) const;

  const options options_;
  std::array<part, 16> parts_;
};

} // namespace troupe::core
