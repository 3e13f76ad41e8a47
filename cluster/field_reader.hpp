// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/wire_bytes.hpp"
#include "core/errc.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe::cluster {

/// Reads the fields of a frame from front to back and knows what may be: what
/// no writer writes clears ok(), and so does reading too much. Texts and lists
/// have a u32 for their length in front. On the stack of a decoder; the bytes
/// outlive it.
class field_reader {
public:
  /// take_bytes() may keep `owner`, which has the bytes, instead of copying.
  explicit field_reader(core::bytes_view bytes,
                        const core::shared_bytes* owner = nullptr)
      : in_(bytes), size_(bytes.size()), owner_(owner) {}

  template <class Integer>
  Integer take() {
    return in_.take<Integer>();
  }
  bool take_flag() { return take_small(1) == 1; }
  std::uint8_t take_small(std::uint8_t most) {
    const auto value = take<std::uint8_t>();
    require(value <= most);
    return valid_ ? value : std::uint8_t{0};
  }
  template <class Enum>
  Enum take_up_to(Enum last) {
    return static_cast<Enum>(take_small(static_cast<std::uint8_t>(last)));
  }
  template <class Enum>
  Enum take_between(Enum first, Enum last) {
    const auto value = take_up_to(last);
    require(value >= first);
    return value;
  }
  /// A flag and a number, which is 0 without it.
  std::optional<std::uint64_t> take_maybe() {
    const bool there = take_flag();
    const auto value = take<std::uint64_t>();
    if (there)
      return value;
    require(value == 0);
    return std::nullopt;
  }
  std::string take_text() {
    return std::string{core::as_text(in_.take_bytes(take<std::uint32_t>()))};
  }
  std::optional<std::string> take_maybe_text() {
    const bool there = take_flag();
    auto text = take_text();
    if (there)
      return text;
    require(text.empty());
    return std::nullopt;
  }
  /// What is most of the frame keeps it, a small part must not keep it alive.
  core::shared_bytes take_bytes() {
    const auto part = in_.take_bytes(take<std::uint32_t>());
    if (part.empty())
      return {};
    if (owner_ == nullptr || part.size() < size_ / 2)
      return core::shared_bytes::copy_of(part);
    return owner_->slice(static_cast<std::size_t>(part.data() - owner_->data()),
                         part.size());
  }
  core::error take_error() {
    const auto code = static_cast<core::errc>(take<std::uint16_t>());
    return {code, take_text()};
  }
  /// Never more than there are bytes for.
  std::uint32_t take_count(std::size_t bytes_min) {
    const auto count = take<std::uint32_t>();
    if (count <= in_.remaining() / bytes_min)
      return count;
    require(false);
    return 0;
  }
  template <class T, class Take>
  std::vector<T> take_list(std::size_t bytes_min, const Take& each) {
    std::vector<T> items;
    const auto count = take_count(bytes_min);
    items.reserve(count);
    for (std::uint32_t i = 0; i < count && ok(); ++i)
      items.push_back(each());
    return items;
  }

  void require(bool holds) { valid_ = valid_ && holds; }
  [[nodiscard]] bool ok() const { return valid_ && in_.ok(); }
  [[nodiscard]] bool done() const { return valid_ && in_.done(); }

private:
  byte_reader in_;
  std::size_t size_;
  const core::shared_bytes* owner_;
  bool valid_ = true;
};

} // namespace troupe::cluster
