// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/broker_world.hpp"

#include <algorithm>
#include <array>

namespace troupe::cluster::simulation {

using namespace std::chrono_literals;

void broker_world::faults() {
  after(20ms + up_to(2 * fault_period_), [this] {
    if (healed_)
      return;
    fault();
    faults();
  });
}

void broker_world::fault() {
  // Leaders have the most to lose.
  auto* leads = leader(static_cast<std::uint16_t>(dice(broker_groups)));
  auto& m =
      leads != nullptr && percent(50) ? machine(leads->node()) : any_machine();
  switch (dice(12)) {
  case 0:
  case 1:
    return crash(m, 20ms + up_to(1500ms));
  case 2:
    return isolate(m.id);
  case 3:
    return split();
  case 4: // one direction of one link
    cut_.insert({m.id, any_machine().id});
    return;
  case 5:
    m.refuses_snapshots = percent(50);
    return;
  case 6:
    if (pauses_ && m.up) {
      ++result_.pauses;
      m.paused_until = now_ + 50ms + up_to(2s);
    }
    return;
  case 7:
    m.slow_until = now_ + up_to(800ms);
    return;
  case 8:
    if (jumps_clocks_)
      jump_clock(m);
    return;
  case 9: { // no segment is ready
    m.log.stuck = true;
    on(m, up_to(200ms), [](broker_machine& here) { here.log.stuck = false; });
    return;
  }
  default:
    cut_.clear();
    return;
  }
}

/// Whoever begins to lead is in danger.
void broker_world::greet_leader(broker_machine& m) {
  if (healed_ || calm_ || !percent(greet_percent_))
    return;
  on(m, up_to(3 * link_max_), [this](broker_machine& here) {
    if (healed_)
      return;
    switch (dice(4)) {
    case 0: // later: it is in use just now
    case 1:
      return after(0us, [this, &here] { crash(here, 1ms + up_to(500ms)); });
    case 2:
      if (pauses_)
        here.paused_until = now_ + up_to(1500ms);
      return;
    default:
      isolate(here.id);
      return after(up_to(1500ms), [this] { cut_.clear(); });
    }
  });
}

void broker_world::isolate(core::node_id id) {
  cut_.clear();
  for (const auto& other : machines_) {
    if (other->id == id)
      continue;
    if (percent(75))
      cut_.insert({id, other->id});
    if (percent(75))
      cut_.insert({other->id, id});
  }
}

void broker_world::split() {
  cut_.clear();
  for (const auto& a : machines_)
    for (const auto& b : machines_)
      if (((a->id.value() ^ b->id.value()) & 1U) != 0)
        cut_.insert({a->id, b->id});
}

void broker_world::jump_clock(broker_machine& m) {
  ++result_.clock_jumps;
  const auto by =
      one_of<core::milliseconds>({10ms, 1s, 1min, 2h, 24h * 30, 24h * 400});
  m.clock->offset += percent(50) ? by : -by;
}

/// Moves members and leaders, and lets logs run short, now and then.
void broker_world::steward() {
  after(50ms + up_to(400ms), [this] {
    if (healed_)
      return;
    for (auto& m : machines_) {
      m->log.cramped = compacts_ && percent(60);
      if (!m->up || now_ < m->paused_until)
        continue;
      for (auto& g : m->groups) {
        if (!g->leads())
          continue;
        if (moves_members_ && percent(50))
          change_members(*g);
        else if (percent(8))
          (void)g->consensus().transfer(any_machine().id);
        g->settle();
      }
      service(*m);
    }
    steward();
  });
}

void broker_world::change_members(broker_group& leader) {
  const auto who = any_machine().id;
  auto& core = leader.consensus();
  const auto& members = core.members();
  if (!members.contains(who))
    result_.changes += core.add_learner(who).has_value();
  else if (members.is_learner(who))
    result_.changes += core.promote(who).has_value();
  else if (members.voters.size() > 2)
    result_.changes += core.remove(who).has_value();
}

/// What must hold between replicas at any time.
void broker_world::observe() {
  after(250ms, [this] {
    for (std::uint16_t g = 0; g < broker_groups; ++g)
      for (std::size_t a = 0; a < machines_.size(); ++a)
        for (std::size_t b = a + 1; b < machines_.size(); ++b)
          if (machines_[a]->up && machines_[b]->up)
            oracle_.compare_logs(*machines_[a]->groups[g],
                                 *machines_[b]->groups[g]);
    observe();
  });
}

// ------------------------------------------------------------------ afterwards

void broker_world::heal() {
  healed_ = true;
  cut_.clear();
  loss_percent_ = 0;
  stall_percent_ = 0;
  link_max_ = std::min<duration>(link_max_, 5ms);
  disk_max_ = std::min<duration>(disk_max_, 3ms);
  for (auto& m : machines_) {
    m->log.stuck = false;
    m->slow_until = {};
    m->paused_until = std::min(m->paused_until, now_);
    if (!m->up)
      start(*m);
  }
}

broker_group* broker_world::leader(std::uint16_t group) {
  for (auto& m : machines_)
    if (m->up && m->groups[group]->host().ready())
      return m->groups[group].get();
  return nullptr;
}

/// Every member of every group has applied all there is.
bool broker_world::settled() {
  for (std::uint16_t g = 0; g < broker_groups; ++g) {
    auto* first = leader(g);
    if (first == nullptr)
      return false;
    for (auto& m : machines_)
      if (first->consensus().members().contains(m->id) &&
          m->groups[g]->consensus().applied() < first->consensus().applied())
        return false;
  }
  return true;
}

void broker_world::check_end() {
  clients_.stop();
  for (int i = 0; i < 120 && !clients_.idle(); ++i)
    run_until(now_ + 250ms);
  if (!clients_.idle())
    return broken("no progress after everything healed");
  clients_.read_everything();
  for (int i = 0; i < 120 && !(clients_.idle() && settled()); ++i)
    run_until(now_ + 250ms);
  if (oracle_.violated())
    return;
  if (!clients_.idle())
    return broken("no reads after everything healed");
  if (!settled())
    return broken("a member lacks what was agreed upon");
  for (std::uint16_t g = 0; g < broker_groups; ++g) {
    const auto& first = *leader(g);
    if (first.consensus().applied() < oracle_.newest(core::group_id{g}))
      return broken("what was agreed upon is gone");
    for (auto& m : machines_) {
      const auto& other = *m->groups[g];
      if (other.consensus().applied() == first.consensus().applied())
        oracle_.compare_contents(first, other);
    }
  }
}

// ------------------------------------------------------------------------
// names

namespace {

struct named {
  broker_mutation mutation;
  std::string_view name;
};
constexpr std::array names{
    named{broker_mutation::none, "none"},
    named{broker_mutation::reads_unconfirmed, "reads_unconfirmed"},
    named{broker_mutation::reads_anywhere, "reads_anywhere"},
    named{broker_mutation::duplicates_applied, "duplicates_applied"},
    named{broker_mutation::snapshot_without_origins,
          "snapshot_without_origins"},
    named{broker_mutation::origins_end_by_clock, "origins_end_by_clock"},
    named{broker_mutation::unknown_taken_for_done, "unknown_taken_for_done"},
    named{broker_mutation::answer_when_proposed, "answer_when_proposed"},
};

} // namespace

std::string_view to_string(broker_mutation m) {
  for (const auto& n : names)
    if (n.mutation == m)
      return n.name;
  return "unknown";
}

std::optional<broker_mutation> find_broker_mutation(std::string_view name) {
  for (const auto& n : names)
    if (n.name == name)
      return n.mutation;
  return std::nullopt;
}

void broker_result::add(const broker_result& other) {
  operations += other.operations;
  unknown += other.unknown;
  repeated += other.repeated;
  duplicates += other.duplicates;
  elections += other.elections;
  changes += other.changes;
  snapshots += other.snapshots;
  crashes += other.crashes;
  torn += other.torn;
  clock_jumps += other.clock_jumps;
  pauses += other.pauses;
  checker_steps += other.checker_steps;
}

} // namespace troupe::cluster::simulation
