// SPDX-License-Identifier: Apache-2.0
#include "net/mq/packet_head.hpp"

#include "net/mq/ascii_json.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace troupe::net::mq {

namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t header_bytes_max = 0xffff;
constexpr std::size_t number_digits_max = 20;

} // namespace

void packet_head::begin(std::string_view op) {
  at_ += frame_header_bytes_max + length_bytes;
  put(R"({"op":")");
  put(op);
  put("\"");
}

void packet_head::put(std::string_view text) {
  // Not memcpy: an empty view may have no address.
  at_ = std::copy(text.begin(), text.end(), room(text.size()));
}

void packet_head::text(std::string_view name, std::string_view value) {
  put(name);
  char* to = room(escape_factor * value.size() + 2);
  *to++ = '"';
  to = write_escaped(to, value);
  *to++ = '"';
  at_ = to;
}

void packet_head::number(std::string_view name, std::uint64_t value) {
  put(name);
  char* const to = room(number_digits_max);
  at_ = std::to_chars(to, to + number_digits_max, value).ptr;
}

void packet_head::json(std::string_view name, std::string_view value) {
  put(name);
  put(value);
}

bool packet_head::finish() {
  put("}");
  const auto header = size() - length_bytes;
  if (header > header_bytes_max)
    return false;
  char* const length = start_ + frame_header_bytes_max;
  char* const end =
      std::to_chars(length, length + length_bytes, header, 16).ptr;
  std::fill(end, length + length_bytes, ' ');
  return true;
}

std::string_view packet_head::prefix(const std::byte* header,
                                     std::size_t bytes) {
  char* const from = start_ + (frame_header_bytes_max - bytes);
  std::memcpy(from, header, bytes);
  return {from, static_cast<std::size_t>(at_ - from)};
}

void packet_head::grow(std::size_t bytes) {
  const auto used = static_cast<std::size_t>(at_ - start_);
  std::string bigger;
  bigger.resize(std::max(2 * used, used + bytes));
  std::memcpy(bigger.data(), start_, used);
  heap_ = std::move(bigger);
  start_ = heap_.data();
  at_ = start_ + used;
  end_ = start_ + heap_.size();
}

} // namespace troupe::net::mq
