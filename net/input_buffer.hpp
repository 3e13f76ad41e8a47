// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"

#include <cstddef>
#include <span>

namespace troupe::net {

/// What a protocol has not used yet. Empty: no heap memory. The bytes lie in
/// a shared_bytes, so a protocol keeps parts of a large frame without a copy;
/// what has been used is never written again.
class input_buffer {
public:
  [[nodiscard]] bool empty() const noexcept { return filled_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return filled_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return block_.size(); }
  [[nodiscard]] core::bytes_view view() const noexcept {
    return {block_.data(), filled_};
  }
  [[nodiscard]] const core::shared_bytes& owner() const noexcept {
    return block_;
  }

  /// Replaces all by a copy of `bytes` with room for `capacity` in all.
  void assign(core::bytes_view bytes, std::size_t capacity);
  /// Makes room for `capacity` bytes in all; copies what is there.
  void reserve(std::size_t capacity);
  /// Where the next bytes go, at most `count`; then say how many came.
  [[nodiscard]] std::span<std::byte> space(std::size_t count);
  void commit(std::size_t count) noexcept { filled_ += count; }
  /// Forgets the first `count` bytes; the rest moves to a block of its own.
  void drop_front(std::size_t count);
  void clear() noexcept;

private:
  core::shared_bytes block_;
  std::byte* data_ = nullptr; // block_'s bytes, while we alone know them
  std::size_t filled_ = 0;
};

} // namespace troupe::net
