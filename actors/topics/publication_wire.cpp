// SPDX-License-Identifier: Apache-2.0
#include "actors/topics/publication_wire.hpp"

#include "cluster/wire_bytes.hpp"
#include "core/crc32c.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace troupe::actors::topics {
namespace {

using cluster::byte_reader;
using cluster::byte_writer;

constexpr std::uint8_t version = 4;
constexpr std::size_t checksum_bytes = 4;

core::error malformed() { return {core::errc::malformed, "publication frame"}; }

void put_text(byte_writer& out, std::string_view text) {
  out.put(static_cast<std::uint16_t>(text.size()));
  out.put(core::as_bytes(text));
}
std::string take_text(byte_reader& in) {
  return std::string{core::as_text(in.take_bytes(in.take<std::uint16_t>()))};
}

bool take_head(byte_reader& in, core::publication& p) {
  p.publisher = in.take<std::uint64_t>();
  p.number = in.take<std::uint64_t>();
  p.queued_as_of = in.take<std::uint64_t>();
  p.realm = take_text(in);
  auto name = core::topic::parse(take_text(in));
  if (!name)
    return false;
  p.topic = std::move(*name);
  p.sender = take_text(in);
  p.content_type = take_text(in);
  const auto headers = in.take<std::uint16_t>();
  if (headers > in.remaining() / 4)
    return false;
  for (std::uint16_t i = 0; i < headers && in.ok(); ++i) {
    auto key = take_text(in);
    p.headers.emplace_back(std::move(key), take_text(in));
  }
  return in.ok();
}

bool take_turns(byte_reader& in, sent_publication& sent) {
  const auto whom = in.take<std::uint8_t>();
  const auto count = in.take<std::uint16_t>();
  if (whom > 1 || count > share_turns_max || count > in.remaining() / 8)
    return false;
  sent.for_all = whom == 1;
  for (std::uint16_t i = 0; i < count && in.ok(); ++i) {
    auto share = take_text(in);
    auto filter = take_text(in);
    sent.turns.push_back(
        {std::move(share), std::move(filter), in.take<std::uint32_t>()});
  }
  return in.ok();
}

} // namespace

core::shared_bytes encode(const core::publication& p, bool for_all,
                          const std::vector<share_turn>& turns) {
  byte_writer head{128};
  head.put(version);
  head.put(p.publisher);
  head.put(p.number);
  head.put(p.queued_as_of);
  put_text(head, p.realm);
  put_text(head, p.topic.text());
  put_text(head, p.sender);
  put_text(head, p.content_type);
  head.put(static_cast<std::uint16_t>(p.headers.size()));
  for (const auto& [key, value] : p.headers) {
    put_text(head, key);
    put_text(head, value);
  }
  head.put(static_cast<std::uint8_t>(for_all ? 1 : 0));
  head.put(static_cast<std::uint16_t>(turns.size()));
  for (const auto& each : turns) {
    put_text(head, each.share);
    put_text(head, each.filter);
    head.put(each.which);
  }
  const auto front = head.view();
  const auto body = p.payload.view();
  const auto size = front.size() + body.size();
  return core::shared_bytes::build(size + checksum_bytes, [&](std::byte* to) {
    std::copy(body.begin(), body.end(),
              std::copy(front.begin(), front.end(), to));
    const auto sum = core::crc32c({to, size});
    std::memcpy(to + size, &sum, sizeof sum);
  });
}

core::result<sent_publication>
decode_publication(const core::shared_bytes& frame,
                   const core::publication_limits& limits) {
  if (frame.size() < 1 + checksum_bytes)
    return malformed();
  const auto size = frame.size() - checksum_bytes;
  byte_reader tail{frame.view().subspan(size)};
  if (tail.take<std::uint32_t>() != core::crc32c(frame.view().first(size)))
    return core::error{core::errc::corrupt, "publication frame"};
  byte_reader in{frame.view().first(size)};
  const auto format = in.take<std::uint8_t>();
  if (format > version)
    return core::error{core::errc::newer_format, "publication frame"};
  sent_publication sent;
  auto& p = sent.what;
  if (format != version || !take_head(in, p) || !take_turns(in, sent))
    return malformed();
  const auto rest = in.remaining();
  p.payload = frame.slice(in.position(), rest);
  // The rest of a frame must not be kept alive by a small payload.
  if (rest < frame.size() / 2)
    p.payload = core::shared_bytes::copy_of(p.payload.view());
  if (auto fits = core::check(p, limits); !fits)
    return fits.error();
  return sent;
}

} // namespace troupe::actors::topics
