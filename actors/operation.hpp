// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/messages.hpp"
#include "core/session_event.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace troupe::actors {

class operation_table;

/// Something that takes more than one message: a post that touches several
/// shards, a registration (directory first, then the inbox), a list edit with
/// its announcements. A small state machine that asks, is told the answers and
/// finishes once, with the event for whoever wanted it. Owned by the
/// operation_table of an actor; lives on that actor's loop.
class operation {
public:
  virtual ~operation() = default;

  /// Asks the first questions; may finish at once.
  virtual void start() = 0;
  virtual void on_answer(shard_answer&) {}
  virtual void on_answer(directory_answer&) {}
  virtual void on_answer(list_expansion&) {}
  /// Some answer did not come in time; must finish.
  virtual void on_timeout() = 0;

protected:
  /// Ends this operation; it is destroyed when the current call has returned.
  void finish(core::session_event event);
  /// The same for one that tells its result in a way of its own.
  void finish() { finished_ = true; }
  void propose(core::group_id group, core::shard_command command, bool grows);
  void propose(core::directory_command command, bool grows);
  void expand(const std::string& list, const std::string& caller);
  [[nodiscard]] broker_context& context() const;
  [[nodiscard]] const std::string& realm() const;

private:
  friend class operation_table;
  operation_table* table_ = nullptr;
  std::uint64_t number_ = 0;
  std::uint32_t proposals_ = 0; ///< made so far
  core::steady_time deadline_{};
  bool finished_ = false;
};

/// The operations an actor has under way. Questions are gathered while a
/// message is handled and sent by flush(), one message for each group. In a
/// cluster, a proposal that met no leader is asked again under its key until
/// the operation's deadline; operations do not notice. One for which there is
/// no key (too many of this loop wait) is answered with overloaded.
class operation_table {
public:
  using finish_function = std::function<void(core::session_event)>;
  /// Handles of the owning actor, for answers.
  struct addresses {
    shard_client shard;
    directory_client directory;
    list_client list;
  };

  operation_table(broker_context& context, std::string realm,
                  finish_function on_finished);
  operation_table(const operation_table&) = delete;
  operation_table& operator=(const operation_table&) = delete;
  ~operation_table();

  /// Takes over and starts.
  void start(std::unique_ptr<operation> fresh);
  void on_answers(shard_answers& batch);
  void on_answers(directory_answers& batch);
  void on_answer(list_expansion& answer);
  /// Ends what is overdue. Returns true if something is still under way.
  bool expire(core::steady_time now);
  /// Sends what has been asked. `from` are the owner's own handles.
  void flush(const addresses& from);
  /// Something is to be asked again: call repeat() after this time, and flush()
  /// behind it.
  [[nodiscard]] std::optional<core::milliseconds> repeat_in() const;
  void repeat(core::steady_time now);

  [[nodiscard]] std::size_t size() const { return under_way_.size(); }
  [[nodiscard]] broker_context& context() const { return context_; }
  [[nodiscard]] const std::string& realm() const { return realm_; }

private:
  friend class operation;
  /// A proposal as it was made, while it may have to be made again.
  struct repeatable {
    core::group_id group;
    core::idempotency_key key;
    /// Only looked at when nobody has the command any more who writes into it.
    core::shared_bytes command;
    bool grows = true;
  };
  /// Proposals to one group that wait for a leader; later ones wait behind
  /// them, so that they keep their order.
  struct leaderless {
    /// When the waiting ones are asked again, whatever happens.
    core::steady_time due{};
    unsigned attempts = 0;
    std::set<ticket> waiting;
    bool asked = false; ///< some were, and the answer is not here yet
  };

  template <class Answer>
  void deliver(Answer& answer);
  template <class Answer>
  bool repeat_later(const Answer& answer);
  void ask_again(core::group_id group, leaderless& lost);
  void collect(operation& done);
  template <class Encode>
  void propose(operation& asker, core::group_id group, bool grows,
               const Encode& encode);
  void refuse(core::group_id group, ticket number);
  void forget(ticket number);
  void ask(core::group_id group, proposal item);

  struct outgoing {
    core::group_id group;
    std::vector<proposal> items;
  };

  broker_context& context_;
  std::string realm_;
  finish_function on_finished_;
  std::uint64_t last_number_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<operation>> under_way_;
  std::unordered_map<ticket, repeatable> made_;
  std::map<core::group_id, leaderless> repeating_;
  std::vector<outgoing> to_shards_;
  std::vector<proposal> to_directory_;
  std::vector<expand_list> to_lists_;
  std::vector<shard_answer> refused_by_shards_;
  std::vector<directory_answer> refused_by_directory_;
};

} // namespace troupe::actors
