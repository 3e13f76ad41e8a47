// SPDX-License-Identifier: Apache-2.0
#include "core/publication.hpp"

#include "core/name_rules.hpp"

namespace troupe::core {
namespace {

error above(errc code, const char* what, std::size_t is, std::size_t most) {
  return {code, std::string{what} + ": " + std::to_string(is) + ", " +
                    std::to_string(most) + " are allowed"};
}

} // namespace

result<void> check(const publication& p, const publication_limits& limits) {
  if (!is_realm(p.realm))
    return error{errc::name_invalid, "realm"};
  if (p.headers.size() > limits.headers_max)
    return above(errc::too_many, "headers of a publication", p.headers.size(),
                 limits.headers_max);
  auto head = p.sender.size() + p.content_type.size();
  for (const auto& [key, value] : p.headers)
    head += key.size() + value.size();
  if (head > limits.head_bytes_max)
    return above(errc::too_large, "bytes of a publication's headers", head,
                 limits.head_bytes_max);
  if (p.payload.size() > limits.payload_bytes_max)
    return above(errc::too_large, "bytes of a publication", p.payload.size(),
                 limits.payload_bytes_max);
  return {};
}

} // namespace troupe::core
