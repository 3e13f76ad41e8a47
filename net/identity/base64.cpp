// SPDX-License-Identifier: Apache-2.0
#include "net/identity/base64.hpp"

#include "net/identity/base64url.hpp"

#include <algorithm>

namespace troupe::net::identity {

// The other alphabet differs in two characters, and has no padding.

std::string to_base64(std::string_view bytes) {
  auto text = to_base64url(bytes);
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.find_first_of("-_") != text.npos)
    return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i)
    text.remove_suffix(1);
  std::string other{text};
  std::replace(other.begin(), other.end(), '+', '-');
  std::replace(other.begin(), other.end(), '/', '_');
  return from_base64url(other);
}

} // namespace troupe::net::identity
