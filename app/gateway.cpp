// SPDX-License-Identifier: Apache-2.0
#include "app/gateway.hpp"

#include "actors/runtime/loop.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/session_actor.hpp"
#include "core/authorizer.hpp"

#include <caf/send.hpp>

#include <chrono>
#include <utility>

namespace troupe::app {
namespace {

constexpr std::chrono::milliseconds look_interval{250};
constexpr std::size_t judged_in_a_turn = 256;

} // namespace

/// Keeps a session reachable for the admin listener while its connection
/// lives.
class actor_gateway::port final : public net::session_port {
public:
  port(std::shared_ptr<keeper> of, std::uint64_t number,
       actors::session_actor session,
       std::shared_ptr<actors::session_line> line, std::string address)
      : keeper_(std::move(of)), number_(number), session_(std::move(session)),
        line_(std::move(line)), address_(std::move(address)) {
    keeper_->all.emplace(number_, this);
  }
  ~port() override { keeper_->all.erase(number_); }
  port(const port&) = delete;
  port& operator=(const port&) = delete;

  void send(std::vector<core::session_command> commands) override {
    caf::anon_send(session_, actors::session_commands{std::move(commands)});
  }

  void close() override {
    line_->link = nullptr;
    std::vector<core::session_command> last;
    last.emplace_back(core::close_session{});
    send(std::move(last));
  }

  [[nodiscard]] const actors::session_actor& session() const {
    return session_;
  }
  [[nodiscard]] const actors::session_line& line() const { return *line_; }

  /// Ends the session if its user may not be here any more.
  void judge_by(const core::authorizer& judge) const {
    if (line_->uid.empty())
      return;
    core::principal who;
    who.uid = line_->uid;
    who.by = core::credential_kind::device;
    who.address = address_;
    const auto why = judge.standing(who);
    if (why == core::deny_reason::none)
      return;
    core::rights_stats::count(judge.stats().sessions_ended, why);
    caf::anon_send(session_,
                   actors::session_stop{{core::errc::not_permitted, {}}});
  }

private:
  std::shared_ptr<keeper> keeper_;
  std::uint64_t number_;
  actors::session_actor session_;
  std::shared_ptr<actors::session_line> line_;
  std::string address_;
};

actor_gateway::actor_gateway(caf::actor_system& system,
                             actors::broker_context& context, std::size_t loops)
    : system_(system), context_(context) {
  for (std::size_t i = 0; i < loops; ++i)
    keepers_.push_back(std::make_shared<keeper>());
}

actor_gateway::~actor_gateway() = default;

std::unique_ptr<net::session_port>
actor_gateway::open(actors::runtime::loop& home, core::session_link& link,
                    const net::connection_info& info) {
  auto line = std::make_shared<actors::session_line>();
  line->link = &link;
  actors::session_deps deps;
  deps.context = &context_;
  deps.line = line;
  deps.number = info.id.value();
  deps.peer = to_string(info.peer);
  auto address = net::unmapped(info.peer.address).to_string();
  deps.address = address;
  deps.protocol = info.protocol;
  auto session = actors::runtime::spawn_pinned<actors::session_actor,
                                               actors::session_state>(
      system_, &home, actors::session_behavior, std::move(deps));
  return std::make_unique<port>(keepers_[home.index()], info.id.value(),
                                std::move(session), std::move(line),
                                std::move(address));
}

std::unordered_map<std::uint64_t, actor_gateway::identity>
actor_gateway::identities(std::size_t loop) const {
  std::unordered_map<std::uint64_t, identity> all;
  for (const auto& [number, each] : keepers_[loop]->all)
    if (!each->line().uid.empty())
      all.emplace(number,
                  identity{each->line().uid, each->line().device.value()});
  return all;
}

actors::session_actor actor_gateway::find(std::size_t loop,
                                          std::uint64_t connection) const {
  const auto& all = keepers_[loop]->all;
  const auto at = all.find(connection);
  return at == all.end() ? actors::session_actor{} : at->second->session();
}

// -------------------------------------------------------------------- rights

void actor_gateway::watch_rights(
    const std::vector<actors::runtime::loop*>& loops) {
  if (context_.authorizer == nullptr)
    return;
  for (auto* home : loops)
    home->post([of = keepers_[home->index()], home,
                judge = context_.authorizer] { look(of, *home, *judge); });
}

void actor_gateway::look(const std::shared_ptr<keeper>& of,
                         actors::runtime::loop& home,
                         const core::authorizer& judge) {
  const auto epoch = judge.epoch();
  if (of->to_judge.empty() && of->epoch_seen != epoch) {
    of->epoch_judged = epoch;
    for (const auto& [number, each] : of->all)
      of->to_judge.push_back(number);
    judge_some(of, home, judge);
  }
  home.call_at(home.clock().now() + look_interval, std::weak_ptr{of},
               [&home, &judge](keeper& alive) {
                 look(alive.shared_from_this(), home, judge);
               });
}

/// A part of them, then others have their turn. Whoever came meanwhile was
/// judged at his login.
void actor_gateway::judge_some(const std::shared_ptr<keeper>& of,
                               actors::runtime::loop& home,
                               const core::authorizer& judge) {
  for (std::size_t i = 0; i < judged_in_a_turn && !of->to_judge.empty(); ++i) {
    const auto at = of->all.find(of->to_judge.back());
    of->to_judge.pop_back();
    if (at != of->all.end())
      at->second->judge_by(judge);
  }
  if (of->to_judge.empty()) {
    of->epoch_seen = of->epoch_judged;
    return;
  }
  home.post([weak = std::weak_ptr{of}, &home, &judge] {
    if (const auto alive = weak.lock())
      judge_some(alive, home, judge);
  });
}

} // namespace troupe::app
