// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What would become of a publication that is not made; for people.
namespace troupe::core {

enum class fate : std::uint8_t {
  given,   ///< at once
  waits,   ///< for room, at its door
  inbox,   ///< left to the inbox of its session, see its route
  queued,  ///< put into the inbox of its session from here
  dropped, ///< `why` says why
  unknown, ///< somebody else decides
};
inline constexpr std::array fates_all{fate::given,   fate::waits,
                                      fate::inbox,   fate::queued,
                                      fate::dropped, fate::unknown};
/// "given", …
[[nodiscard]] std::string_view to_string(fate what) noexcept;

/// What would become of it at one who listens.
struct listener_fate {
  fate what = fate::given;
  std::string why{};         ///< "": nothing to be said
  std::string door{};        ///< "": of the node itself
  std::uint64_t session = 0; ///< number of its connection; 0: it has none
  std::string client{};      ///< what its door calls it, if that has a name
  std::string uid{};
  std::size_t loop = 0;
  std::vector<std::string> filters{}; ///< that match
  std::string share{};
  std::uint8_t qos = 0; ///< as it would get it
  bool retain = false;

  friend bool operator==(const listener_fate&, const listener_fate&) = default;
};

/// The first of them, and how many there are of each sort. One thread.
class fate_list {
public:
  explicit fate_list(std::size_t rows_max = 0) : rows_max_(rows_max) {}

  /// What is asked from here on listens on this loop, by this filter.
  struct place {
    std::size_t loop = 0;
    std::string filter{};
    std::string share{}; ///< "": its own
  };
  void go_to(place where) { at_ = std::move(where); }
  [[nodiscard]] const place& at() const noexcept { return at_; }

  /// Of the place at which it is; without filters it has that one's.
  void add(listener_fate one);
  /// With the same bound.
  void join(const fate_list& more);

  [[nodiscard]] const std::vector<listener_fate>& rows() const { return rows_; }
  [[nodiscard]] std::uint64_t count(fate what) const {
    return counts_[static_cast<std::size_t>(what)];
  }
  [[nodiscard]] std::uint64_t total() const;
  [[nodiscard]] std::size_t rows_max() const noexcept { return rows_max_; }

private:
  std::size_t rows_max_;
  place at_;
  std::vector<listener_fate> rows_;
  std::array<std::uint64_t, fates_all.size()> counts_{};
};

} // namespace troupe::core
