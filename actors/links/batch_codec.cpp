// SPDX-License-Identifier: Apache-2.0
#include "actors/links/batch_codec.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace troupe::actors::links {

namespace {

static_assert(std::endian::native == std::endian::little,
              "integers are copied as they are in memory");

constexpr std::uint8_t begins_flag = 1;
constexpr std::uint8_t ends_flag = 2;
constexpr std::size_t total_size = 4;
constexpr std::size_t first_capacity = 4096;
constexpr std::size_t piece_max = batch_bytes_max - item_head_size;
constexpr std::size_t first_piece_max = piece_max - total_size;

template <class Integer>
std::byte* put(std::byte* out, Integer value) {
  std::memcpy(out, &value, sizeof value);
  return out + sizeof value;
}

core::error malformed(const char* what) {
  return {core::errc::malformed, what};
}

} // namespace

std::size_t encoded_size(std::size_t body_bytes) noexcept {
  if (body_bytes <= piece_max)
    return item_head_size + body_bytes;
  const auto rest = body_bytes - first_piece_max;
  const auto pieces = 1 + (rest + piece_max - 1) / piece_max;
  return body_bytes + total_size + pieces * item_head_size;
}

// ---------------------------------------------------------------------- batch

std::byte* batch::grow(std::size_t by) {
  if (size_ + by > capacity_) {
    const auto wanted = std::max(first_capacity, std::bit_ceil(size_ + by));
    const auto capacity = std::min(wanted, batch_bytes_max);
    TROUPE_ASSERT(size_ + by <= capacity, "a batch above its bound");
    std::byte* fresh = nullptr;
    auto block = core::shared_bytes::build(
        capacity, [&](std::byte* bytes) { fresh = bytes; });
    if (size_ != 0)
      std::memcpy(fresh, bytes_, size_);
    block_ = std::move(block);
    bytes_ = fresh;
    capacity_ = capacity;
  }
  auto* place = bytes_ + size_;
  size_ += by;
  return place;
}

void batch::put_item(kind k, std::uint8_t flags, std::uint64_t key,
                     core::bytes_view piece, std::size_t total) {
  const bool split = flags == begins_flag;
  auto* out = grow(item_head_size + (split ? total_size : 0) + piece.size());
  out = put(out, static_cast<std::uint8_t>(k));
  out = put(out, flags);
  out = put(out, key);
  out = put(out, static_cast<std::uint32_t>(piece.size()));
  if (split)
    out = put(out, static_cast<std::uint32_t>(total));
  if (!piece.empty())
    std::memcpy(out, piece.data(), piece.size());
  if ((flags & ends_flag) != 0)
    ++messages_;
}

void batch::append(const batch& other) {
  if (other.empty())
    return;
  std::memcpy(grow(other.size_), other.bytes_, other.size_);
  messages_ += other.messages_;
}

core::shared_bytes batch::take() {
  auto whole = size_ == 0 ? core::shared_bytes{} : block_.slice(0, size_);
  *this = batch{};
  return whole;
}

void pack(std::vector<batch>& batches, kind k, std::uint64_t key,
          core::bytes_view body) {
  const auto needed = item_head_size + body.size();
  if (batches.empty() ||
      batches.back().room() < std::min(needed, batch_bytes_max))
    batches.emplace_back();
  if (needed <= batch_bytes_max) {
    batches.back().put_item(k, begins_flag | ends_flag, key, body, 0);
    return;
  }
  auto flags = begins_flag;
  for (std::size_t done = 0; done < body.size();) {
    const auto room = flags == begins_flag ? first_piece_max : piece_max;
    const auto size = std::min(room, body.size() - done);
    if (done + size == body.size())
      flags = ends_flag;
    if (!batches.back().empty())
      batches.emplace_back();
    batches.back().put_item(k, flags, key, body.subspan(done, size),
                            body.size());
    done += size;
    flags = 0;
  }
}

// --------------------------------------------------------------------- reader

core::result<batch_item> batch_reader::next() {
  const auto left = bytes_.size() - position_;
  if (left < item_head_size)
    return malformed("a batch that ends inside of a head");
  const auto* in = bytes_.data() + position_;
  batch_item item;
  const auto flags = std::to_integer<std::uint8_t>(in[1]);
  std::uint32_t size = 0;
  item.kind = kind{std::to_integer<std::uint8_t>(in[0])};
  std::memcpy(&item.key, in + 2, sizeof item.key);
  std::memcpy(&size, in + 10, sizeof size);
  if (flags > (begins_flag | ends_flag))
    return malformed("a piece with unknown flags");
  item.begins = (flags & begins_flag) != 0;
  item.ends = (flags & ends_flag) != 0;
  auto head = item_head_size;
  if (flags == begins_flag) {
    head += total_size;
    if (left < head)
      return malformed("a batch that ends inside of a head");
    std::uint32_t total = 0;
    std::memcpy(&total, in + item_head_size, sizeof total);
    item.total = total;
  } else if (item.begins) {
    item.total = size;
  }
  if (size > left - head)
    return malformed("a batch that ends inside of a piece");
  item.offset = position_ + head;
  item.size = size;
  position_ += head + size;
  return item;
}

// ------------------------------------------------------------------ assembler

core::result<std::optional<assembler::assembled>>
assembler::push(const batch_item& item, const core::shared_bytes& source) {
  using answer = std::optional<assembled>;
  const auto slice = source.slice(item.offset, item.size);
  if (item.begins != pieces_.empty())
    return malformed(item.begins ? "a message begins inside of another"
                                 : "a piece of a message that never began");
  if (item.begins && item.ends) {
    const bool keep = item.size >= source.owner_size() / 4;
    return answer{{item.kind, item.key,
                   keep ? slice : core::shared_bytes::copy_of(slice.view())}};
  }
  if (item.begins) {
    if (item.total > message_bytes_max_)
      return malformed("a message above the bound");
    kind_ = item.kind;
    key_ = item.key;
    total_ = item.total;
  } else if (item.kind != kind_ || item.key != key_) {
    return malformed("a piece of another message");
  }
  // An empty piece would cost a place in the row and bring nothing.
  if (item.size == 0 || item.size > total_ - held_ ||
      item.ends != (held_ + item.size == total_))
    return malformed("pieces that do not add up");
  held_ += item.size;
  pieces_.push_back(slice);
  if (!item.ends)
    return answer{};
  return answer{{kind_, key_, join()}};
}

core::shared_bytes assembler::join() {
  auto whole = core::shared_bytes::build(total_, [this](std::byte* out) {
    for (const auto& piece : pieces_) {
      std::memcpy(out, piece.data(), piece.size());
      out += piece.size();
    }
  });
  pieces_.clear();
  held_ = 0;
  return whole;
}

} // namespace troupe::actors::links
