// SPDX-License-Identifier: Apache-2.0
#include "app/audit_metrics.hpp"

namespace troupe::app {

void add_audit(metrics_writer& out, const storage::audit::recorder& log) {
  const auto now = log.stats();
  const auto view = log.view();
  std::uint64_t bytes = 0;
  for (const auto& each : view.segments)
    bytes += each.bytes;
  out.counter("troupe_audit_records_total", "Audit records written.",
              now.records);
  out.counter("troupe_audit_dropped_total",
              "Audit records lost for want of room in the queue.", now.dropped);
  out.counter("troupe_audit_written_bytes_total",
              "Bytes of audit records written.", now.bytes);
  out.counter("troupe_audit_flushes_total", "Flushes of the audit log.",
              now.flushes);
  out.counter("troupe_audit_segments_removed_total",
              "Segments of the audit log removed by retention.",
              now.segments_removed);
  out.gauge("troupe_audit_bytes", "Bytes of the audit log.", bytes);
  out.gauge("troupe_audit_queued_records",
            "Audit records that are not written yet.", now.queued_records);
  out.gauge("troupe_audit_queued_bytes", "Bytes that these take.",
            now.queued_bytes);
  out.gauge("troupe_audit_lag_milliseconds",
            "Age of the oldest audit record that is not written yet.",
            static_cast<std::uint64_t>(now.lag.count()));
  out.gauge("troupe_audit_stuck",
            "1 while the audit log waits for room on the disk.",
            now.stuck ? 1 : 0);
}

} // namespace troupe::app
