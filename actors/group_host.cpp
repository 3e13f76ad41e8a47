// SPDX-License-Identifier: Apache-2.0
#include "actors/group_host.hpp"

#include "actors/inspection.hpp"
#include "storage/fatal.hpp"

#include <utility>

namespace troupe::actors {
namespace {

/// A lone voter needs no heart-beat; the tick then only retries writes.
constexpr core::milliseconds tick_alone{500};
constexpr core::milliseconds tick_replicated{50};

} // namespace

group_host::group_host(std::string name, broker_context& context,
                       replica_deps deps, group_timers timers)
    : name_(std::move(name)), context_(context), group_(deps.group),
      timers_(std::move(timers)),
      replica_(std::make_unique<replica>(
          std::move(deps), [this](const cluster::committed_entry& command) {
            apply(command);
          })) {}

void group_host::start() {
  replica_->start();
  timers_.tick(tick_alone);
}

void group_host::on_tick() {
  replica_->tick();
  const bool alone = replica_->core_state().members().voters.size() <= 1;
  // Also while it retires: a write may wait for room.
  timers_.tick(alone ? tick_alone : tick_replicated);
}

void group_host::settle() {
  replica_->pump();
  if (const auto& broken = replica_->core_state().fatal())
    storage::stop_the_node(name_ + ": " + core::to_string(*broken));
  if (!leads())
    on_deposed();
  if (!counted_ready_ && ready()) {
    counted_ready_ = true;
    context_.groups_ready.fetch_add(1);
  }
}

void group_host::report_retired() { context_.on_retired(group_); }

void group_host::describe(core::json_writer& out) const {
  out.member("leads", leads()).member("ready", ready());
  describe_raft(out, replica_->core_state());
}

} // namespace troupe::actors
