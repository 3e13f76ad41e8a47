// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/audit.hpp"
#include "core/ids.hpp"
#include "core/shared_bytes.hpp"
#include "storage/audit/digest.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

/// The body of an audit record (docs/formats/audit.md).
namespace troupe::storage::audit {

/// Dense and ascending from 1 over the whole life of a log.
using sequence_number = std::uint64_t;

inline constexpr std::size_t text_bytes_max = 4096;
inline constexpr std::size_t payload_bytes_max = std::size_t{16} << 20U;
/// No body is longer: what says so is damaged.
inline constexpr std::size_t body_bytes_max =
    payload_bytes_max + 9 * text_bytes_max;

/// A record, its texts and payload borrowed.
struct record {
  sequence_number sequence = 0;
  core::timestamp time{};
  core::audit_kind kind = core::audit_kind::post;
  bool accepted = true;
  std::uint64_t session = 0;
  std::uint64_t size = 0;
  std::uint32_t targets = 0;
  std::string_view realm{};
  std::string_view user{};
  std::string_view address{};
  std::string_view target{};
  std::string_view type{};
  std::string_view reason{};
  std::string_view reference{};
  std::string_view detail{};
  std::optional<digest> hash{}; ///< of the payload
  /// Of the whole payload; without it the record only refers to it.
  std::optional<core::bytes_view> payload{};
};

/// At most text_bytes_max of it, whole characters of UTF-8 only.
[[nodiscard]] std::string_view fitting(std::string_view text) noexcept;

/// Appends. REQUIRES: no text is longer than text_bytes_max, the payload not
/// longer than payload_bytes_max.
void encode(const record& what, std::vector<std::byte>& to);

/// Nothing if these bytes are no record. Borrows from `bytes`.
[[nodiscard]] std::optional<record> decode_record(core::bytes_view bytes);

} // namespace troupe::storage::audit
