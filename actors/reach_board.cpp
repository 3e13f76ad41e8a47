// SPDX-License-Identifier: Apache-2.0
#include "actors/reach_board.hpp"

#include "cluster/wire_bytes.hpp"

namespace troupe::actors {
namespace {

constexpr std::uint8_t version = 1;

} // namespace

core::shared_bytes reach_board::encode(std::uint32_t nodes) {
  cluster::byte_writer out{5};
  out.put(version);
  out.put(nodes);
  return core::shared_bytes::copy_of(out.view());
}

bool reach_board::take(core::node_id from, core::bytes_view bytes,
                       core::steady_time now) {
  cluster::byte_reader in{bytes};
  if (in.take<std::uint8_t>() != version)
    return false;
  const auto nodes = in.take<std::uint32_t>();
  if (!in.ok() || in.remaining() > 0)
    return false;
  const std::lock_guard lock{mutex_};
  words_[from] = {nodes, now};
  return true;
}

void reach_board::set_own(std::uint32_t nodes) {
  const std::lock_guard lock{mutex_};
  own_ = nodes;
}

std::optional<std::uint32_t>
reach_board::reach_of(core::node_id node, core::steady_time now) const {
  const auto at = words_.find(node);
  if (at == words_.end() || now - at->second.said > memory)
    return std::nullopt;
  return at->second.nodes;
}

bool reach_board::reaches_less(core::node_id node,
                               core::steady_time now) const {
  const std::lock_guard lock{mutex_};
  return reach_of(node, now).value_or(own_) < own_;
}

std::optional<core::node_id>
reach_board::reaches_most(const std::vector<core::node_id>& of,
                          core::steady_time now) const {
  const std::lock_guard lock{mutex_};
  std::optional<core::node_id> best;
  auto most = own_;
  for (const auto node : of)
    if (const auto reach = reach_of(node, now); reach && *reach > most) {
      best = node;
      most = *reach;
    }
  return best;
}

} // namespace troupe::actors
