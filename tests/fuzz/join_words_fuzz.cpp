// SPDX-License-Identifier: Apache-2.0

// What a newcomer and a node say to each other, and who says to lead what: the
// first byte chooses the reader. What is read and written again is the same.
#include "actors/join_words.hpp"
#include "actors/leader_board.hpp"
#include "core/assert.hpp"

#include <cstdint>

using namespace troupe;
using namespace troupe::actors;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0)
    return 0;
  const core::bytes_view in{reinterpret_cast<const std::byte*>(data + 1),
                            size - 1};
  if (data[0] % 3 == 0) {
    if (const auto request = decode_join_request(in))
      TROUPE_ASSERT(encode(*request).text() == core::as_text(in),
                    "a request changed");
  } else if (data[0] % 3 == 1) {
    if (const auto answer = decode_join_answer(in))
      TROUPE_ASSERT(encode(*answer).text() == core::as_text(in),
                    "an answer changed");
  } else {
    leader_board board{17};
    static_cast<void>(board.take(core::node_id{2}, in));
  }
  return 0;
}
