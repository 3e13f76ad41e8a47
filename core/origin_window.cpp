// SPDX-License-Identifier: Apache-2.0
#include "core/origin_window.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

namespace troupe::core {
namespace {

constexpr std::uint64_t word_bits = 64;

/// Moves the floor up; what falls below it is forgotten.
void raise_floor(origin_record& record, std::uint64_t by) {
  record.floor += by;
  auto& bits = record.bits;
  const auto words = static_cast<std::size_t>(
      std::min<std::uint64_t>(by / word_bits, bits.size()));
  bits.erase(bits.begin(), bits.begin() + static_cast<std::ptrdiff_t>(words));
  const auto shift = by % word_bits;
  if (shift == 0)
    return;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    bits[i] >>= shift;
    if (i + 1 < bits.size())
      bits[i] |= bits[i + 1] << (word_bits - shift);
  }
}

/// Length of the run of set bits at the bottom.
std::uint64_t applied_run(const origin_record& record) {
  std::uint64_t run = 0;
  for (auto word : record.bits) {
    run += static_cast<std::uint64_t>(std::countr_one(word));
    if (word != ~std::uint64_t{0})
      break;
  }
  return run;
}

} // namespace

bool is_applied(const origin_record& record, std::uint64_t sequence) noexcept {
  if (sequence <= record.floor)
    return true;
  const auto place = sequence - record.floor - 1;
  const auto word = place / word_bits;
  return word < record.bits.size() &&
         (record.bits[word] >> (place % word_bits) & 1) != 0;
}

void mark(origin_record& record, std::uint64_t sequence) {
  if (sequence <= record.floor)
    return;
  // Commands mostly come in order: then there is a floor and nothing else.
  if (record.bits.empty() && sequence == record.floor + 1) {
    record.floor = sequence;
    return;
  }
  if (const auto ahead = sequence - record.floor; ahead > idempotency_window)
    raise_floor(record, ahead - idempotency_window);
  const auto place = sequence - record.floor - 1;
  const auto word = static_cast<std::size_t>(place / word_bits);
  if (word >= record.bits.size())
    record.bits.resize(word + 1);
  record.bits[word] |= std::uint64_t{1} << (place % word_bits);
  if (const auto run = applied_run(record); run != 0)
    raise_floor(record, run);
  while (!record.bits.empty() && record.bits.back() == 0)
    record.bits.pop_back();
}

std::vector<std::uint64_t>
silent_origins(std::vector<std::pair<std::uint64_t, origin_record>> origins,
               timestamp now, milliseconds idle) {
  std::vector<std::uint64_t> silent;
  if (origins.size() <= origins_kept)
    return silent;
  std::sort(origins.begin(), origins.end(), [](const auto& a, const auto& b) {
    return std::pair{a.second.used, a.first} <
           std::pair{b.second.used, b.first};
  });
  origins.resize(origins.size() - origins_kept);
  for (const auto& [id, record] : origins)
    if (record.used + idle < now)
      silent.push_back(id);
  return silent;
}

} // namespace troupe::core
