// SPDX-License-Identifier: Apache-2.0
#include "actors/door_board.hpp"

#include "cluster/wire_bytes.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace troupe::actors {
namespace {

constexpr std::uint8_t version = 1;

} // namespace

bool is_door_text(std::string_view text) {
  return text.size() <= door_board::text_max &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c < '\x7f'; });
}

void door_board::set_own(std::string text) {
  const std::lock_guard lock{mutex_};
  own_ = std::move(text);
}

core::shared_bytes door_board::word(bool draining) const {
  const std::lock_guard lock{mutex_};
  cluster::byte_writer out{own_.size() + 1};
  out.put(version);
  if (!draining)
    out.put(core::as_bytes(own_));
  return core::shared_bytes::copy_of(out.view());
}

bool door_board::take(core::node_id from, core::bytes_view bytes,
                      core::steady_time now) {
  cluster::byte_reader in{bytes};
  if (in.take<std::uint8_t>() != version || !in.ok())
    return false;
  const auto text = core::as_text(bytes.subspan(1));
  if (!is_door_text(text))
    return false;
  const std::lock_guard lock{mutex_};
  if (text.empty())
    told_.erase(from);
  else
    told_[from] = {std::string{text}, now};
  return true;
}

std::string door_board::others(core::steady_time now) const {
  const std::lock_guard lock{mutex_};
  std::vector<std::string_view> all;
  for (const auto& [node, each] : told_)
    if (now - each.said <= memory)
      all.push_back(each.text);
  if (!all.empty())
    std::rotate(all.begin(),
                all.begin() + static_cast<std::ptrdiff_t>(turn_++ % all.size()),
                all.end());
  std::string text;
  for (const auto each : all)
    text.append(text.empty() ? "" : " ").append(each);
  return text;
}

} // namespace troupe::actors
