// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/client_line.hpp"
#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/messages.hpp"
#include "actors/names/name_messages.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::actors::names {

struct desk_deps {
  broker_context* context = nullptr;
  core::node_id self; ///< 0: there are no other nodes
  std::size_t loop = 0;
};

/// Owner: the node, one a loop. Lost when it dies: what its clients are told
/// of who takes them over. Mailbox: bounded by the connections of its loop, and
/// by what leaders say about them. Waits for: names_answered, for `patience`.
///
/// A client whose session has no record has a seat here instead of an actor,
/// and its name is claimed at the leader of the name's shard. Whom to ask is
/// the same for all names of a shard: the replica here, then whom that names,
/// then nobody for a pause (attaching.hpp). Who is open stays so while its
/// name is claimed again somewhere else. If there is a record of the name, the
/// client gets an actor after all, which ends that.
struct desk_state {
  static inline const char* name = "desk";
  using pointer = desk_actor::stateful_pointer<desk_state>;

  /// Whoever has not answered by then is asked again.
  static constexpr core::milliseconds patience{5'000};
  /// What found no room in a link is tried again then.
  static constexpr core::milliseconds retry_interval{50};
  /// Names that wait to be given back. Above it they stay until somebody
  /// claims them, or the link ends.
  static constexpr std::size_t freed_max = 65'536;

  explicit desk_state(pointer ptr);
  ~desk_state();
  [[nodiscard]] std::string path() const {
    return "desks/" + std::to_string(loop_);
  }

  void start(const desk_deps& deps);
  void on_arrived(client_arrived& news);
  void on_departed(client_departed& news);
  void on_answered(const names_answered& news);
  void on_taken(const names_taken& news);
  void on_released(const names_released& news);
  void on_cut(const names_cut& news);
  void on_led(const names_led& news);
  void on_deadline_tick();
  void on_retry_tick();
  [[nodiscard]] std::string describe() const;

private:
  enum class claim_state : std::uint8_t {
    wanting, ///< of its name, and nobody is asked
    asked,
    held
  };
  struct seat {
    client_name name;
    std::shared_ptr<client_line> line;
    /// Until its session is open.
    std::shared_ptr<core::open_client> opening;
    name_grant given{};
    core::steady_time answer_due{};
    core::group_id group;
    core::node_id at; ///< who is asked, or has the row; 0: this node
    claim_state state = claim_state::wanting;
    /// The connection is; what is asked for is given back when it comes.
    bool gone = false;
  };
  using seats = std::unordered_map<std::uint64_t, seat>;
  /// Whom to ask for the names of a shard.
  struct direction {
    core::node_id leader{}; ///< 0: the replica here
    bool redirected = false;
    unsigned failures = 0;
    core::errc last_failure = core::errc::ok;
    core::steady_time pause_ends{}; ///< 0: none
  };
  using freed_key = std::pair<core::node_id, core::group_id>;

  direction& way(core::group_id group) { return ways_[group.value()]; }
  [[nodiscard]] bool pauses(core::group_id group) {
    return way(group).pause_ends != core::steady_time{};
  }
  void want(std::uint64_t number, seat& of);
  template <class Condition>
  void want_all(const Condition& condition);
  void ask(core::group_id group, std::vector<std::uint64_t> numbers);
  bool send_claims(core::node_id to, names_claimed claims);
  void take(const names_answered& news, const name_answer& item);
  void on_grant(seat& of, const name_answer& item);
  void on_failure(std::uint64_t number, seat& of, const names_answered& news,
                  core::errc why);
  void pause(core::group_id group, core::errc why);
  void give_back(core::node_id to, core::group_id group, freed_name what);
  void send_freed();
  void open_record(std::uint64_t number, seat& of);
  void end(std::uint64_t number, core::error why);
  void erase(std::uint64_t number);
  /// Asks what has come up while a message was handled.
  void flush();
  void schedule();

  pointer self_;
  broker_context* context_ = nullptr;
  core::node_id own_;
  std::size_t loop_ = 0;
  seats seats_;
  std::vector<direction> ways_; ///< by group
  /// Names to be claimed when this message is done, by group.
  std::vector<std::vector<std::uint64_t>> to_ask_;
  std::vector<core::group_id> asking_; ///< those with some
  std::deque<std::pair<freed_key, freed_name>> freed_;
  /// Ascending: when clients must be open, when answers must have come.
  std::deque<std::pair<core::steady_time, std::uint64_t>> openings_;
  std::deque<std::pair<core::steady_time, std::uint64_t>> answers_;
  bool tick_pending_ = false;
  std::optional<core::steady_time> retry_at_; ///< the next tick that counts
};

desk_actor::behavior_type desk_behavior(desk_state::pointer self,
                                        const desk_deps& deps);

} // namespace troupe::actors::names
