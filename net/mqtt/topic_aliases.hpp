// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// Numbers that stand for topics, for the life of a connection (MQTT 5,
/// 3.3.2.3.4). Own no memory before the first.
namespace troupe::net::mqtt {

/// Those that the client gives to topics. Owned by a gate.
class received_aliases {
public:
  /// REQUIRES: number is not 0; the caller has checked its bound.
  void set(std::uint16_t number, std::string_view name);
  /// Null: it stands for nothing. Valid until the next set().
  [[nodiscard]] const std::string* find(std::uint16_t number) const;

private:
  std::vector<std::string> names_; ///< by number - 1; "": none, as no topic is
};

/// Those that we give to topics, as many as the client allows. A topic that
/// comes up while none is free gets that of the one used least recently, if
/// that has not been used for a while: with more topics than numbers the first
/// ones keep theirs instead of all losing them in turns. Owned by a gate.
class sent_aliases {
public:
  explicit sent_aliases(std::uint16_t numbers_max) : max_(numbers_max) {}

  struct choice {
    std::uint16_t number = 0; ///< 0: none
    bool fresh = false;       ///< the client does not know it yet
  };
  choice choose(const std::string& name);
  /// What choose() would say.
  [[nodiscard]] choice peek(std::string_view name) const {
    return choice_at(name, turn_ + 1);
  }
  /// What the client was to be told of this one by did not reach it.
  void forget(const std::string& name);

private:
  struct entry {
    std::string name;
    std::uint16_t number = 0;
    std::uint64_t used = 0; ///< the turn
  };
  /// A number changes its topic only if it was not used for so many times the
  /// count of numbers.
  static constexpr std::uint64_t patience = 4;

  [[nodiscard]] choice choice_at(std::string_view name,
                                 std::uint64_t turn) const;

  std::uint16_t max_;
  std::uint64_t turn_ = 0;
  std::list<entry> entries_; ///< the last used first
  std::unordered_map<std::string_view, std::list<entry>::iterator> by_name_;
  std::vector<std::uint16_t> free_;
};

} // namespace troupe::net::mqtt
