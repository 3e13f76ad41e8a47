// SPDX-License-Identifier: Apache-2.0
#include "storage/cluster_id.hpp"

#include <random>

namespace troupe::storage {
namespace {

constexpr std::string_view digits = "0123456789abcdef";

} // namespace

cluster_id cluster_id::random() {
  std::random_device source;
  std::uniform_int_distribution<unsigned> byte{0, 255};
  cluster_id id;
  for (auto& b : id.bytes)
    b = static_cast<std::uint8_t>(byte(source));
  return id;
}

std::optional<cluster_id> cluster_id::parse(std::string_view text) {
  cluster_id id;
  if (text.size() != 2 * id.bytes.size())
    return std::nullopt;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    const auto high = digits.find(text[2 * i]);
    const auto low = digits.find(text[2 * i + 1]);
    if (high == digits.npos || low == digits.npos)
      return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return id;
}

std::string to_string(const cluster_id& id) {
  std::string text;
  text.reserve(2 * id.bytes.size());
  for (const unsigned b : id.bytes) {
    text += digits[b / 16];
    text += digits[b % 16];
  }
  return text;
}

} // namespace troupe::storage
