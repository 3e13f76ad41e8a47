// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/keys/key_messages.hpp"
#include "actors/keys/key_operation.hpp"
#include "actors/keys/key_read_wire.hpp"
#include "actors/keys/key_scan.hpp"
#include "actors/messages.hpp"
#include "actors/operation.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace troupe::actors::keys {

/// The way of key frames to other nodes. On a loop: overloaded, unavailable,
/// too_large.
class keys_transport {
public:
  virtual ~keys_transport() = default;
  /// `key` says on which loop of that node it is worked on, modulo its loops.
  virtual core::result<void> send(core::node_id to, keys_way way,
                                  std::uint64_t key,
                                  core::shared_bytes frame) = 0;
};

struct keys_deps {
  broker_context* context = nullptr;
  core::node_id self;
  /// Null: there are no other nodes.
  keys_transport* transport = nullptr;
  std::size_t loop = 0;
  /// It has ended, as it was told to.
  std::function<void()> on_end = [] {};
};

/// Owner: the node, from start to stop. Lost when it dies: sets and reads of
/// its loop that are under way. Mailbox: bounded by what sessions of the loop
/// may have under way, and by questions_max of other nodes. Waits for: answers
/// of shards and of other nodes, with a time limit each.
struct keys_state {
  static inline const char* name = "keys";
  using pointer = keys_actor::stateful_pointer<keys_state>;
  using page_function = std::function<void(key_found_page)>;

  /// A shard is asked again if it has not answered by then, or had no leader.
  static constexpr core::milliseconds answer_patience{1'000};
  static constexpr core::milliseconds retry_pause{50};
  /// It is given up for this page if it has not answered by then.
  static constexpr core::milliseconds shard_patience{5'000};
  /// Of other nodes, under way.
  static constexpr std::size_t questions_max = 4'096;

  explicit keys_state(pointer ptr) : self_(ptr) {}
  [[nodiscard]] std::string path() const {
    return "keys/" + std::to_string(deps_.loop);
  }

  void start(const keys_deps& deps);

  // For orders:

  void change(key_operation::change what, key_operation::done_function done);
  /// One page; `done` is called once, whatever happens.
  void read(key_question what, page_function done);

  // For messages:

  void on_answers(shard_answers& batch);
  void on_found(keys_found& found);
  void on_frame(keys_frame& frame);
  void on_deadline_tick();
  void on_retry_tick();
  void flush();
  /// Ends when what is to be set has been answered: a will of somebody who went
  /// with the node, above all.
  void begin_retirement();
  [[nodiscard]] std::string describe() const;

private:
  /// A page that is being gathered.
  struct reading {
    key_scan scan;
    page_function done;
    core::node_id hint{};           ///< who leads, as the last answer says
    core::steady_time again_at{};   ///< asks again
    core::steady_time give_up_at{}; ///< of this shard
  };
  /// A question of another node.
  struct guest {
    core::node_id from;
    std::uint64_t number = 0;
    std::uint16_t loop = 0;
    core::steady_time until{};
  };

  void ask(std::uint64_t number, reading& of);
  void ask_here(std::uint64_t ticket, keys_asked question);
  void proceed(std::uint64_t number);
  void take(std::uint64_t ticket, core::errc failure, core::node_id leader,
            core::key_page page);
  void on_question(const keys_frame& frame);
  void answer(const guest& to, keys_found found);
  void ask_again(core::steady_time now);
  [[nodiscard]] core::steady_time now() const {
    return deps_.context->clock.now();
  }
  void count(broker_stats::counter& what) const {
    what.fetch_add(1, std::memory_order_relaxed);
  }

  pointer self_;
  keys_deps deps_;
  std::unique_ptr<operation_table> operations_;
  /// By the ticket of the question under way: an answer to an older one is
  /// nobody's.
  std::map<std::uint64_t, reading> readings_;
  std::map<std::uint64_t, guest> guests_; ///< by ticket
  std::uint64_t last_ticket_ = 0;
  bool tick_pending_ = false;
  bool retry_pending_ = false;
  bool retiring_ = false;
};

keys_actor::behavior_type keys_behavior(keys_state::pointer self,
                                        const keys_deps& deps);

} // namespace troupe::actors::keys
