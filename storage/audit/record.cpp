// SPDX-License-Identifier: Apache-2.0
#include "storage/audit/record.hpp"

#include "core/assert.hpp"
#include "storage/byte_order.hpp"

#include <algorithm>
#include <array>

namespace troupe::storage::audit {
namespace {

constexpr unsigned flag_accepted = 1;
constexpr unsigned flag_hash = 2;
constexpr unsigned flag_payload = 4;
constexpr unsigned flags_all = flag_accepted | flag_hash | flag_payload;

constexpr std::array texts{&record::realm,     &record::user,  &record::address,
                           &record::target,    &record::type,  &record::reason,
                           &record::reference, &record::detail};

template <class Number>
void append(std::vector<std::byte>& to, Number value) {
  const auto at = to.size();
  to.resize(at + sizeof value);
  store_little(to.data() + at, value);
}

void append(std::vector<std::byte>& to, core::bytes_view bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

/// Takes bytes from the front; once something is missing, everything is.
class taker {
public:
  explicit taker(core::bytes_view bytes) : rest_(bytes) {}

  template <class Number>
  Number number() {
    const auto bytes = take(sizeof(Number));
    return bytes.size() == sizeof(Number) ? load_little<Number>(bytes.data())
                                          : Number{};
  }
  core::bytes_view take(std::size_t count) {
    if (count > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  /// All was there, and nothing is left.
  [[nodiscard]] bool done() const { return !failed_ && rest_.empty(); }

private:
  core::bytes_view rest_;
  bool failed_ = false;
};

bool is_kind(std::uint8_t number) {
  return std::any_of(
      core::audit_kinds_all.begin(), core::audit_kinds_all.end(),
      [&](auto each) { return static_cast<std::uint8_t>(each) == number; });
}

} // namespace

std::string_view fitting(std::string_view text) noexcept {
  if (text.size() <= text_bytes_max)
    return text;
  auto end = text_bytes_max;
  // Not in the middle of a character; what is no UTF-8 is cut anywhere.
  while (end > text_bytes_max - 4 &&
         (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  return text.substr(0, end);
}

void encode(const record& what, std::vector<std::byte>& to) {
  append(to, what.sequence);
  append(to, static_cast<std::uint64_t>(core::to_millis(what.time)));
  append(to, what.session);
  append(to, what.size);
  append(to, what.targets);
  append(to, static_cast<std::uint8_t>(what.kind));
  append(to, static_cast<std::uint8_t>((what.accepted ? flag_accepted : 0U) |
                                       (what.hash ? flag_hash : 0U) |
                                       (what.payload ? flag_payload : 0U)));
  append(to, std::uint16_t{0});
  if (what.hash)
    append(to, core::bytes_view{*what.hash});
  for (const auto text : texts) {
    const auto& value = what.*text;
    TROUPE_ASSERT(value.size() <= text_bytes_max, "an audit text is too long");
    append(to, static_cast<std::uint16_t>(value.size()));
    append(to, core::as_bytes(value));
  }
  if (!what.payload)
    return;
  TROUPE_ASSERT(what.payload->size() <= payload_bytes_max,
                "an audit payload is too large");
  append(to, static_cast<std::uint32_t>(what.payload->size()));
  append(to, *what.payload);
}

std::optional<record> decode_record(core::bytes_view bytes) {
  taker in{bytes};
  record found;
  found.sequence = in.number<std::uint64_t>();
  found.time =
      core::from_millis(static_cast<std::int64_t>(in.number<std::uint64_t>()));
  found.session = in.number<std::uint64_t>();
  found.size = in.number<std::uint64_t>();
  found.targets = in.number<std::uint32_t>();
  const auto kind = in.number<std::uint8_t>();
  const unsigned flags = in.number<std::uint8_t>();
  const auto reserved = in.number<std::uint16_t>();
  if (!is_kind(kind) || (flags & ~flags_all) != 0 || reserved != 0)
    return std::nullopt;
  found.kind = static_cast<core::audit_kind>(kind);
  found.accepted = (flags & flag_accepted) != 0;
  if ((flags & flag_hash) != 0) {
    digest hash{};
    const auto raw = in.take(hash.size());
    std::copy(raw.begin(), raw.end(), hash.begin());
    found.hash = hash;
  }
  for (const auto text : texts) {
    const auto length = in.number<std::uint16_t>();
    if (length > text_bytes_max)
      return std::nullopt;
    found.*text = core::as_text(in.take(length));
  }
  if ((flags & flag_payload) != 0) {
    const auto length = in.number<std::uint32_t>();
    if (length > payload_bytes_max)
      return std::nullopt;
    found.payload = in.take(length);
  }
  if (!in.done())
    return std::nullopt;
  return found;
}

} // namespace troupe::storage::audit
