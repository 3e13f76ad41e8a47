// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mq/frame_codec.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::net::mq {

/// Builds the head of one packet, `LLLL` and the header JSON, in one piece of
/// memory with room for a frame header in front. Lives on the stack while a
/// packet is written; small heads need no heap.
class packet_head {
public:
  packet_head() = default;
  packet_head(const packet_head&) = delete;
  packet_head& operator=(const packet_head&) = delete;

  /// Starts a head; `op` needs no escaping. Comes first, once.
  void begin(std::string_view op);
  /// Each `name` is given as it stands on the wire: `,"name":`.
  void text(std::string_view name, std::string_view value);
  void number(std::string_view name, std::uint64_t value);
  /// JSON that is already ASCII.
  void json(std::string_view name, std::string_view value);

  /// Completes the head; returns false if the header exceeds 65,535 bytes.
  /// Nothing may be added afterwards.
  [[nodiscard]] bool finish();

  /// `LLLL` and the JSON. REQUIRES: finish() returned true.
  [[nodiscard]] std::string_view view() const {
    return {start_ + frame_header_bytes_max, size()};
  }
  [[nodiscard]] std::size_t size() const {
    return static_cast<std::size_t>(at_ - start_) - frame_header_bytes_max;
  }
  /// The same with a frame header in front, which `write(std::byte*)` makes;
  /// it returns the header's size.
  template <class Write>
  [[nodiscard]] std::string_view framed(Write&& write) {
    std::byte header[frame_header_bytes_max];
    const std::size_t bytes = write(header);
    return prefix(header, bytes);
  }

private:
  char* room(std::size_t bytes) {
    if (static_cast<std::size_t>(end_ - at_) < bytes) [[unlikely]]
      grow(bytes);
    return at_;
  }
  void put(std::string_view text);
  void grow(std::size_t bytes);
  std::string_view prefix(const std::byte* header, std::size_t bytes);

  char inline_[384];
  std::string heap_;
  char* start_ = inline_;
  char* at_ = inline_;
  char* end_ = inline_ + sizeof inline_;
};

} // namespace troupe::net::mq
