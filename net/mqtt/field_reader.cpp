// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/field_reader.hpp"

#include "net/mqtt/rules.hpp"
#include "net/ws/utf8.hpp"

#include <algorithm>

namespace troupe::net::mqtt {
namespace {

constexpr std::size_t owner_share_min = 4;

std::uint32_t octet(core::bytes_view in, std::size_t at) noexcept {
  return std::to_integer<std::uint32_t>(in[at]);
}

} // namespace

bool is_text(std::string_view bytes) noexcept {
  return bytes.size() <= field_bytes_max &&
         ws::is_utf8(core::as_bytes(bytes)) &&
         bytes.find('\0') == std::string_view::npos;
}

variable_integer read_variable(core::bytes_view in) noexcept {
  using enum variable_integer::status;
  constexpr std::size_t bytes_max = 4;
  variable_integer read;
  for (std::size_t i = 0; i < std::min(in.size(), bytes_max); ++i) {
    const auto next = octet(in, i);
    read.value |= (next & 0x7FU) << (7 * i);
    if ((next & 0x80U) == 0) {
      read.what = ready;
      read.bytes = i + 1;
      read.padded = i > 0 && next == 0;
      return read;
    }
  }
  read.what = in.size() >= bytes_max ? too_long : need_more;
  return read;
}

const rule& field_reader::rule_goes_on() noexcept { return rules::goes_on; }

void field_reader::fail(const rule& which, std::string_view about) noexcept {
  fail(broken(which, by_, about));
}

void field_reader::fail(const violation& what) noexcept {
  if (!failed())
    broken_ = what;
  rest_ = {};
}

core::bytes_view field_reader::take(std::size_t bytes,
                                    std::string_view about) noexcept {
  if (bytes > rest_.size()) {
    fail(rules::ends_early, about);
    return {};
  }
  const auto taken = rest_.first(bytes);
  rest_ = rest_.subspan(bytes);
  return taken;
}

std::uint8_t field_reader::byte(std::string_view about) {
  const auto in = take(1, about);
  return in.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(in[0]);
}

std::uint16_t field_reader::two_bytes(std::string_view about) {
  const auto in = take(2, about);
  if (in.empty())
    return 0;
  return static_cast<std::uint16_t>(octet(in, 0) << 8U | octet(in, 1));
}

std::uint32_t field_reader::four_bytes(std::string_view about) {
  const auto in = take(4, about);
  if (in.empty())
    return 0;
  return octet(in, 0) << 24U | octet(in, 1) << 16U | octet(in, 2) << 8U |
         octet(in, 3);
}

std::uint32_t field_reader::variable(std::string_view about) {
  const auto read = read_variable(rest_);
  if (read.what == variable_integer::status::need_more)
    fail(rules::ends_early, about);
  else if (read.what == variable_integer::status::too_long)
    fail(rules::long_length, about);
  else if (read.padded)
    fail(rules::padded_length, about);
  if (failed())
    return 0;
  rest_ = rest_.subspan(read.bytes);
  return read.value;
}

std::string_view field_reader::binary(std::string_view about) {
  const std::size_t bytes = two_bytes(about);
  return core::as_text(take(bytes, about));
}

std::string_view field_reader::text(std::string_view about) {
  const auto found = binary(about);
  if (!ws::is_utf8(core::as_bytes(found)))
    fail(rules::ill_formed, about);
  else if (found.find('\0') != std::string_view::npos)
    fail(rules::has_nul, about);
  return failed() ? std::string_view{} : found;
}

packet_id field_reader::id(packet_type type) {
  const packet_id found{two_bytes("packet identifier")};
  if (!failed() && found == packet_id{})
    fail(rules::id_zero, to_string(type));
  return found;
}

core::bytes_view field_reader::rest() noexcept {
  const auto all = rest_;
  rest_ = {};
  return all;
}

field_reader field_reader::part(std::size_t bytes) noexcept {
  field_reader inner{rest_.first(bytes), by_, owner_};
  rest_ = rest_.subspan(bytes);
  return inner;
}

core::shared_bytes field_reader::keep(core::bytes_view bytes) const {
  if (owner_ == nullptr || bytes.size() < reference_bytes_min ||
      bytes.size() < owner_->owner_size() / owner_share_min)
    return core::shared_bytes::copy_of(bytes);
  return owner_->slice(static_cast<std::size_t>(bytes.data() - owner_->data()),
                       bytes.size());
}

} // namespace troupe::net::mqtt
