// SPDX-License-Identifier: Apache-2.0
#include "actors/leader_board.hpp"

#include "cluster/wire_bytes.hpp"

namespace troupe::actors {
namespace {

constexpr std::uint8_t version = 1;

} // namespace

leader_board::leader_board(std::size_t groups)
    : leaders_(groups), terms_(groups) {}

core::shared_bytes leader_board::encode(const std::vector<led_group>& led) {
  cluster::byte_writer out{2 + led.size() * 10};
  out.put(version);
  for (const auto& one : led) {
    out.put(one.group.value());
    out.put(one.term.value());
  }
  return core::shared_bytes::copy_of(out.view());
}

bool leader_board::take(core::node_id from, core::bytes_view bytes,
                        const std::function<void(core::group_id)>& changed) {
  cluster::byte_reader in{bytes};
  if (in.take<std::uint8_t>() != version)
    return false;
  while (in.ok() && in.remaining() > 0) {
    const core::group_id group{in.take<std::uint16_t>()};
    const core::term term{in.take<std::uint64_t>()};
    if (!in.ok() || group.value() >= terms_.size())
      return false;
    auto& newest = terms_[group.value()];
    if (term < newest)
      continue;
    newest = term;
    const auto before = leaders_[group.value()].exchange(
        from.value(), std::memory_order_relaxed);
    if (changed && before != from.value())
      changed(group);
  }
  return in.ok();
}

} // namespace troupe::actors
