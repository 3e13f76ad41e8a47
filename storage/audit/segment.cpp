// SPDX-License-Identifier: Apache-2.0
#include "storage/audit/segment.hpp"

#include "core/assert.hpp"
#include "core/crc32c.hpp"
#include "storage/byte_order.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace troupe::storage::audit {
namespace {

constexpr std::string_view magic = "TRPAUDIT";
// Places in a head.
constexpr std::size_t at_format = 8;
constexpr std::size_t at_node = 12;
constexpr std::size_t at_cluster = 16;
constexpr std::size_t at_number = 32;
constexpr std::size_t at_first = 40;
constexpr std::size_t at_created = 48;
constexpr std::size_t at_previous = 56;
constexpr std::size_t at_seal = 88; ///< all before is sealed and chained
constexpr std::size_t at_checksum = 120;
// Places in a frame's head.
constexpr std::size_t at_frame_checksum = 4;
constexpr std::size_t at_chain = 8;

constexpr std::string_view suffix = ".audit";
constexpr std::size_t name_digits = 16;
constexpr std::size_t window_bytes = std::size_t{256} << 10U;

digest digest_at(core::bytes_view bytes, std::size_t at) {
  digest value{};
  const auto raw = bytes.subspan(at, value.size());
  std::copy(raw.begin(), raw.end(), value.begin());
  return value;
}

void put(std::byte* to, const digest& value) {
  std::copy(value.begin(), value.end(), to);
}

std::optional<segment_number> number_of(std::string_view name) {
  if (name.size() != name_digits + suffix.size() || !name.ends_with(suffix))
    return std::nullopt;
  segment_number number = 0;
  for (const char c : name.substr(0, name_digits)) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f'))
      return std::nullopt;
    number = number << 4U |
             static_cast<segment_number>(digit ? c - '0' : c - 'a' + 10);
  }
  return number;
}

} // namespace

digest encode_head(const segment_head& head, std::string_view key, hasher& with,
                   std::vector<std::byte>& to) {
  const auto begin = to.size();
  to.resize(begin + head_bytes);
  auto* raw = to.data() + begin;
  std::copy_n(core::as_bytes(magic).data(), magic.size(), raw);
  store_little(raw + at_format, head.format);
  store_little(raw + at_node, head.node.value());
  std::memcpy(raw + at_cluster, head.cluster.bytes.data(),
              head.cluster.bytes.size());
  store_little(raw + at_number, head.number);
  store_little(raw + at_first, head.first_sequence);
  store_little(raw + at_created,
               static_cast<std::uint64_t>(core::to_millis(head.created)));
  put(raw + at_previous, head.previous);
  const core::bytes_view chained{raw, at_seal};
  if (!key.empty())
    put(raw + at_seal, keyed_digest(key, chained));
  store_little(raw + at_checksum, core::crc32c({raw, at_checksum}));
  return with.of(chained);
}

core::result<read_head> decode_head(core::bytes_view bytes, hasher& with) {
  TROUPE_ASSERT(bytes.size() == head_bytes, "not a head");
  const auto* raw = bytes.data();
  if (core::as_text(bytes.first(magic.size())) != magic ||
      load_little<std::uint32_t>(raw + at_checksum) !=
          core::crc32c(bytes.first(at_checksum)) ||
      load_little<std::uint32_t>(raw + at_checksum + 4) != 0)
    return core::error{core::errc::malformed, "no head of an audit segment"};
  read_head found;
  auto& head = found.head;
  head.format = load_little<std::uint32_t>(raw + at_format);
  if (head.format > format_version)
    return core::error{core::errc::newer_format,
                       "audit format " + std::to_string(head.format)};
  head.node = core::node_id{load_little<std::uint32_t>(raw + at_node)};
  std::memcpy(head.cluster.bytes.data(), raw + at_cluster,
              head.cluster.bytes.size());
  head.number = load_little<std::uint64_t>(raw + at_number);
  head.first_sequence = load_little<std::uint64_t>(raw + at_first);
  head.created = core::from_millis(
      static_cast<std::int64_t>(load_little<std::uint64_t>(raw + at_created)));
  head.previous = digest_at(bytes, at_previous);
  found.sealed = !same(digest_at(bytes, at_seal), digest{});
  found.chain = with.of(bytes.first(at_seal));
  return found;
}

bool is_sealed_by(core::bytes_view bytes, std::string_view key) {
  return same(digest_at(bytes, at_seal),
              keyed_digest(key, bytes.first(at_seal)));
}

digest seal_frame(std::vector<std::byte>& to, std::size_t body_at,
                  const digest& chain, hasher& with) {
  const core::bytes_view body{to.data() + body_at, to.size() - body_at};
  const auto next = with.of(chain, body);
  auto* head = to.data() + body_at - frame_head_bytes;
  store_little(head, static_cast<std::uint32_t>(body.size()));
  store_little(head + at_frame_checksum, core::crc32c(body));
  put(head + at_chain, next);
  return next;
}

std::string segment_name(segment_number number) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string name(name_digits, '0');
  for (std::size_t i = 0; i < name_digits; ++i)
    name[name_digits - 1 - i] = digits[(number >> (4 * i)) & 15U];
  return name.append(suffix);
}

core::result<std::vector<segment_number>>
list_segments(file_system& files, const std::filesystem::path& folder) {
  const auto names = files.list(folder);
  if (!names)
    return names.error();
  std::vector<segment_number> numbers;
  for (const auto& name : *names)
    if (const auto number = number_of(name))
      numbers.push_back(*number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// --------------------------------------------------------------------- walker

core::result<segment_walker>
segment_walker::open(file_system& files, const std::filesystem::path& path,
                     std::optional<std::uint64_t> limit) {
  auto opened = files.open(path, open_mode::read_only);
  if (!opened)
    return opened.error();
  const auto size = (*opened)->size();
  if (!size)
    return size.error();
  segment_walker made{std::move(*opened),
                      limit ? std::min(*limit, *size) : *size};
  if (made.size_ < head_bytes)
    return core::error{core::errc::malformed,
                       path.string() + ": no whole head"};
  const auto raw = made.read(0, head_bytes);
  if (!raw)
    return raw.error();
  made.raw_head_.assign(raw->begin(), raw->end());
  auto head = decode_head(made.raw_head_, made.hasher_);
  if (!head)
    return core::error{head.error().code,
                       path.string() + ": " + head.error().detail};
  made.head_ = *head;
  made.chain_ = head->chain;
  return made;
}

core::result<core::bytes_view> segment_walker::read(std::uint64_t offset,
                                                    std::size_t count) {
  if (offset < window_at_ || offset + count > window_at_ + window_.size()) {
    const auto wanted = static_cast<std::size_t>(
        std::min<std::uint64_t>(std::max(count, window_bytes), size_ - offset));
    window_.resize(wanted);
    window_at_ = offset;
    const auto got = file_->read_at(window_, offset);
    if (!got)
      return got.error();
    if (*got < count)
      return core::error{core::errc::io_error, "an audit segment has shrunk"};
    window_.resize(*got);
  }
  return core::bytes_view{window_.data() + (offset - window_at_), count};
}

segment_walker::step segment_walker::stop(step how, std::string why) {
  stopped_ = how;
  why_ = std::move(why);
  body_ = {};
  return how;
}

core::result<segment_walker::step> segment_walker::next(bool checked) {
  if (stopped_)
    return *stopped_;
  offset_ = next_;
  const auto left = size_ - offset_;
  if (left == 0)
    return stop(step::end, {});
  if (left < frame_head_bytes)
    return stop(step::torn, "half a frame at the end");
  const auto head = read(offset_, frame_head_bytes);
  if (!head)
    return head.error();
  const auto length = load_little<std::uint32_t>(head->data());
  if (length == 0 || length > body_bytes_max)
    return stop(step::broken, "a frame of an impossible size");
  if (length > left - frame_head_bytes)
    return stop(step::torn, "half a frame at the end");
  const auto frame = read(offset_, frame_head_bytes + length);
  if (!frame)
    return frame.error();
  body_ = frame->subspan(frame_head_bytes);
  if (load_little<std::uint32_t>(frame->data() + at_frame_checksum) !=
      core::crc32c(body_))
    return stop(step::broken, "a record does not match its checksum");
  const auto written = digest_at(*frame, at_chain);
  if (checked && !same(written, hasher_.of(chain_, body_)))
    return stop(step::broken, "a record does not match the chain of hashes");
  chain_ = written;
  next_ = offset_ + frame_head_bytes + length;
  return step::frame;
}

} // namespace troupe::storage::audit
