// SPDX-License-Identifier: Apache-2.0

// Whatever a peer may say before and after the proof: the first byte chooses
// the reader. What is read and written again is the same.
#include "actors/links/batch_codec.hpp"
#include "actors/links/envelope.hpp"
#include "actors/links/handshake.hpp"
#include "core/assert.hpp"

#include <caf/binary_deserializer.hpp>

#include <cstdint>

using namespace troupe;
using namespace troupe::actors::links;

namespace {

handshake_options somebody() {
  handshake_options options;
  options.secret = "fuzz";
  options.self.node = core::node_id{1};
  options.self.incarnation = incarnation{1};
  return options;
}

/// Frames one after the other, as a stream brings them.
template <class Side>
void converse(Side side, core::bytes_view in) {
  while (in.size() >= frame_head_size) {
    const auto head =
        decode_frame_head(in.first(frame_head_size), handshake_frame_max);
    if (!head || head->length > in.size() - frame_head_size)
      return;
    const auto step =
        side.on_frame(head->type, in.subspan(frame_head_size, head->length));
    using outcome = handshake_step::outcome;
    TROUPE_ASSERT(step.what != outcome::authenticated &&
                      step.what != outcome::done,
                  "a secret was guessed");
    if (step.what == outcome::failed)
      return;
    in = in.subspan(frame_head_size + head->length);
  }
}

void read_payloads(core::bytes_view in) {
  if (const auto h = decode_hello(in); h && h->version <= protocol_version)
    TROUPE_ASSERT(encode(*h) == core::as_text(in), "a hello changed");
  if (const auto c = decode_challenge(in))
    TROUPE_ASSERT(encode(*c) == core::as_text(in), "a challenge changed");
  if (const auto r = decode_refusal(in))
    TROUPE_ASSERT(decode_refusal(core::as_bytes(encode(*r))), "a refusal");
  if (const auto b = decode_beat(in))
    TROUPE_ASSERT(encode(*b).text() == core::as_text(in), "a beat changed");
  static_cast<void>(open_join("key", in));
}

void read_batches(core::bytes_view in) {
  constexpr std::size_t bound = 4096;
  assembler input{bound};
  const auto bytes = core::shared_bytes::copy_of(in);
  // The same batch again and again: messages that go over several.
  for (int round = 0; round < 3; ++round) {
    batch_reader reader{bytes.view()};
    while (!reader.done()) {
      const auto item = reader.next();
      if (!item)
        return;
      const auto whole = input.push(*item, bytes);
      if (!whole)
        return;
      TROUPE_ASSERT(input.held_bytes() <= bound, "more held than allowed");
    }
  }
}

void read_envelope(core::bytes_view in) {
  envelope e;
  caf::binary_deserializer source{
      nullptr, reinterpret_cast<const char*>(in.data()), in.size()};
  if (!source(e))
    TROUPE_ASSERT(e.bytes.size() <= batch_bytes_max, "a large envelope");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0)
    return 0;
  const core::bytes_view in{reinterpret_cast<const std::byte*>(data + 1),
                            size - 1};
  switch (data[0] % 5) {
  case 0:
    converse(acceptor_handshake{somebody()}, in);
    break;
  case 1:
    converse(dialer_handshake{somebody(), purpose::link, {}}, in);
    break;
  case 2:
    read_payloads(in);
    break;
  case 3:
    read_batches(in);
    break;
  default:
    read_envelope(in);
  }
  return 0;
}
