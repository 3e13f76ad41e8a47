// SPDX-License-Identifier: Apache-2.0

// What an agent and a worker may say to each other. What is read can be
// written, and from then on it stays the same.
#include "app/workers/word_codec.hpp"
#include "core/assert.hpp"

#include <array>
#include <cstdint>
#include <string>

using namespace troupe;
using namespace troupe::app::workers;

namespace {

std::string written(const word& what) {
  net::output_queue out;
  encode(what, out);
  std::string all;
  while (!out.empty()) {
    std::array<iovec, 16> pieces{};
    const auto count = out.gather(pieces.data(), pieces.size());
    const auto before = all.size();
    for (std::size_t i = 0; i < count; ++i)
      all.append(static_cast<const char*>(pieces[i].iov_base),
                 pieces[i].iov_len);
    out.consume(all.size() - before);
  }
  return all;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const core::bytes_view in{reinterpret_cast<const std::byte*>(data), size};
  const auto owner = core::shared_bytes::copy_of(in);
  const auto first = decode(owner.view(), &owner);
  if (!first)
    return 0;
  TROUPE_ASSERT(weight(*first) > 0, "a word without weight");
  const auto bytes = written(*first);
  const auto again =
      decode(core::as_bytes(bytes).subspan(length_bytes), nullptr);
  TROUPE_ASSERT(again, "what was written can't be read");
  TROUPE_ASSERT(written(*again) == bytes, "a word changed");
  return 0;
}
