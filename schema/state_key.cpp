// SPDX-License-Identifier: Apache-2.0
#include "schema/state_key.hpp"

#include "core/assert.hpp"

#include <cstring>

namespace troupe::schema {
namespace {

/// Turns the order of signed numbers into that of unsigned ones.
constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

} // namespace

void state_key::append(std::string_view bytes) {
  if (bytes.empty())
    return;
  if (bytes.size() > bytes_.size() - size_) {
    fits_ = false;
    return;
  }
  std::memcpy(bytes_.data() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

state_key& state_key::byte(std::uint8_t value) {
  const char c = static_cast<char>(value);
  append({&c, 1});
  return *this;
}

state_key& state_key::number(std::uint64_t value) {
  std::array<char, 8> big_endian;
  for (std::size_t i = 0; i < big_endian.size(); ++i)
    big_endian[i] = static_cast<char>(value >> (56 - 8 * i) & 0xFF);
  append({big_endian.data(), big_endian.size()});
  return *this;
}

state_key& state_key::time(core::timestamp value) {
  return number(static_cast<std::uint64_t>(core::to_millis(value)) ^ sign_bit);
}

state_key& state_key::name(std::string_view text) {
  using namespace std::string_view_literals;
  for (auto zero = text.find('\0'); zero != std::string_view::npos;
       zero = text.find('\0')) {
    append(text.substr(0, zero));
    append("\0\xFF"sv);
    text.remove_prefix(zero + 1);
  }
  append(text);
  append("\0\0"sv);
  return *this;
}

state_key& state_key::last(std::string_view text) {
  append(text);
  return *this;
}

std::string_view state_key::view() const {
  TROUPE_ASSERT(fits_, "state key too long");
  return {bytes_.data(), size_};
}

std::optional<std::uint8_t> state_key_parts::byte() {
  if (rest_.empty())
    return std::nullopt;
  const auto value = static_cast<std::uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return value;
}

std::optional<std::uint64_t> state_key_parts::number() {
  if (rest_.size() < 8)
    return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i)
    value = value << 8 | static_cast<std::uint8_t>(rest_[i]);
  rest_.remove_prefix(8);
  return value;
}

std::optional<core::timestamp> state_key_parts::time() {
  const auto value = number();
  if (!value)
    return std::nullopt;
  return core::from_millis(static_cast<std::int64_t>(*value ^ sign_bit));
}

std::optional<std::string> state_key_parts::name() {
  std::string text;
  for (std::size_t i = 0; i < rest_.size(); ++i) {
    if (rest_[i] != '\0') {
      text += rest_[i];
      continue;
    }
    if (i + 1 == rest_.size())
      return std::nullopt;
    const bool ended = rest_[i + 1] == '\0';
    if (!ended && rest_[i + 1] != '\xFF')
      return std::nullopt;
    ++i;
    if (ended) {
      rest_.remove_prefix(i + 1);
      return text;
    }
    text += '\0';
  }
  return std::nullopt;
}

} // namespace troupe::schema
