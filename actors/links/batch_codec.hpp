// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/link_types.hpp"
#include "core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

/// Messages of one lane packed into batches, and back (docs/formats/link.md).
/// A message that does not fit into one batch is split over several and
/// joined again. Pure.
namespace troupe::actors::links {

/// No envelope carries more.
inline constexpr std::size_t batch_bytes_max = std::size_t{256} << 10U;
/// Before each piece of a message; the first of several has 4 bytes more.
inline constexpr std::size_t item_head_size = 14;

/// What a message adds to batches: its bytes and the heads of its pieces.
[[nodiscard]] std::size_t encoded_size(std::size_t body_bytes) noexcept;

/// A batch under construction, in a block that grows up to batch_bytes_max.
class batch {
public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t room() const noexcept {
    return batch_bytes_max - size_;
  }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// Messages that end in it.
  [[nodiscard]] std::uint32_t messages() const noexcept { return messages_; }

  /// Adds all of another batch. REQUIRES: other.size() <= room().
  void append(const batch& other);
  /// The bytes; the batch is empty afterwards.
  core::shared_bytes take();

private:
  friend void pack(std::vector<batch>&, kind, std::uint64_t, core::bytes_view);
  std::byte* grow(std::size_t by);
  void put_item(kind k, std::uint8_t flags, std::uint64_t key,
                core::bytes_view piece, std::size_t total);

  core::shared_bytes block_; // nobody else has it
  std::byte* bytes_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::uint32_t messages_ = 0;
};

/// Adds a message to the last of `batches` or to new ones behind it; takes
/// exactly encoded_size(body.size()) bytes.
void pack(std::vector<batch>& batches, kind k, std::uint64_t key,
          core::bytes_view body);

/// One piece of a batch.
struct batch_item {
  links::kind kind{};
  bool begins = false;
  bool ends = false;
  std::uint64_t key = 0;
  /// Of the whole message; where it begins.
  std::size_t total = 0;
  std::size_t offset = 0; ///< of the piece in the batch
  std::size_t size = 0;
};

class batch_reader {
public:
  explicit batch_reader(core::bytes_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool done() const noexcept {
    return position_ == bytes_.size();
  }
  /// REQUIRES: !done().
  core::result<batch_item> next();

private:
  core::bytes_view bytes_;
  std::size_t position_ = 0;
};

/// Joins pieces of one lane of one link. Holds at most one message, at most
/// `message_bytes_max` of it.
class assembler {
public:
  explicit assembler(std::size_t message_bytes_max)
      : message_bytes_max_(message_bytes_max) {}

  struct assembled {
    links::kind kind{};
    std::uint64_t key = 0;
    core::shared_bytes body;
  };
  /// A whole message if `item` completes one. `source` is the batch. Small
  /// bodies are copied out of it, so that a few kept bytes never keep a
  /// quarter of a megabyte alive.
  core::result<std::optional<assembled>> push(const batch_item& item,
                                              const core::shared_bytes& source);
  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_; }

private:
  core::shared_bytes join();

  const std::size_t message_bytes_max_;
  links::kind kind_{};
  std::uint64_t key_ = 0;
  std::size_t total_ = 0;
  std::size_t held_ = 0;
  std::vector<core::shared_bytes> pieces_; // empty: no message begun
};

} // namespace troupe::actors::links
