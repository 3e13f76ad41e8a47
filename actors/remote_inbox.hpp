// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/attachment_line.hpp"
#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/messages.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace troupe::actors {

class attachment_table;

struct remote_inbox_deps {
  broker_context* context = nullptr;
  attachment_table* table = nullptr;
  core::node_id leader;
  /// Of the attachment.
  std::uint64_t number = 0;
  attach_request request;
};

/// Stands for an inbox that another node leads, toward one session on this
/// node, for one attempt to attach. Owner: the attachment_table, on the
/// session's loop. It ends when the session detaches or dies, when the other
/// side says that it is released, and with the link; an attached session is
/// told by inbox_released, one that waits by `attached` with not_leader.
/// Mailbox: bounded by the inbox's credit and by what the session may have
/// under way. Waits for: the answer to its request, for request_timeout.
struct remote_inbox_state {
  static inline const char* name = "remote_inbox";
  using pointer = remote_inbox_actor::stateful_pointer<remote_inbox_state>;

  explicit remote_inbox_state(pointer ptr) : self_(ptr) {}
  [[nodiscard]] std::string path() const;

  void start(remote_inbox_deps deps);
  void on_frame(const attachment_frame& frame);
  void on_lost();
  void detach_session();
  void acknowledge(const delivery_acknowledged& ack);
  void pass(const inbox_fence& fence);
  void on_retry_tick();
  void on_deadline_tick();
  [[nodiscard]] std::string describe() const;

private:
  enum class phase : std::uint8_t {
    asking,
    attached,
    leaving, ///< the last frame waits for room
    over
  };

  void on(const attachment_words::attached& answer);
  void on(attachment_words::deliveries& batch);
  void on(const attachment_words::devices& news);
  void on(const attachment_words::fence_passed& news);
  void on(const attachment_words::stop& news);
  void on(const attachment_words::released& news);
  template <class Other>
  void on(const Other&); // not for this side

  void send(const attachment_words::any& what);
  void after_sending(bool alive);
  void answer_failure(core::error why, core::node_id leader = {});
  void end();

  pointer self_;
  broker_context* context_ = nullptr;
  std::optional<attachment_line> line_;
  session_actor session_;
  ticket ticket_ = 0;
  core::owner inbox_;
  core::device_offset device_;
  std::uint64_t session_number_ = 0;
  std::uint64_t number_ = 0;
  core::node_id leader_;
  phase phase_ = phase::asking;
  /// While the line waits, only the newest counts.
  std::optional<core::inbox_position> acknowledged_;
  bool retry_pending_ = false;
};

remote_inbox_actor::behavior_type
remote_inbox_behavior(remote_inbox_state::pointer self, remote_inbox_deps deps);

} // namespace troupe::actors
