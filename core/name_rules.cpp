// SPDX-License-Identifier: Apache-2.0
#include "core/name_rules.hpp"

#include <algorithm>

namespace troupe::core {
namespace {

bool is_plain(std::string_view text, std::size_t bytes_max) noexcept {
  return !text.empty() && text.size() <= bytes_max &&
         std::none_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte < 0x20 || byte == 0x7F;
         });
}

} // namespace

bool is_name(std::string_view text) noexcept {
  return is_plain(text, name_bytes_max);
}

bool is_realm(std::string_view text) noexcept {
  return is_plain(text, realm_bytes_max);
}

} // namespace troupe::core
