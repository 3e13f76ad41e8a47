// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace troupe::core {

using bytes_view = std::span<const std::byte>;

[[nodiscard]] inline bytes_view as_bytes(std::string_view text) noexcept {
  return std::as_bytes(std::span{text.data(), text.size()});
}
[[nodiscard]] inline std::string_view as_text(bytes_view bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Immutable bytes with a shared, reference-counted owner; a copy or a slice
/// bumps a counter and never copies the bytes. One allocation holds the
/// counter and the bytes. Thread-safe as std::shared_ptr is: the object itself
/// belongs to one thread, the bytes to everybody.
class shared_bytes {
public:
  shared_bytes() noexcept = default;
  shared_bytes(const shared_bytes& other) noexcept
      : block_(other.block_), data_(other.data_), size_(other.size_) {
    if (block_ != nullptr)
      block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  shared_bytes(shared_bytes&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  shared_bytes& operator=(shared_bytes other) noexcept {
    swap(other);
    return *this;
  }
  ~shared_bytes() { release(); }

  /// Copies once.
  static shared_bytes copy_of(bytes_view bytes);
  static shared_bytes copy_of(std::string_view text) {
    return copy_of(as_bytes(text));
  }
  /// Allocates `size` bytes which `fill(std::byte*)` then writes.
  template <class Fill>
  static shared_bytes build(std::size_t size, Fill&& fill) {
    auto fresh = allocate(size);
    if (size != 0)
      std::forward<Fill>(fill)(const_cast<std::byte*>(fresh.data_));
    return fresh;
  }

  [[nodiscard]] const std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bytes_view view() const noexcept { return {data_, size_}; }
  [[nodiscard]] std::string_view text() const noexcept {
    return as_text(view());
  }

  /// A part that keeps the whole alive. REQUIRES: offset + count <= size().
  [[nodiscard]] shared_bytes slice(std::size_t offset, std::size_t count) const;

  /// Size of the whole allocation behind this slice, for memory accounting.
  [[nodiscard]] std::size_t owner_size() const noexcept {
    return block_ == nullptr ? 0 : block_->size;
  }

  void swap(shared_bytes& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  /// Equal bytes, wherever they live.
  friend bool operator==(const shared_bytes& a,
                         const shared_bytes& b) noexcept {
    return a.text() == b.text();
  }

private:
  struct block {
    std::atomic<std::size_t> references;
    std::size_t size;
  };

  static shared_bytes allocate(std::size_t size);
  void release() noexcept;

  block* block_ = nullptr;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

} // namespace troupe::core
