// SPDX-License-Identifier: Apache-2.0
#include "actors/reach_board.hpp"

#include "cluster/wire_bytes.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace troupe::actors {
namespace {

constexpr std::uint8_t version = 2;
constexpr std::size_t head_bytes = 6;

bool holds(const std::vector<core::node_id>& nodes, core::node_id node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

bool reaches_majority(core::node_id node, const reach_word& word,
                      const std::vector<core::node_id>& voters) {
  const auto reached =
      std::count_if(voters.begin(), voters.end(), [&](core::node_id voter) {
        return voter == node || holds(word.nodes, voter);
      });
  return 2 * static_cast<std::size_t>(reached) > voters.size();
}

} // namespace

core::shared_bytes reach_word::encode() const {
  cluster::byte_writer out{head_bytes + nodes.size() * sizeof(std::uint32_t)};
  out.put(version);
  out.put(static_cast<std::uint8_t>(in_touch));
  out.put(serves);
  for (const auto node : nodes)
    out.put(node.value());
  return core::shared_bytes::copy_of(out.view());
}

core::result<reach_word> reach_word::decode(core::bytes_view bytes) {
  cluster::byte_reader in{bytes};
  if (in.take<std::uint8_t>() != version)
    return core::errc::malformed;
  reach_word word;
  const auto touch = in.take<std::uint8_t>();
  word.in_touch = touch == 1;
  word.serves = in.take<std::uint32_t>();
  const auto count = in.remaining() / sizeof(std::uint32_t);
  if (!in.ok() || touch > 1 || count > nodes_max)
    return core::errc::malformed;
  word.nodes.reserve(count);
  for (std::size_t n = 0; n < count; ++n)
    word.nodes.emplace_back(in.take<std::uint32_t>());
  if (!in.done())
    return core::errc::malformed;
  return word;
}

bool reach_board::take(core::node_id from, core::bytes_view bytes,
                       core::steady_time now) {
  auto word = reach_word::decode(bytes);
  if (!word)
    return false;
  const std::lock_guard lock{mutex_};
  words_[from] = {std::move(*word), now};
  return true;
}

reach_word reach_board::set_own(core::node_id self,
                                std::vector<core::node_id> linked,
                                core::steady_time now) {
  const std::lock_guard lock{mutex_};
  reach_word own;
  std::set<core::node_id> known{linked.begin(), linked.end()};
  known.insert(self);
  for (const auto node : linked)
    if (const auto* word = word_of(node, now)) {
      known.insert(word->nodes.begin(), word->nodes.end());
      own.serves += word->in_touch ? 1 : 0;
    }
  own.in_touch = 2 * (linked.size() + 1) > known.size();
  own.serves += own.in_touch ? 1 : 0;
  own.nodes = std::move(linked);
  own_ = own;
  return own;
}

const reach_word* reach_board::word_of(core::node_id node,
                                       core::steady_time now) const {
  const auto at = words_.find(node);
  if (at == words_.end() || now - at->second.said > memory)
    return nullptr;
  return &at->second.word;
}

bool reach_board::serves_less(core::node_id node, core::steady_time now) const {
  const std::lock_guard lock{mutex_};
  const auto* word = word_of(node, now);
  return word != nullptr && word->serves < own_.serves;
}

bool reach_board::may_win(core::node_id node,
                          const std::vector<core::node_id>& voters,
                          core::steady_time now) const {
  const std::lock_guard lock{mutex_};
  const auto* word = word_of(node, now);
  return word == nullptr || reaches_majority(node, *word, voters);
}

std::optional<core::node_id>
reach_board::serves_most(const std::vector<core::node_id>& of,
                         const std::vector<core::node_id>& voters,
                         core::steady_time now) const {
  const std::lock_guard lock{mutex_};
  std::optional<core::node_id> best;
  auto most = own_.serves;
  for (const auto node : of) {
    const auto* word = word_of(node, now);
    if (word == nullptr || word->serves <= most ||
        !reaches_majority(node, *word, voters))
      continue;
    best = node;
    most = word->serves;
  }
  return best;
}

} // namespace troupe::actors
