// SPDX-License-Identifier: Apache-2.0
#include "actors/runtime/pinned.hpp"

#include "actors/runtime/loop.hpp"
#include "actors/runtime/runtime_config.hpp"
#include "actors/runtime/scheduler.hpp"
#include "core/assert.hpp"

#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>

namespace troupe::actors::runtime {

namespace {

bool is_failure(const caf::error& reason) {
  return reason && reason != caf::exit_reason::normal &&
         reason != caf::exit_reason::user_shutdown &&
         reason != caf::exit_reason::unreachable;
}

std::string text_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    std::terminate(); // as on the loop: nothing can be relied upon any more
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

} // namespace

pinned_part::pinned_part(caf::execution_unit* host, caf::actor_system& system)
    : home_(dynamic_cast<loop*>(host)) {
  TROUPE_ASSERT(home_ != nullptr || scheduler::find(system) == nullptr,
                "a pinned actor needs a home: use spawn_pinned");
}

loop* pinned_part::home() const noexcept { return static_cast<loop*>(home_); }

void pinned_part::enrol_actor(caf::actor_system& system) {
  const auto& config = runtime_config::of(system);
  const auto index = home_ != nullptr ? home()->index() : 0;
  enrol(config.registry().shard(index), config.clock().wall());
}

void pinned_part::end_actor(caf::actor_system& system,
                            const caf::error& reason) {
  auto* where = shard();
  if (where == nullptr)
    return;
  withdraw();
  if (!is_failure(reason))
    return;
  // The state is gone, and with it the path.
  actor_failure failure;
  failure.kind = kind();
  failure.path = failure.kind + "/" + std::to_string(actor_number());
  failure.error = system.render(reason);
  failure.when = runtime_config::of(system).clock().wall();
  where->add_failure(std::move(failure));
}

caf::result<caf::message>
pinned_part::drop_message(pinned_part& self, caf::scheduled_actor* actor,
                          caf::message_view& content) {
  self.count_dropped();
  return caf::drop(actor, content);
}

caf::error pinned_part::report_exception(pinned_part& self,
                                         caf::actor_system& system,
                                         const std::exception_ptr& thrown) {
  const auto& config = runtime_config::of(system);
  actor_failure failure;
  failure.path = self.path();
  failure.kind = self.kind();
  failure.error = text_of(thrown);
  failure.when = config.clock().wall();
  config.report(failure.path, failure.error);
  const auto index = self.home_ != nullptr ? self.home()->index() : 0;
  config.registry().shard(index).add_failure(std::move(failure));
  self.withdraw(); // it ends; end_actor() has nothing to add
  return caf::make_error(caf::sec::runtime_error);
}

void note_error(caf::local_actor& self, std::string_view text) {
  auto* part = dynamic_cast<pinned_part*>(&self);
  TROUPE_ASSERT(part != nullptr, "not a pinned actor");
  part->remember_error(text);
}

void describe_actor(core::json_writer& out, const caf::local_actor& self) {
  const auto* part = dynamic_cast<const pinned_part*>(&self);
  if (part == nullptr)
    return;
  const auto now = runtime_config::of(self.home_system()).clock().wall();
  out.key("actor")
      .begin_object()
      .member("loop",
              std::uint64_t{part->home_ == nullptr ? 0 : part->home()->index()})
      .member("mailbox", part->mailbox_length())
      .member("handled", part->messages_handled())
      .member("dropped", part->messages_dropped())
      .member("age_ms",
              core::to_millis(now) - core::to_millis(part->enrolled()))
      .member("last_error", part->last_error())
      .end_object();
}

loop* home_of(const caf::local_actor& self) noexcept {
  const auto* part = dynamic_cast<const pinned_part*>(&self);
  return part == nullptr ? nullptr : part->home();
}

caf::execution_unit* detail::as_host(loop* home) noexcept { return home; }

} // namespace troupe::actors::runtime
