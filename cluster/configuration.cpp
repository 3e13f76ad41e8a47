// SPDX-License-Identifier: Apache-2.0
#include "cluster/configuration.hpp"

#include "cluster/wire_bytes.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace troupe::cluster {
namespace {

bool holds(const std::vector<core::node_id>& nodes, core::node_id node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

std::vector<core::node_id> sorted(std::vector<core::node_id> nodes) {
  std::sort(nodes.begin(), nodes.end());
  return nodes;
}

void put_nodes(byte_writer& out, const std::vector<core::node_id>& nodes) {
  out.put(static_cast<std::uint16_t>(nodes.size()));
  for (const auto node : nodes)
    out.put(node.value());
}

std::vector<core::node_id> take_nodes(byte_reader& in) {
  std::vector<core::node_id> nodes;
  const auto count = in.take<std::uint16_t>();
  for (unsigned i = 0; i < count && in.ok(); ++i)
    nodes.emplace_back(in.take<std::uint32_t>());
  return nodes;
}

} // namespace

bool configuration::is_voter(core::node_id node) const {
  return holds(voters, node);
}

bool configuration::is_learner(core::node_id node) const {
  return holds(learners, node);
}

void configuration::erase(core::node_id node) {
  std::erase(voters, node);
  std::erase(learners, node);
}

bool is_valid(const configuration& members) {
  if (members.voters.empty())
    return false;
  auto all = members.voters;
  all.insert(all.end(), members.learners.begin(), members.learners.end());
  std::sort(all.begin(), all.end());
  return all.size() <= configuration::members_max &&
         all.front() != core::node_id{} &&
         std::adjacent_find(all.begin(), all.end()) == all.end();
}

bool is_single_step(const configuration& from, const configuration& to) {
  const auto before = sorted(from.voters);
  const auto after = sorted(to.voters);
  std::vector<core::node_id> different;
  std::set_symmetric_difference(before.begin(), before.end(), after.begin(),
                                after.end(), std::back_inserter(different));
  return different.size() <= 1;
}

core::shared_bytes encode(const configuration& members) {
  byte_writer out{4 + 4 * (members.voters.size() + members.learners.size())};
  put_nodes(out, members.voters);
  put_nodes(out, members.learners);
  return core::shared_bytes::copy_of(out.view());
}

core::result<configuration> decode_configuration(core::bytes_view bytes) {
  byte_reader in{bytes};
  configuration members;
  members.voters = take_nodes(in);
  members.learners = take_nodes(in);
  if (!in.done() || !is_valid(members))
    return core::error{core::errc::malformed, "configuration"};
  return members;
}

const configuration& configuration_history::current() const {
  static const configuration none;
  return records_.empty() ? none : records_.back().members;
}

core::log_index configuration_history::current_index() const {
  return records_.empty() ? core::log_index{} : records_.back().index;
}

const configuration_history::record*
configuration_history::at(core::log_index index) const {
  const record* found = nullptr;
  for (const auto& r : records_)
    if (r.index <= index)
      found = &r;
  return found;
}

void configuration_history::append(core::log_index index,
                                   configuration members) {
  truncate(index);
  records_.push_back({index, std::move(members)});
}

void configuration_history::truncate(core::log_index from) {
  while (!records_.empty() && records_.back().index >= from)
    records_.pop_back();
}

void configuration_history::compact(core::log_index through) {
  while (records_.size() > 1 && records_[1].index <= through)
    records_.erase(records_.begin());
}

void configuration_history::reset(core::log_index index,
                                  configuration members) {
  records_.clear();
  records_.push_back({index, std::move(members)});
}

} // namespace troupe::cluster
