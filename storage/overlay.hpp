// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::storage {

/// Changes that have not reached the disk: a key has a new value or is erased.
///
/// Puts and erases outnumber scans by far, so the keys are hashed and put in
/// order only when a scan (or the commit) wants them: keys that came since the
/// last scan are sorted into a run of their own, and runs of like size are
/// merged, which keeps their number below the logarithm of the number of keys.
/// An erased key stays, as a mark, until the overlay as a whole goes away.
///
/// Not thread-safe; const methods may run at the same time.
class overlay {
public:
  struct change {
    core::shared_bytes value;
    bool erased = false;
  };

private:
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const noexcept {
      return std::hash<std::string_view>{}(key);
    }
  };
  using table = std::unordered_map<std::string, change, hash, std::equal_to<>>;

public:
  using entry = table::value_type;
  using run = std::vector<const entry*>;

  /// Expects so many keys.
  explicit overlay(std::size_t keys = 0) { changes_.reserve(keys); }

  void put(std::string_view key, core::shared_bytes value);
  void erase(std::string_view key);
  /// The change of `key`, or null if there is none.
  [[nodiscard]] const change* find(std::string_view key) const;

  [[nodiscard]] std::size_t size() const { return changes_.size(); }
  [[nodiscard]] bool empty() const { return changes_.empty(); }
  /// Memory in use, roughly.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// Whether all keys are in a run. REQUIRED for a cursor.
  [[nodiscard]] bool ordered() const { return unordered_.empty(); }
  void order();
  /// All keys in order. Touches no run: may be called while another thread
  /// orders or scans, as long as nobody changes a key.
  [[nodiscard]] run sorted() const;
  /// Replaces the runs. REQUIRES: `all` is what sorted() returned, and no key
  /// was added since.
  void adopt(run all);

  /// Walks the keys from one on in ascending order. Valid until a key is
  /// added.
  class cursor {
  public:
    cursor(const overlay& from, std::string_view first);
    /// Null at the end.
    [[nodiscard]] const entry* current() const { return current_; }
    void advance();

  private:
    void choose();

    struct position {
      const entry* const* at;
      const entry* const* end;
    };
    std::vector<position> positions_;
    position* chosen_ = nullptr;
    const entry* current_ = nullptr;
  };

private:
  table changes_;
  run unordered_;
  std::vector<run> runs_;
  std::size_t bytes_ = 0;
};

} // namespace troupe::storage
