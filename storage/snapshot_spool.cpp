// SPDX-License-Identifier: Apache-2.0
#include "storage/snapshot_spool.hpp"

#include "core/crc32c.hpp"
#include "core/state_space.hpp"
#include "storage/byte_order.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace troupe::storage {
namespace {

using core::errc;
using core::error;
using core::result;

constexpr std::string_view magic = "TROUPESN";
constexpr std::uint32_t format = 1;
constexpr std::size_t head_bytes = 16;
constexpr std::size_t row_head_bytes = 8;
/// In the place of a key's size: no more rows.
constexpr std::uint32_t end_mark = 0xFFFF'FFFF;
constexpr std::size_t end_bytes = 12;
constexpr std::size_t block_bytes = std::size_t{1} << 20;

/// Appends to a file in large blocks and keeps the checksum.
class block_writer {
public:
  explicit block_writer(file& to) : to_(to) { block_.reserve(block_bytes); }

  bool put(core::bytes_view bytes) {
    summary.checksum = core::crc32c(bytes, summary.checksum);
    summary.bytes += bytes.size();
    block_.insert(block_.end(), bytes.begin(), bytes.end());
    return block_.size() < block_bytes || flush();
  }
  template <class Integer>
  bool put_number(Integer value) {
    std::array<std::byte, sizeof value> raw;
    store_little(raw.data(), value);
    return put(raw);
  }
  bool flush() {
    outcome = to_.write_at(block_, written_);
    written_ += block_.size();
    block_.clear();
    return outcome.has_value();
  }

  spool_summary summary;
  result<void> outcome;

private:
  file& to_;
  std::vector<std::byte> block_;
  std::uint64_t written_ = 0;
};

} // namespace

result<std::unique_ptr<snapshot_spool>>
snapshot_spool::open(file_system& files, std::filesystem::path folder) {
  if (auto made = files.create_folder(folder); !made)
    return made.error();
  const auto names = files.list(folder);
  if (!names)
    return names.error();
  for (const auto& name : *names)
    if (auto removed = files.remove(folder / name); !removed)
      return removed.error();
  return std::unique_ptr<snapshot_spool>{
      new snapshot_spool{files, std::move(folder)}};
}

std::filesystem::path snapshot_spool::path_of(spool_id id) const {
  return folder_ / (std::to_string(id) + ".spool");
}

result<file*> snapshot_spool::opened(spool_id id, open_mode mode) {
  auto& place = open_[id];
  if (!place) {
    auto fresh = files_.open(path_of(id), mode);
    if (!fresh) {
      open_.erase(id);
      return fresh.error();
    }
    place = std::move(*fresh);
  }
  return place.get();
}

result<spool_summary> snapshot_spool::write(spool_id id, core::group_id group,
                                            const row_source& rows) {
  const auto to = opened(id, open_mode::create_or_empty);
  if (!to)
    return to.error();
  block_writer out{**to};
  (void)(out.put(core::as_bytes(magic)) && out.put_number(format) &&
         out.put_number(std::uint32_t{group.value()}));
  const auto applied = rows([&](row each) {
    return out.put_number(static_cast<std::uint32_t>(each.first.size())) &&
           out.put_number(static_cast<std::uint32_t>(each.second.size())) &&
           out.put(core::as_bytes(each.first)) && out.put(each.second);
  });
  if (!out.outcome)
    return out.outcome.error();
  if (!applied)
    return applied.error();
  (void)(out.put_number(end_mark) && out.put_number(applied->value()) &&
         out.flush());
  if (!out.outcome)
    return out.outcome.error();
  out.summary.applied = *applied;
  return out.summary;
}

result<core::shared_bytes>
snapshot_spool::read(spool_id id, std::uint64_t offset, std::size_t size) {
  const auto from = opened(id, open_mode::read_only);
  if (!from)
    return from.error();
  result<std::size_t> got{std::size_t{0}};
  auto bytes = core::shared_bytes::build(size, [&](std::byte* to) {
    got = (*from)->read_at({to, size}, offset);
  });
  if (!got)
    return got.error();
  return bytes.slice(0, *got);
}

result<void> snapshot_spool::append(spool_id id, std::uint64_t offset,
                                    core::bytes_view bytes) {
  const auto to = opened(id, open_mode::create_or_empty);
  if (!to)
    return to.error();
  return (*to)->write_at(bytes, offset);
}

result<void> snapshot_spool::check(spool_id id, const spool_summary& expected) {
  const auto from = opened(id, open_mode::read_only);
  if (!from)
    return from.error();
  const auto size = (*from)->size();
  if (!size)
    return size.error();
  std::vector<std::byte> block(block_bytes);
  std::uint32_t checksum = 0;
  for (std::uint64_t at = 0; at < *size;) {
    const auto got = (*from)->read_at(block, at);
    if (!got)
      return got.error();
    checksum = core::crc32c({block.data(), *got}, checksum);
    at += *got;
    if (*got < block.size())
      break;
  }
  if (*size != expected.bytes || checksum != expected.checksum)
    return error{errc::corrupt, "snapshot: not what was announced"};
  return {};
}

result<snapshot_spool::reader> snapshot_spool::rows(spool_id id) {
  const auto from = opened(id, open_mode::read_only);
  if (!from)
    return from.error();
  const auto size = (*from)->size();
  if (!size)
    return size.error();
  return reader{**from, *size};
}

void snapshot_spool::remove(spool_id id) {
  open_.erase(id);
  if (files_.exists(path_of(id)))
    (void)files_.remove(path_of(id));
}

// -------------------------------------------------------------------- reader

bool snapshot_spool::reader::fail(core::error why) {
  applied_ = std::move(why);
  return false;
}

/// At least `wanted` bytes in the buffer.
bool snapshot_spool::reader::fill(std::uint64_t wanted) {
  if (buffer_.size() - used_ >= wanted)
    return true;
  const auto rest = size_ - position_;
  if (wanted > buffer_.size() - used_ + rest)
    return fail({errc::corrupt, "snapshot: cut short"});
  buffer_.erase(buffer_.begin(),
                buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
  used_ = 0;
  const auto kept = buffer_.size();
  const auto more = std::min<std::uint64_t>(
      rest, std::max<std::uint64_t>(wanted, block_bytes));
  buffer_.resize(kept + more);
  const auto got = file_.read_at(
      {buffer_.data() + kept, static_cast<std::size_t>(more)}, position_);
  if (!got)
    return fail(got.error());
  if (*got != more)
    return fail({errc::corrupt, "snapshot: cut short"});
  position_ += more;
  return true;
}

result<void> snapshot_spool::reader::begin(core::group_id group) {
  if (!fill(head_bytes))
    return applied_.error();
  const auto* head = buffer_.data();
  if (core::as_text({head, magic.size()}) != magic)
    return error{errc::corrupt, "snapshot: no snapshot"};
  if (load_little<std::uint32_t>(head + 8) > format)
    return error{errc::newer_format, "snapshot"};
  if (load_little<std::uint32_t>(head + 12) != group.value())
    return error{errc::corrupt, "snapshot: of another group"};
  used_ = head_bytes;
  return {};
}

bool snapshot_spool::reader::next(row& each) {
  if (!fill(row_head_bytes))
    return false;
  const auto key = load_little<std::uint32_t>(buffer_.data() + used_);
  if (key == end_mark) {
    if (!fill(end_bytes))
      return false;
    applied_ =
        core::log_index{load_little<std::uint64_t>(buffer_.data() + used_ + 4)};
    used_ += end_bytes;
    if (position_ != size_ || used_ != buffer_.size())
      return fail({errc::corrupt, "snapshot: more behind its end"});
    return false;
  }
  const auto value = load_little<std::uint32_t>(buffer_.data() + used_ + 4);
  if (key > core::state_key_bytes_max)
    return fail({errc::corrupt, "snapshot: impossible key"});
  if (!fill(row_head_bytes + std::uint64_t{key} + value))
    return false;
  const auto* at = buffer_.data() + used_ + row_head_bytes;
  each.first = core::as_text({at, key});
  each.second = {at + key, value};
  used_ += row_head_bytes + key + value;
  return true;
}

} // namespace troupe::storage
