// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/attaching.hpp"
#include "actors/client_line.hpp"
#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/messages.hpp"
#include "actors/operation.hpp"
#include "actors/timed_operations.hpp"
#include "core/client_command.hpp"
#include "core/client_event.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors {

struct client_deps {
  broker_context* context = nullptr;
  std::shared_ptr<client_line> line;
  /// Number of the connection, for people and for the inbox.
  std::uint64_t number = 0;
};

/// Owner: its connection, which ends it by close_client. Lost when it dies:
/// requests whose answer has not come (they may have been carried out). Its
/// record is closed by the shard then, after a grace. Mailbox: commands are
/// bounded by what a client may have under way, deliveries by the inbox's
/// credit. Waits for: shard_answers, directory_answers, attached.
///
/// The session is first opened in its record, then its routes are looked at,
/// then its inbox is attached to. Where that is led, and what happens when that
/// changes, is as in session_actor. A session that is not to last comes here if
/// there is a record of its name, which it ends: for that it gets one, too,
/// which ends with its connection. All others are the desk's (names/).
struct client_state {
  static inline const char* name = "client";
  using pointer = client_actor::stateful_pointer<client_state>;

  explicit client_state(pointer ptr);
  ~client_state();
  [[nodiscard]] std::string path() const {
    return "clients/" + std::to_string(number_);
  }

  void start(client_deps deps);
  void on_commands(client_commands& batch);
  void on_answers(shard_answers& batch);
  void on_answers(directory_answers& batch);
  void on_attached(attached& reply);
  void on_deliveries(deliveries& batch);
  void on_released();
  void on_stop(const session_stop& order);
  void on_deadline_tick();
  void on_retry_tick();
  void on_attach_tick();
  [[nodiscard]] std::string describe() const;

private:
  /// How far it has come.
  enum class stage : std::uint8_t {
    fresh,   ///< nothing was asked yet
    opening, ///< record, routes, inbox
    open,
    ended ///< by the broker's will, or given up
  };

  // client_actor.cpp
  void execute(core::open_client& c);
  void execute(core::settle_client& c);
  void execute(core::complete_client& c);
  void execute(core::receive_client& c);
  void execute(core::release_client& c);
  void execute(core::route_client& c);
  void execute(core::keep_client& c);
  void execute(core::close_client& c);
  void emit(core::client_event event);
  void flush();
  void ask_gathered();
  void settle_gathered();
  void release_settled();
  void on_released_ids(std::uint64_t which);
  void receive_gathered();
  void release_gathered();
  void complete_gathered();
  void ask_shard(core::shard_command command, bool grows,
                 std::function<void(core::shard_outcome&)> done);
  /// A command of an open session failed. True: that ends it.
  bool ends_with(const core::error& why);
  void fail(core::error why);
  [[nodiscard]] core::owner inbox_name() const {
    return core::owner{wanted_.realm, core::owner_kind::session, wanted_.name};
  }
  [[nodiscard]] core::session_ref ref() const {
    return {wanted_.realm, wanted_.name, epoch_};
  }

  // client_opening.cpp
  void open_record();
  void on_record(core::shard_outcome& outcome);
  void undo_record(std::uint64_t epoch);
  void ask_for_routes(bool remove_all);
  void ask_for_inbox();
  [[nodiscard]] attach_request make_request() const;
  void on_inbox(attached& reply);
  void on_no_inbox(attached& reply);
  void pause_attaching(core::error why);
  void finish_opening();
  [[nodiscard]] bool from_inbox() const;

  pointer self_;
  broker_context* context_ = nullptr;
  std::shared_ptr<client_line> line_;
  std::uint64_t number_ = 0;
  std::unique_ptr<timed_operations<pointer>> operations_;
  stage stage_ = stage::fresh;
  core::open_client wanted_;
  core::client_opened found_;
  bool reopening_ = false;
  core::steady_time open_until_{};
  std::uint64_t epoch_ = 0; ///< of the record; 0: not opened yet
  std::uint64_t generation_ = 0;
  attaching attaching_;
  inbox_actor inbox_;            ///< none while attaching
  core::inbox_position settled_; ///< by the client
  /// Settled, and that ids of it wait for PUBCOMP is durable: as far as the
  /// inbox may be told. It would move the cursor past a message whose PUBREL
  /// nobody would remember to send.
  core::inbox_position durable_;
  /// What was asked to become durable: how far, and whether it is.
  struct release {
    core::inbox_position up_to;
    bool durable = false;
  };
  std::deque<release> releases_;
  std::uint64_t first_release_ = 0; ///< number of the front
  core::inbox_position in_hand_;    ///< handed to the connection
  // Of one flush:
  bool settled_news_ = false;
  std::vector<std::uint16_t> awaiting_;
  std::vector<std::uint16_t> completed_;
  std::vector<std::uint16_t> released_;
  std::vector<core::receive_client> received_;
  bool closed_ = false;
  core::steady_time closed_until_{};
};

client_actor::behavior_type client_behavior(client_state::pointer self,
                                            client_deps deps);

} // namespace troupe::actors
