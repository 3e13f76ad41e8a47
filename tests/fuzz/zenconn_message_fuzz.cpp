// SPDX-License-Identifier: Apache-2.0
#include "core/assert.hpp"
#include "net/zenconn/binary_codec.hpp"
#include "net/zenconn/json_codec.hpp"
#include "net/zenconn/json_members.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

using namespace troupe;
using namespace troupe::net::zenconn;

namespace {

/// What was read as a request is passed on to others: it must stay one message
/// in each spelling, and be read again as what it was.
void check(const request& asked) {
  TROUPE_ASSERT(asked.data.empty() || is_json(asked.data),
                "data that is no JSON");
  for (const bool compact : {false, true}) {
    const auto again = decode_request(encode(asked, compact), compact);
    const auto* same = std::get_if<request>(&again);
    TROUPE_ASSERT(same != nullptr && same->channel == asked.channel &&
                      same->token == asked.token,
                  "a request in two readings");
  }
  answer event;
  event.what = answer::kind::event;
  event.channel = asked.channel;
  event.from = asked.token;
  event.data = asked.data;
  const auto told = encode(event, false);
  TROUPE_ASSERT(is_json(told), "an event that is no JSON");
  const auto back = decode_answer(told, false);
  TROUPE_ASSERT(back && back->data == event.data, "an event in two readings");
}

} // namespace

/// Messages of strangers at ZenConn's door, in each spelling.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  constexpr std::size_t bytes_max = std::size_t{1} << 16U;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  for (const bool compact : {false, true}) {
    const auto read = decode_request(text, compact);
    if (const auto* asked = std::get_if<request>(&read))
      check(*asked);
    static_cast<void>(decode_answer(text, compact));
  }
  static_cast<void>(decode_binary_request(core::as_bytes(text), bytes_max));
  if (const auto told = decode_binary_answer(core::as_bytes(text), bytes_max))
    TROUPE_ASSERT(
        decode_binary_answer(core::as_bytes(encode_binary(*told)), 1U << 20U) ||
            !is_json(told->data),
        "an answer that is not read again");
  return 0;
}
