// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/batch_codec.hpp"
#include "actors/links/link_types.hpp"
#include "actors/runtime/type_ids.hpp"
#include "core/result.hpp"

#include <caf/deserializer.hpp>
#include <caf/error.hpp>
#include <caf/fwd.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/replies_to.hpp>
#include <caf/sec.hpp>
#include <caf/serializer.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

namespace troupe::actors::links {

/// What an envelope brings. Stable numbers.
enum class part : std::uint8_t {
  hello = 1,         ///< the first one of either side: the link is up
  control_batch = 2, ///< messages of the control lane
  bulk_batch = 3,    ///< messages of the bulk lane
  beat = 4,          ///< sign of life, round trip, credit
  bye = 5,           ///< the peer stops; bytes: why
};
inline constexpr std::uint8_t part_max = 5;

/// The only thing nodes ever send each other through the actor system.
///
/// `link` says for which connection it was meant: whatever else happens to
/// handles and numbers of actors after a restart, an envelope of an old link
/// is recognised and dropped. `sequence` counts from 1 without a gap: CAF
/// replaces what it can't read by an empty message and says nothing.
struct envelope {
  link_id link;
  std::uint64_t sequence = 0;
  links::part part{};
  core::shared_bytes bytes; ///< at most batch_bytes_max
};

namespace detail {

caf::error save_bytes(caf::serializer& sink,
                      const core::shared_bytes& bytes) noexcept;
caf::error load_bytes(caf::deserializer& source,
                      core::shared_bytes& bytes) noexcept;

/// A part of an envelope as CAF's inspectors see it.
struct envelope_bytes {
  core::shared_bytes& bytes;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f,
                                        envelope_bytes& x) noexcept {
  if constexpr (std::is_base_of_v<caf::serializer, Inspector>) {
    return save_bytes(f, x.bytes);
  } else if constexpr (std::is_base_of_v<caf::deserializer, Inspector>) {
    return load_bytes(f, x.bytes);
  } else {
    auto size = static_cast<std::uint64_t>(x.bytes.size()); // for texts
    return f(size);
  }
}

} // namespace detail

/// Never throws: in CAF that would end the process or the whole network.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, envelope& x) noexcept {
  auto link = x.link.value();
  auto part = static_cast<std::uint8_t>(x.part);
  detail::envelope_bytes bytes{x.bytes};
  if constexpr (std::is_base_of_v<caf::deserializer, Inspector>) {
    auto failed = f(link, x.sequence, part, bytes);
    x.link = link_id{link};
    x.part = links::part{part};
    return failed;
  } else {
    return f(caf::meta::type_name("envelope"), link, x.sequence, part, bytes);
  }
}

/// What a beat says; also the bytes of part::hello.
struct beat {
  /// The sender's clock; comes back as `echo`.
  std::uint64_t sent_at = 0;
  /// The latest beat the sender got, 0 if none.
  std::uint64_t echo = 0;
  /// How long the sender held that one, in nanoseconds.
  std::uint64_t held = 0;
  /// Bytes of each lane the sender has consumed since the link began.
  std::array<std::uint64_t, lanes> consumed{};

  friend bool operator==(const beat&, const beat&) = default;
};
inline constexpr std::size_t beat_size = 40;
core::shared_bytes encode(const beat& b);
core::result<beat> decode_beat(core::bytes_view bytes);

/// Takes what other nodes send. Published to linked peers and to nobody else;
/// spawned by the mesh, on its loop, and ends with it.
using gate_actor = caf::typed_actor<caf::reacts_to<envelope>>;

/// The bytes with which every message that holds one envelope begins on the
/// wire, as this CAF writes them.
std::string envelope_prefix(caf::actor_system& system);

} // namespace troupe::actors::links

CAF_BEGIN_TYPE_ID_BLOCK(troupe_links, troupe::actors::runtime::type_ids_end)
CAF_ADD_TYPE_ID(troupe_links, (troupe::actors::links::envelope))
CAF_END_TYPE_ID_BLOCK(troupe_links)
