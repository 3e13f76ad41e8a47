// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/raft.hpp"

#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::cluster {

/// One replica, fed by hand. Collects what it sends; writes land on demand.
class lone_core {
public:
  lone_core(std::uint32_t self, const configuration& members,
            raft_options options = {})
      : core(core::group_id{3}, core::node_id{self}, options,
             [] { return std::uint64_t{0}; }) {
    core.start(bootstrap(members), now);
    take();
  }

  void take() {
    while (core.has_output()) {
      auto out = core.take_output();
      if (out.write)
        writes.push_back(*std::move(out.write));
      for (auto& m : out.messages)
        sent.push_back(std::move(m));
      for (auto& c : out.committed)
        committed.push_back(std::move(c));
      reads.insert(reads.end(), out.reads.begin(), out.reads.end());
      if (out.install)
        install = std::move(out.install);
    }
  }
  void step(std::uint32_t from, message m) {
    core.step(core::node_id{from}, std::move(m), now);
    take();
  }
  void tick(core::steady_time::duration later) {
    core.tick(now += later);
    take();
  }
  /// Writes up to the n-th handed out (from 1) have landed; all by default.
  void flush(std::size_t n = 0) {
    core.persisted(writes[(n == 0 ? writes.size() : n) - 1].sequence);
    take();
  }

  /// The newest message of kind M that was sent, if any.
  template <class M>
  std::optional<M> last_sent() const {
    for (auto it = sent.rbegin(); it != sent.rend(); ++it)
      if (const auto* m = std::get_if<M>(&it->message))
        return *m;
    return std::nullopt;
  }

  core::steady_time now{std::chrono::seconds{10}};
  raft core;
  std::vector<write_batch> writes;
  std::vector<outgoing> sent;
  std::vector<committed_entry> committed;
  std::vector<read_answer> reads;
  std::optional<snapshot_meta> install;
};

/// An append request of `term` behind (`previous`, `previous_term`).
inline append_request append_of(std::uint64_t term, std::uint64_t previous,
                                std::uint64_t previous_term,
                                std::initializer_list<std::uint64_t> terms,
                                std::uint64_t commit = 0) {
  append_request m;
  m.term = core::term{term};
  m.previous = core::log_index{previous};
  m.previous_term = core::term{previous_term};
  m.commit = core::log_index{commit};
  for (const auto t : terms)
    m.entries.push_back({core::term{t}, entry_kind::command,
                         core::shared_bytes::copy_of("command")});
  return m;
}

} // namespace troupe::cluster
