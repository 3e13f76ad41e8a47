// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/broker_world.hpp"

#include <algorithm>

namespace troupe::cluster::simulation {

using namespace std::chrono_literals;

broker_world::broker_world(std::uint64_t seed, const broker_options& options)
    : options_(options), random_(seed * 0x9E3779B97F4A7C15ULL + 11),
      clients_(*this, options.host_mutation) {
  draw_habits();
  const auto nodes = one_of<std::uint32_t>({3, 3, 3, 4, 5});
  const auto voters = one_of<std::uint32_t>({3, 3, nodes, nodes > 3 ? 2U : 3U});
  for (std::uint32_t i = 1; i <= voters; ++i)
    founders_.voters.emplace_back(i);
  for (std::uint32_t i = 1; i <= nodes; ++i) {
    auto m = std::make_unique<broker_machine>();
    m->id = core::node_id{i};
    m->founds = i <= voters;
    m->clock =
        std::make_unique<broker_clock>(now_, 95 + static_cast<int>(dice(11)));
    m->log.on_durable = [&m = *m](core::group_id group, std::uint64_t write) {
      m.groups[group.value()]->host().persisted(write);
    };
    for (std::uint16_t g = 0; g < broker_groups; ++g)
      m->groups.push_back(std::make_unique<broker_group>(
          m->id, core::group_id{g}, *m->clock, m->log, *this));
    machines_.push_back(std::move(m));
  }
}

/// Every seed has habits of its own: what is rare in one is common in another.
void broker_world::draw_habits() {
  auto& o = raft_options_;
  o.lease = options_.lease;
  o.mutation = options_.mutation;
  o.message_bytes_max = one_of<std::size_t>({1, 400, 256 * 1024});
  o.window_entries = one_of<std::uint64_t>({2, 20, 200});
  o.keep_entries = one_of<std::uint64_t>({0, 5, 50});
  o.snapshot_answer_timeout = 1s;
  if (percent(60)) {
    o.election_timeout_min = 200ms;
    o.election_timeout_max = 400ms;
    o.heartbeat = 50ms;
  }
  link_max_ = one_of<duration>({1ms, 5ms, 30ms, 100ms});
  disk_max_ = one_of<duration>({1ms, 5ms, 25ms});
  fault_period_ = one_of<duration>({200ms, 500ms, 1s, 3s});
  loss_percent_ = one_of({0, 0, 1, 5, 15});
  stall_percent_ = one_of({0, 1, 5, 20});
  twice_percent_ = one_of({0, 2, 20});
  greet_percent_ = one_of({0, 20, 50});
  in_order_ = percent(70);
  moves_members_ = percent(60);
  jumps_clocks_ = percent(60);
  pauses_ = percent(60);
  compacts_ = percent(75);
}

// ------------------------------------------------------------------------ time

void broker_world::after(duration d, std::function<void()> run) {
  queue_.push({now_ + d, order_++, std::move(run)});
}

void broker_world::run_until(core::steady_time end) {
  while (!queue_.empty() && queue_.top().at <= end && !oracle_.violated()) {
    auto next = queue_.top();
    queue_.pop();
    now_ = next.at;
    next.run();
  }
  now_ = std::max(now_, end);
}

void broker_world::on(broker_machine& m, duration d, machine_function what,
                      bool any_life) {
  after(d, [this, &m, life = m.incarnation, any_life, what = std::move(what)] {
    run_on(m, life, any_life, what);
  });
}

void broker_world::run_on(broker_machine& m, std::uint32_t life, bool any_life,
                          const machine_function& what) {
  if (!m.up || (m.incarnation != life && !any_life))
    return;
  if (now_ < m.paused_until) {
    queue_.push({m.paused_until, order_++, [this, &m, life, any_life, what] {
                   run_on(m, life, any_life, what);
                 }});
    return;
  }
  what(m);
  service(m);
}

/// Starts what the last event of a machine asks for.
void broker_world::service(broker_machine& m) {
  if (m.log.wants_flush())
    flush(m);
  for (auto& g : m.groups) {
    for (const auto to : g->take_orders())
      on(m, up_to(150ms),
         [to, &g](broker_machine&) { g->send_snapshot_now(to); });
    const auto number = g->group().value();
    if (g->wants_install() &&
        m.installing.insert({number, m.incarnation}).second)
      on(m, up_to(200ms), [this, &g, number](broker_machine& here) {
        here.installing.erase({number, here.incarnation});
        const bool works = healed_ || !percent(10);
        result_.snapshots += works ? 1 : 0;
        g->finish_install(works);
      });
    if (!g->leads())
      continue;
    if (greeted_.insert({number, g->consensus().current_term()}).second) {
      oracle_.leads(*g);
      greet_leader(m);
    } else if (dice(16) == 0) {
      oracle_.leads(*g);
    }
  }
}

void broker_world::flush(broker_machine& m) {
  m.log.begin_flush();
  auto takes = percent(stall_percent_) ? duration{50ms} + up_to(350ms)
                                       : 100us + up_to(disk_max_);
  if (now_ < m.slow_until)
    takes += std::chrono::duration_cast<duration>(m.slow_until - now_);
  on(m, takes, [](broker_machine& here) { here.log.finish_flush(); });
}

// -------------------------------------------------------------------- machines

void broker_world::start(broker_machine& m) {
  m.up = true;
  ++m.incarnation;
  if (!m.log.recover())
    return broken("node " + std::to_string(m.id.value()) + ": " + m.log.why());
  for (auto& g : m.groups)
    g->start(raft_options_, m.founds ? std::optional{founders_} : std::nullopt,
             m.log.found(g->group()), random_());
  service(m);
  tick(m);
  commit_state(m);
  sweep(m);
}

void broker_world::crash(broker_machine& m, duration outage) {
  if (!m.up)
    return;
  ++result_.crashes;
  m.up = false;
  m.paused_until = {};
  m.installing.clear();
  for (auto& g : m.groups)
    g->crash();
  m.log.crash(random_);
  after(outage, [this, &m] {
    if (!m.up)
      start(m);
  });
}

void broker_world::tick(broker_machine& m) {
  on(m, 50ms + up_to(4ms), [this](broker_machine& here) {
    for (auto& g : here.groups) {
      g->host().tick();
      g->settle();
    }
    tick(here);
  });
}

void broker_world::commit_state(broker_machine& m) {
  on(m, 20ms + up_to(250ms), [this](broker_machine& here) {
    here.groups[dice(broker_groups)]->commit_state();
    commit_state(here);
  });
}

void broker_world::sweep(broker_machine& m) {
  on(m, 100ms + up_to(500ms), [this](broker_machine& here) {
    auto& shard = *here.groups[data_shard.value()];
    if (shard.leads())
      shard.sweep();
    sweep(here);
  });
}

// -------------------------------------------------------------------- messages

void broker_world::transmit(broker_packet packet) {
  if (packet.to.value() == 0 || packet.to.value() > machines_.size())
    return;
  if (packet.contents && !healed_ && machine(packet.from).refuses_snapshots)
    return;
  const int copies = percent(twice_percent_) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    if (lose() || cut(packet.from, packet.to))
      continue;
    auto arrival = now_ + 50us + up_to(link_max_);
    auto& newest = newest_arrival_[{packet.from, packet.to}];
    if (in_order_)
      arrival = std::max(arrival, newest);
    newest = std::max(arrival, newest);
    deliver(packet, std::chrono::duration_cast<duration>(arrival - now_));
  }
}

void broker_world::deliver(const broker_packet& packet, duration d) {
  on(
      machine(packet.to), d,
      [this, packet](broker_machine& here) {
        if (!cut(packet.from, packet.to))
          here.groups[packet.group.value()]->receive(packet);
      },
      true);
}

void broker_world::ask(core::node_id node, const broker_request& request) {
  auto& m = machine(node);
  const int copies = percent(twice_percent_) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    if (lose())
      continue;
    // A late copy may meet the next life of the node.
    const auto d = 50us + up_to(i == 0 ? link_max_ : 10 * link_max_);
    on(
        m, d,
        [request](broker_machine& here) {
          here.groups[request.group.value()]->take(request);
        },
        true);
  }
}

void broker_world::reply(broker_answer answer) {
  if (lose())
    return;
  after(50us + up_to(link_max_),
        [this, answer = std::move(answer)] { clients_.on_answer(answer); });
}

// ------------------------------------------------------------------------- run

broker_result broker_world::run() {
  for (auto& m : machines_)
    start(*m);
  clients_.start();
  const auto patience = now_ + 600s;
  while (!clients_.ready() && !oracle_.violated()) {
    run_until(now_ + 50ms);
    if (now_ > patience)
      broken("no progress before anything went wrong, with " +
             std::string{leader(1) != nullptr ? "a" : "no"} +
             " leader, after " + std::to_string(oracle_.elections()) +
             " elections");
  }
  calm_ = false;
  faults();
  steward();
  observe();
  run_until(now_ + options_.duration);
  heal();
  check_end();
  clients_.check();
  result_.violation = oracle_.violated();
  result_.operations = clients_.answered();
  result_.unknown = clients_.unknown();
  result_.repeated = clients_.repeated();
  result_.checker_steps = clients_.checker_steps();
  result_.elections = oracle_.elections();
  result_.duplicates = oracle_.duplicates();
  for (const auto& m : machines_)
    result_.torn += m->log.torn();
  return result_;
}

broker_result run_broker(std::uint64_t seed, const broker_options& options) {
  return broker_world{seed, options}.run();
}

} // namespace troupe::cluster::simulation
