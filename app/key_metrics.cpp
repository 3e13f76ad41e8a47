// SPDX-License-Identifier: Apache-2.0
#include "app/key_metrics.hpp"

#include <cstddef>
#include <cstdint>

namespace troupe::app {

void add_keys(metrics_writer& out, const actors::broker_context& context) {
  std::uint64_t keys = 0;
  std::uint64_t bytes = 0;
  for (std::size_t group = 1; group < context.views.size(); ++group) {
    const auto& view = context.views[group];
    if (!view.leads.load(std::memory_order_relaxed))
      continue;
    keys += view.keys.load(std::memory_order_relaxed);
    bytes += view.key_bytes.load(std::memory_order_relaxed);
  }
  out.gauge("troupe_keys", "Retained keys of the shards led here.", keys);
  out.gauge("troupe_key_bytes", "Bytes of these.", bytes);
  const auto& s = context.stats;
  out.counter("troupe_keys_set_total", "Keys set by who asked here.",
              s.keys_set);
  out.counter("troupe_keys_cleared_total", "Keys cleared by who asked here.",
              s.keys_cleared);
  constexpr const char* refused = "troupe_keys_refused_total";
  out.family(refused, "counter",
             "Keys that could not be set or cleared, by reason.");
  out.sample(refused, "reason", "full", s.keys_refused_full);
  out.sample(refused, "reason", "invalid", s.keys_refused_invalid);
  out.sample(refused, "reason", "other", s.keys_refused_other);
  out.counter("troupe_key_pages_total", "Pages of keys read here.",
              s.key_pages);
  out.counter("troupe_key_reads_repeated_total",
              "Questions to shards that were asked again.",
              s.key_reads_repeated);
  out.counter("troupe_key_reads_incomplete_total",
              "Shards that could not be read in time.", s.key_reads_incomplete);
  out.counter("troupe_key_frames_unusable_total",
              "Frames about keys of other nodes that could not be read.",
              s.key_frames_unusable);
}

} // namespace troupe::app
