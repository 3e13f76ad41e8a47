// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"
#include "net/mqtt/packets.hpp"
#include "net/mqtt/violation.hpp"

#include <cstdint>
#include <string_view>

namespace troupe::net::mqtt {

/// Whether MQTT can carry it as a string: well-formed UTF-8 without U+0000, at
/// most field_bytes_max long. For what other protocols call texts.
[[nodiscard]] bool is_text(std::string_view bytes) noexcept;

/// A variable byte integer at the front of some bytes.
struct variable_integer {
  enum class status : std::uint8_t { need_more, ready, too_long };
  status what = status::need_more;
  std::uint32_t value = 0;
  std::size_t bytes = 0; ///< 1 to 4
  bool padded = false;   ///< fewer bytes would do
};
[[nodiscard]] variable_integer read_variable(core::bytes_view in) noexcept;

/// The fields of one packet, one after the other. Notes the first thing that
/// is wrong; later questions are then answered with nothing. Lives on the
/// stack of one decode; its bytes, and `owner` if there is one, outlive it.
class field_reader {
public:
  /// Payloads from here on are referenced if the block they lie in has at most
  /// four times their size; the others are copied, so that nobody keeps a
  /// large block for little.
  static constexpr std::size_t reference_bytes_min = 2048;

  field_reader(core::bytes_view in, version by,
               const core::shared_bytes* owner) noexcept
      : rest_(in), owner_(owner), by_(by) {}

  [[nodiscard]] version by() const noexcept { return by_; }
  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
  [[nodiscard]] std::size_t left() const noexcept { return rest_.size(); }

  std::uint8_t byte(std::string_view about);
  std::uint16_t two_bytes(std::string_view about);
  std::uint32_t four_bytes(std::string_view about);
  std::uint32_t variable(std::string_view about);
  /// UTF-8, checked.
  std::string_view text(std::string_view about);
  /// Any bytes with a length in front.
  std::string_view binary(std::string_view about);
  /// Not 0.
  packet_id id(packet_type type);
  /// All that is left.
  core::bytes_view rest() noexcept;

  /// A part of the same packet, as a reader of its own. REQUIRES: bytes <=
  /// left().
  field_reader part(std::size_t bytes) noexcept;

  /// A lasting version of a part of what was read.
  [[nodiscard]] core::shared_bytes keep(core::bytes_view bytes) const;

  void fail(const rule& which, std::string_view about = {}) noexcept;
  void fail(const violation& what) noexcept;
  /// Every byte must have been used.
  void finish(packet_type type) noexcept {
    if (!rest_.empty())
      fail(rule_goes_on(), to_string(type));
  }
  [[nodiscard]] bool failed() const noexcept {
    return broken_.reason != reason_code::success;
  }
  [[nodiscard]] const violation& failure() const noexcept { return broken_; }

private:
  static const rule& rule_goes_on() noexcept;
  core::bytes_view take(std::size_t bytes, std::string_view about) noexcept;

  core::bytes_view rest_;
  const core::shared_bytes* owner_;
  violation broken_{};
  version by_;
};

} // namespace troupe::net::mqtt
