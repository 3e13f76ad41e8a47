// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/raft.hpp"
#include "core/ids.hpp"
#include "core/inbox_store.hpp"
#include "core/json_text.hpp"

#include <chrono>
#include <functional>
#include <vector>

/// What several actors say alike at the debug endpoint (docs/admin.md).
namespace troupe::actors {

/// What an actor waits for the answer of one that it asks about itself.
constexpr std::chrono::seconds inspection_timeout{2};

/// Members leader, term, commit, applied, log_first, log_last, voters and
/// learners of a replica; followers if it leads.
void describe_raft(core::json_writer& out, const cluster::raft& raft);

/// Members messages, bytes, first, last, lost_through and oldest of an inbox.
void describe_head(core::json_writer& out, const core::inbox_head& head,
                   const core::inbox_store& tables);

/// Member devices of an inbox. Who is connected is never shown as inactive.
void describe_devices(core::json_writer& out, const core::inbox_head& head,
                      const std::vector<core::device_offset>& connected,
                      const std::function<bool(const core::cursor&)>& inactive);

} // namespace troupe::actors
