// SPDX-License-Identifier: Apache-2.0
#include "core/assert.hpp"
#include "net/identity/scram_server.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// What strangers say before they are anybody: a first message, a line break,
/// and a final one. Nothing gets in, since the nonce and the keys are not
/// known; what is read can be put together again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace troupe;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto end = text.find('\n');
  const auto first = text.substr(0, end);
  const auto final = end == text.npos ? text : text.substr(end + 1);
  if (const auto read = net::identity::parse_scram_client_first(first)) {
    TROUPE_ASSERT(read->header + read->bare == first, "a message in parts");
    TROUPE_ASSERT(net::identity::is_plain_text(read->user), "a strange name");
  }
  if (const auto read = net::identity::parse_scram_client_final(final))
    TROUPE_ASSERT(final.starts_with(read->without_proof + ",p="),
                  "more is proven than was said");
  net::identity::scram_server server{"0123456789"};
  if (const auto user = server.on_first(first)) {
    (void)server.challenge(
        net::identity::decoy_verifier("secret", *user, 4096));
    TROUPE_ASSERT(!server.on_final(final), "a stranger got in");
  }
  (void)net::identity::parse_scram_verifier(text);
  return 0;
}
