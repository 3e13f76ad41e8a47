// SPDX-License-Identifier: Apache-2.0
#include "net/identity/live_rights.hpp"

#include "actors/runtime/loop.hpp"
#include "core/assert.hpp"

#include <cstddef>
#include <utility>

namespace troupe::net::identity {
namespace {

/// Changes take effect within a second, the way of a command included.
constexpr core::milliseconds look_every{500};
/// Then others have their turn.
constexpr std::size_t told_in_a_turn = 256;

} // namespace

/// The watchers of one loop; used on its thread only.
struct live_rights::place : std::enable_shared_from_this<place> {
  place(actors::runtime::loop& on, const core::authorizer& by)
      : home(on), judge(by), epoch_seen(by.epoch()) {}

  actors::runtime::loop& home;
  const core::authorizer& judge;
  std::list<watcher*> all;
  std::uint64_t epoch_seen;
  /// Who is told next of the last change; all.end(): everybody knows.
  std::list<watcher*>::iterator next = all.end();
  bool looking = false;
};

live_rights::hold::hold(hold&& other) noexcept
    : where_(std::move(other.where_)), at_(other.at_) {}

live_rights::hold& live_rights::hold::operator=(hold&& other) noexcept {
  if (this != &other) {
    end();
    where_ = std::move(other.where_);
    at_ = other.at_;
  }
  return *this;
}

void live_rights::hold::end() noexcept {
  const auto here = std::exchange(where_, nullptr);
  if (!here)
    return;
  if (here->next == at_)
    ++here->next;
  here->all.erase(at_);
}

live_rights::hold live_rights::watch(watcher& who) {
  auto* home = actors::runtime::loop::current();
  TROUPE_ASSERT(home != nullptr, "watchers live on loops");
  std::shared_ptr<place> here;
  {
    const std::lock_guard lock{mutex_};
    auto& kept = places_[home];
    if (!kept)
      kept = std::make_shared<place>(*home, judge_);
    here = kept;
  }
  if (!std::exchange(here->looking, true)) {
    here->epoch_seen = judge_.epoch();
    look(here);
  }
  // In front: who comes while others are told knows already.
  here->all.push_front(&who);
  return hold{here, here->all.begin()};
}

void live_rights::look(const std::shared_ptr<place>& here) {
  const auto epoch = here->judge.epoch();
  if (here->next == here->all.end() &&
      std::exchange(here->epoch_seen, epoch) != epoch) {
    here->next = here->all.begin();
    tell_some(here);
  }
  here->home.call_at(here->home.clock().now() + look_every, std::weak_ptr{here},
                     [](place& alive) {
                       // Nobody is left; the next one begins anew.
                       if (alive.all.empty())
                         alive.looking = false;
                       else
                         look(alive.shared_from_this());
                     });
}

void live_rights::tell_some(const std::shared_ptr<place>& here) {
  for (std::size_t i = 0; i < told_in_a_turn && here->next != here->all.end();
       ++i) {
    auto* who = *here->next++;
    who->on_rights_changed(); // may end holds, this one or another
  }
  if (here->next != here->all.end())
    here->home.post([weak = std::weak_ptr{here}] {
      if (const auto alive = weak.lock())
        tell_some(alive);
    });
}

} // namespace troupe::net::identity
