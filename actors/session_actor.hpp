// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/attaching.hpp"
#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/messages.hpp"
#include "actors/post_operation.hpp"
#include "actors/timed_operations.hpp"
#include "core/authorizer.hpp"
#include "core/session_event.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace troupe::actors {

/// The way to a session's connection, shared by both: the connection clears
/// `link` when it goes, on the loop they share.
struct session_line {
  core::session_link* link = nullptr;
  std::string uid; ///< "" before the login
  core::device_offset device;
};

struct session_deps {
  broker_context* context = nullptr;
  std::shared_ptr<session_line> line;
  /// Number of the connection, for people.
  std::uint64_t number = 0;
  std::string realm = "default";
  std::string peer;
  std::string address; ///< of the peer, without the port
  std::string_view protocol;
};

/// Owner: its connection, which ends it by close_session. Lost when it dies:
/// requests whose answer has not come (they may have been carried out), and
/// nothing else. Mailbox: commands are bounded by session_requests_max (the
/// rest waits in `backlog_`, which the connection's back-pressure bounds),
/// deliveries by the inbox's credit. Waits for: shard_answers,
/// directory_answers, list_expansion, attached.
///
/// Its inbox lives where the inbox's shard is led, here or on another node.
/// When that node is gone or leads no more, the session attaches again to
/// whoever does, as long as the connection lives: what the client has and has
/// acknowledged is told to the next inbox, and the client notices a pause.
struct session_state {
  static inline const char* name = "session";
  using pointer = session_actor::stateful_pointer<session_state>;

  explicit session_state(pointer ptr);
  ~session_state();
  [[nodiscard]] std::string path() const;

  void start(session_deps deps);
  void on_commands(session_commands& batch);
  void on_answers(shard_answers& batch);
  void on_answers(directory_answers& batch);
  void on_answer(list_expansion& answer);
  void on_attached(attached& reply);
  void on_deliveries(deliveries& batch);
  void on_devices_changed(const devices_changed& news);
  void on_fence_passed(const fence_passed& fence);
  void on_released();
  void on_stop(const session_stop& order);
  void on_deadline_tick();
  void on_retry_tick();
  void on_attach_tick();
  [[nodiscard]] std::string describe() const;

private:
  void drain_backlog();
  void execute(core::register_user& c);
  void execute(core::change_aliases& c);
  void execute(core::add_device& c);
  void execute(core::login& c);
  void execute(core::post& c);
  void execute(core::post_to_alias& c);
  void execute(core::edit_list& c);
  void execute(core::acknowledge& c);
  void execute(core::close_session& c);
  [[nodiscard]] post_sender sender() const;
  /// Whether the user may post to all of them; if not, the request is refused.
  bool may_post(core::request_number request,
                const std::vector<core::recipient>& to);
  void refuse_post(core::request_number request, core::error why);
  /// Whether somebody may come as this user.
  [[nodiscard]] core::deny_reason standing_of(const std::string& uid) const;
  [[nodiscard]] core::principal principal_of(const std::string& uid) const;

  void emit(core::session_event event);
  /// An operation is done. The answer to a list edit comes behind its
  /// announcement to this very session (websocket.MQ A.10).
  void on_finished(core::session_event event);
  void refuse_login(core::request_number request, core::error why);
  void flush();
  void leave_inbox();
  [[nodiscard]] bool logged_in() const { return logged_in_; }

  void ask_for_inbox();
  [[nodiscard]] attach_request make_request() const;
  void on_inbox(attached& reply);
  void on_no_inbox(attached& reply);
  [[nodiscard]] bool asks_again(core::errc why) const;
  void pause_attaching(core::error why);
  void finish_login();
  void end_session(core::error why);
  [[nodiscard]] bool from_inbox() const;

  struct pending_login {
    core::login command;
    core::timestamp user_created;
    core::device_offset device;
    std::optional<core::device_offset> inherits;
    core::steady_time deadline;
  };

  pointer self_;
  broker_context* context_ = nullptr;
  std::shared_ptr<session_line> line_;
  std::uint64_t number_ = 0;
  std::string realm_;
  std::string peer_;
  std::string address_;
  std::string_view protocol_;
  std::unique_ptr<timed_operations<pointer>> operations_;
  std::deque<core::session_command> backlog_;
  std::optional<pending_login> login_;
  attaching attaching_;
  bool closed_ = false;
  bool logged_in_ = false;
  // Once logged in:
  inbox_actor inbox_; ///< none while attaching
  std::string uid_;
  /// What the user may do, if there is anybody to judge it.
  std::optional<core::session_rights> rights_;
  core::timestamp user_created_{};
  std::string device_name_;
  core::device_offset device_;
  std::uint32_t window_ = 1;
  std::uint32_t devices_ = 0;
  std::optional<core::inbox_position> acknowledged_; // not yet passed on
  core::inbox_position acknowledged_all_;            ///< by this session
  core::inbox_position in_hand_; ///< handed to the connection
  /// Answers that wait for a fence, in order.
  std::deque<std::pair<actors::ticket, core::session_event>> fenced_;
  actors::ticket fences_ = 0;
};

session_actor::behavior_type session_behavior(session_state::pointer self,
                                              session_deps deps);

} // namespace troupe::actors
