// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn/channel.hpp"

#include "core/own_topics.hpp"

#include <array>
#include <vector>

namespace troupe::net::zenconn {
namespace {

constexpr std::string_view own_space = "$zenconn";

void split(std::string_view bytes, std::vector<std::string_view>& to) {
  for (;;) {
    const auto end = bytes.find('/');
    to.push_back(bytes.substr(0, end));
    if (end == std::string_view::npos)
      return;
    bytes.remove_prefix(end + 1);
  }
}

core::error no_name() {
  return {core::errc::name_invalid, "no name of a channel"};
}

} // namespace

core::result<core::topic> topic_of(std::string_view channel) {
  std::vector<std::string_view> levels;
  if (channel == everybody) {
    levels = {own_space, "all"};
  } else if (is_private(channel)) {
    levels = {own_space, "private"};
    const auto name = channel.substr(private_prefix.size());
    if (name.empty())
      return no_name();
    split(name, levels);
  } else {
    if (channel.empty() || channel.front() == '$')
      return no_name();
    split(channel, levels);
  }
  return core::topic::of(levels);
}

core::result<core::topic> question_topic(std::string_view channel) {
  const std::array levels{core::own_level, own_space.substr(1),
                          std::string_view{"members"}, channel};
  return core::topic::of(levels);
}

core::topic answer_topic(core::node_id node, std::size_t floor) {
  const auto of = std::to_string(node.value());
  const auto at = std::to_string(floor);
  const std::array levels{core::own_level, own_space.substr(1),
                          std::string_view{"counted"}, std::string_view{of},
                          std::string_view{at}};
  // Short, so it is one.
  return *core::topic::of(levels);
}

} // namespace troupe::net::zenconn
