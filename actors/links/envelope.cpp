// SPDX-License-Identifier: Apache-2.0
#include "actors/links/envelope.hpp"

#include "cluster/wire_bytes.hpp"
#include "core/assert.hpp"

#include <caf/actor_system.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>

#include <algorithm>
#include <vector>

namespace troupe::actors::links {

caf::error detail::save_bytes(caf::serializer& sink,
                              const core::shared_bytes& bytes) noexcept {
  auto size = static_cast<std::uint32_t>(bytes.size());
  if (auto failed = sink(size))
    return failed;
  if (size == 0)
    return caf::none;
  // CAF's signature wants it mutable and only reads.
  return sink.apply_raw(size, const_cast<std::byte*>(bytes.data()));
}

caf::error detail::load_bytes(caf::deserializer& source,
                              core::shared_bytes& bytes) noexcept {
  std::uint32_t size = 0;
  if (auto failed = source(size))
    return failed;
  if (size > batch_bytes_max)
    return caf::make_error(caf::sec::invalid_argument);
  caf::error failed;
  bytes = core::shared_bytes::build(
      size, [&](std::byte* out) { failed = source.apply_raw(size, out); });
  return failed;
}

core::shared_bytes encode(const beat& b) {
  cluster::byte_writer out{beat_size};
  out.put(b.sent_at);
  out.put(b.echo);
  out.put(b.held);
  for (const auto each : b.consumed)
    out.put(each);
  return core::shared_bytes::copy_of(out.view());
}

core::result<beat> decode_beat(core::bytes_view bytes) {
  cluster::byte_reader in{bytes};
  beat b;
  b.sent_at = in.take<std::uint64_t>();
  b.echo = in.take<std::uint64_t>();
  b.held = in.take<std::uint64_t>();
  for (auto& each : b.consumed)
    each = in.take<std::uint64_t>();
  if (!in.done())
    return core::error{core::errc::malformed, "a beat of wrong length"};
  return b;
}

std::string envelope_prefix(caf::actor_system& system) {
  // Two envelopes that differ from the first byte on: what their messages
  // have in common is what CAF puts before it.
  const auto write = [&](link_id link) {
    std::vector<char> bytes;
    caf::binary_serializer sink{system, bytes};
    std::vector<caf::strong_actor_ptr> stages;
    auto message = caf::make_message(envelope{link, 0, part::hello, {}});
    const auto failed = sink(stages, message);
    TROUPE_ASSERT(!failed, "an envelope can't be written");
    return std::string{bytes.begin(), bytes.end()};
  };
  const auto low = write(link_id{0});
  const auto high = write(link_id{~std::uint64_t{0}});
  const auto [end, other] =
      std::mismatch(low.begin(), low.end(), high.begin(), high.end());
  return std::string{low.begin(), end};
}

} // namespace troupe::actors::links
