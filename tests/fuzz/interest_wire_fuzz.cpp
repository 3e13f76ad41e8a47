// SPDX-License-Identifier: Apache-2.0

// What other nodes say: frames about filters, and publications; the first byte
// chooses. What is read is the same after it is written again, and a receiver
// takes any frame.
#include "actors/topics/publication_wire.hpp"
#include "cluster/interest_receiver.hpp"
#include "cluster/interest_wire.hpp"
#include "cluster/wire_bytes.hpp"
#include "core/assert.hpp"
#include "core/crc32c.hpp"

#include <cstddef>
#include <cstdint>

using namespace troupe;

namespace {

/// With the right checksum, which a fuzzer does not find.
core::shared_bytes sealed(core::bytes_view bytes) {
  cluster::byte_writer out{bytes.size() + 4};
  out.put(bytes);
  out.put(core::crc32c(bytes));
  return core::shared_bytes::copy_of(out.view());
}

void interest(core::bytes_view bytes) {
  static_cast<void>(cluster::decode_interest(bytes));
  const auto frame = cluster::decode_interest(sealed(bytes).view());
  if (!frame)
    return;
  const auto again = cluster::decode_interest(cluster::encode(*frame).view());
  TROUPE_ASSERT(again.has_value() && *again == *frame, "a frame changed");
  if (!std::holds_alternative<cluster::interest_words::filters>(frame->what) &&
      !std::holds_alternative<cluster::interest_words::digest>(frame->what))
    return; // is for the sender, or beside the streams
  cluster::interest_board board{{10, 3}, 1};
  cluster::interest_receiver receiver{board, core::node_id{2}};
  receiver.take(*frame);
  receiver.take(*frame);
  static_cast<void>(receiver.request());
}

void publication(core::bytes_view bytes) {
  const auto read = actors::topics::decode_publication(sealed(bytes), {});
  if (!read)
    return;
  const auto again = actors::topics::decode_publication(
      actors::topics::encode(read->what, read->for_all, read->turns), {});
  TROUPE_ASSERT(again.has_value() && *again == *read, "a publication changed");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0)
    return 0;
  const core::bytes_view in{reinterpret_cast<const std::byte*>(data + 1),
                            size - 1};
  if (data[0] % 2 == 0)
    interest(in);
  else
    publication(in);
  return 0;
}
