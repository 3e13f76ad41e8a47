// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/messages.hpp"
#include "actors/operation.hpp"
#include "core/client_command.hpp"
#include "core/client_event.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::actors {

/// The way to a client's connection, shared by both; see session_line.
struct client_line {
  core::client_link* link = nullptr;
};

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
/// A session that lasts is first opened in its record, then its routes are
/// looked at, then its inbox is attached to; one that does not only attaches,
/// so that there is one connection for a client id. Where the inbox is led,
/// and what happens when that changes, is as in session_actor.
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
  /// There is no inbox, and one is wanted.
  struct attaching {
    actors::ticket ticket = 0; ///< asked, not answered; 0: pausing
    bool asked_leader = false;
    unsigned failures = 0;
    core::steady_time answer_due{};
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
  void acknowledge();
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
  void ask_for_routes(bool remove_all);
  void begin_attaching();
  void ask_for_inbox();
  bool ask_leader(core::node_id leader);
  attach_request make_request();
  void on_inbox(attached& reply);
  void on_no_inbox(attached& reply);
  void pause_attaching();
  void finish_opening();
  [[nodiscard]] attachment attachment_of(actors::ticket attempt) const;
  [[nodiscard]] bool from_inbox() const;

  pointer self_;
  broker_context* context_ = nullptr;
  std::shared_ptr<client_line> line_;
  std::uint64_t number_ = 0;
  std::unique_ptr<operation_table> operations_;
  stage stage_ = stage::fresh;
  core::open_client wanted_;
  core::client_opened found_;
  bool reopening_ = false;
  core::steady_time open_until_{};
  core::error last_failure_;
  std::uint64_t epoch_ = 0; ///< of the record; 0: there is none
  std::uint64_t generation_ = 0;
  std::optional<attaching> attaching_;
  actors::ticket attempts_ = 0;
  inbox_actor inbox_; ///< none while attaching
  actors::attachment attachment_ = 0;
  core::inbox_position settled_; ///< by the client
  /// Up to here the ids that wait for PUBCOMP are durable, too.
  core::inbox_position safe_;
  std::set<core::inbox_position> keeping_; ///< settled with ids that are not
  core::inbox_position in_hand_;           ///< handed to the connection
  // Of one flush:
  bool settled_news_ = false;
  std::vector<std::uint16_t> awaiting_;
  std::vector<std::uint16_t> completed_;
  std::vector<std::uint16_t> released_;
  std::vector<core::receive_client> received_;
  bool closed_ = false;
  core::steady_time closed_until_{};
  bool tick_pending_ = false;
  bool retry_pending_ = false;
  bool attach_tick_pending_ = false;
};

client_actor::behavior_type client_behavior(client_state::pointer self,
                                            client_deps deps);

} // namespace troupe::actors
