// SPDX-License-Identifier: Apache-2.0
#include "cluster/interest_wire.hpp"

#include "cluster/wire_bytes.hpp"
#include "core/assert.hpp"
#include "core/crc32c.hpp"
#include "core/name_rules.hpp"
#include "core/topic_filter.hpp"

#include <utility>

namespace troupe::cluster {
namespace {

namespace words = interest_words;

constexpr std::uint8_t version = 2;
constexpr std::size_t head_bytes = 18;
constexpr std::size_t checksum_bytes = 4;

enum class contents : std::uint8_t {
  filters = 1,
  digest = 2,
  resync = 3,
  mark = 4,
  marked = 5,
};

// Of a frame with filters.
constexpr std::uint8_t begins_flag = 1;
constexpr std::uint8_t completes_flag = 2;
// Of a change.
constexpr std::uint8_t held_flag = 1;
constexpr std::uint8_t same_realm_flag = 2;
constexpr std::uint8_t shared_flag = 4;

core::error malformed() { return {core::errc::malformed, "interest frame"}; }

contents put_body(byte_writer& out, const words::filters& m) {
  out.put(static_cast<std::uint8_t>((m.begins ? begins_flag : 0U) |
                                    (m.completes ? completes_flag : 0U)));
  out.put(static_cast<std::uint32_t>(m.changes.size()));
  const interest_change* before = nullptr;
  for (const auto& each : m.changes) {
    const bool same = before != nullptr && before->realm == each.realm;
    before = &each;
    out.put(static_cast<std::uint8_t>((each.held ? held_flag : 0U) |
                                      (same ? same_realm_flag : 0U) |
                                      (each.share.empty() ? 0U : shared_flag)));
    if (!same) {
      out.put(static_cast<std::uint8_t>(each.realm.size()));
      out.put(core::as_bytes(each.realm));
    }
    if (!each.share.empty()) {
      out.put(static_cast<std::uint8_t>(each.share.size()));
      out.put(core::as_bytes(each.share));
      out.put(each.members);
    }
    out.put(static_cast<std::uint16_t>(each.filter.size()));
    out.put(core::as_bytes(each.filter));
  }
  return contents::filters;
}

contents put_body(byte_writer& out, const words::digest& m) {
  out.put(m.table.filters);
  out.put(m.table.sum);
  return contents::digest;
}

contents put_body(byte_writer&, const words::resync&) {
  return contents::resync;
}

contents put_body(byte_writer&, const words::mark&) { return contents::mark; }
contents put_body(byte_writer&, const words::marked&) {
  return contents::marked;
}

bool take_change(byte_reader& in, const words::filters& all,
                 interest_change& change) {
  const auto how = in.take<std::uint8_t>();
  if (how > (held_flag | same_realm_flag | shared_flag))
    return false;
  change.held = (how & held_flag) != 0;
  if ((how & same_realm_flag) == 0)
    change.realm = core::as_text(in.take_bytes(in.take<std::uint8_t>()));
  else if (!all.changes.empty())
    change.realm = all.changes.back().realm;
  if ((how & shared_flag) != 0) {
    change.share = core::as_text(in.take_bytes(in.take<std::uint8_t>()));
    change.members = in.take<std::uint32_t>();
    if (change.share.empty() || change.held != (change.members > 0))
      return false;
  }
  change.filter = core::as_text(in.take_bytes(in.take<std::uint16_t>()));
  return in.ok() && core::is_realm(change.realm) &&
         core::topic_filter::parse(change.filter).has_value();
}

core::result<words::any> take_filters(byte_reader& in) {
  words::filters m;
  const auto flags = in.take<std::uint8_t>();
  if (flags > (begins_flag | completes_flag))
    return malformed();
  m.begins = (flags & begins_flag) != 0;
  m.completes = (flags & completes_flag) != 0;
  const auto count = in.take<std::uint32_t>();
  if (count > in.remaining() / 3)
    return malformed();
  m.changes.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    interest_change change;
    if (!take_change(in, m, change))
      return malformed();
    m.changes.push_back(std::move(change));
  }
  return words::any{std::move(m)};
}

core::result<words::any> take_body(contents what, byte_reader& in) {
  switch (what) {
  case contents::filters:
    return take_filters(in);
  case contents::digest: {
    words::digest m;
    m.table.filters = in.take<std::uint64_t>();
    m.table.sum = in.take<std::uint64_t>();
    return words::any{m};
  }
  case contents::resync:
    return words::any{words::resync{}};
  case contents::mark:
    return words::any{words::mark{}};
  case contents::marked:
    return words::any{words::marked{}};
  }
  return malformed();
}

} // namespace

std::uint64_t interest_hash(std::string_view realm, std::string_view filter,
                            std::string_view share) noexcept {
  // FNV-1a over "realm NUL filter", and "NUL share" if there is one, then mixed
  // so that sums tell sets apart.
  std::uint64_t hash = 0xCBF29CE484222325U;
  const auto take = [&hash](unsigned char byte) {
    hash ^= byte;
    hash *= 0x100000001B3U;
  };
  for (const char c : realm)
    take(static_cast<unsigned char>(c));
  take(0);
  for (const char c : filter)
    take(static_cast<unsigned char>(c));
  if (!share.empty())
    take(0);
  for (const char c : share)
    take(static_cast<unsigned char>(c));
  hash ^= hash >> 33U;
  hash *= 0xFF51AFD7ED558CCDU;
  hash ^= hash >> 33U;
  hash *= 0xC4CEB9FE1A85EC53U;
  hash ^= hash >> 33U;
  return hash;
}

core::shared_bytes encode(const interest_frame& frame) {
  byte_writer body{256};
  const auto what =
      std::visit([&](const auto& m) { return put_body(body, m); }, frame.what);
  byte_writer out{head_bytes + body.view().size() + checksum_bytes};
  out.put(version);
  out.put(static_cast<std::uint8_t>(what));
  out.put(frame.stream);
  out.put(frame.sequence);
  out.put(body.view());
  out.put(core::crc32c(out.view()));
  TROUPE_ASSERT(out.view().size() <= interest_frame_bytes_max,
                "an interest frame is too large");
  return core::shared_bytes::copy_of(out.view());
}

core::result<interest_frame> decode_interest(core::bytes_view bytes) {
  if (bytes.size() > interest_frame_bytes_max)
    return core::error{core::errc::too_large, "interest frame"};
  if (bytes.size() < head_bytes + checksum_bytes)
    return malformed();
  const auto size = bytes.size() - checksum_bytes;
  byte_reader tail{bytes.subspan(size)};
  if (tail.take<std::uint32_t>() != core::crc32c(bytes.first(size)))
    return core::error{core::errc::corrupt, "interest frame"};
  byte_reader in{bytes.first(size)};
  const auto format = in.take<std::uint8_t>();
  if (format > version)
    return core::error{core::errc::newer_format, "interest frame"};
  const auto what = static_cast<contents>(in.take<std::uint8_t>());
  interest_frame frame;
  frame.stream = in.take<std::uint64_t>();
  frame.sequence = in.take<std::uint64_t>();
  auto body = take_body(what, in);
  if (!body)
    return body.error();
  frame.what = std::move(*body);
  const bool resync = what == contents::resync;
  const bool beside = what == contents::mark || what == contents::marked;
  const bool placed = beside ? frame.stream == 0 : frame.stream != 0 || resync;
  if (format != version || !in.done() || !placed)
    return malformed();
  if (const auto* m = std::get_if<words::filters>(&frame.what);
      m != nullptr && m->begins != (frame.sequence == 1))
    return malformed();
  return frame;
}

} // namespace troupe::cluster
