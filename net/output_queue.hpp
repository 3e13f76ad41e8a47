// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"

#include <cstddef>
#include <string>
#include <sys/uio.h>
#include <vector>

namespace troupe::net {

/// Bytes on their way to one socket: small pieces are copied into one
/// contiguous tail, payloads above `reference_bytes_min` are referenced
/// (measured: copying wins below about 2 KiB). Owned by a connection; empty
/// connections own no heap memory.
class output_queue {
public:
  static constexpr std::size_t reference_bytes_min = 2048;

  /// Appends a copy.
  void append(core::bytes_view bytes);
  void append(std::string_view text) { append(core::as_bytes(text)); }
  /// Appends by reference if that pays, else a copy.
  void append(const core::shared_bytes& bytes);

  [[nodiscard]] bool empty() const noexcept { return bytes_ == 0; }
  /// Bytes not yet written.
  [[nodiscard]] std::size_t size() const noexcept { return bytes_; }

  /// Fills `out` with the first pieces; returns how many.
  std::size_t gather(iovec* out, std::size_t capacity) const;
  /// Drops the first `count` bytes, which have been written.
  /// REQUIRES: count <= size().
  void consume(std::size_t count);
  /// Drops all and returns the memory.
  void clear() noexcept;

private:
  struct piece {
    std::string copied; // used if `shared` is empty
    core::shared_bytes shared;
    [[nodiscard]] core::bytes_view view() const {
      return shared.empty() ? core::as_bytes(copied) : shared.view();
    }
  };

  std::vector<piece> pieces_;
  std::size_t first_ = 0;  // pieces_[first_] is the next to write
  std::size_t offset_ = 0; // written part of it
  std::size_t bytes_ = 0;
};

} // namespace troupe::net
