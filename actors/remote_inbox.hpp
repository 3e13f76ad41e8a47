// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/attachment_proxy.hpp"
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
struct remote_inbox_state : attachment_proxy<remote_inbox_actor> {
  static inline const char* name = "remote_inbox";
  using pointer = remote_inbox_actor::stateful_pointer<remote_inbox_state>;

  explicit remote_inbox_state(pointer ptr) : attachment_proxy(ptr) {}
  [[nodiscard]] std::string path() const;

  void start(remote_inbox_deps deps);
  void detach_session();
  void acknowledge(const delivery_acknowledged& ack);
  void pass(const inbox_fence& fence);
  void on_deadline_tick();

private:
  void on_words(attachment_words::any& what) override;
  void let_go() override;
  [[nodiscard]] attachment_words::any goodbye() const override {
    return attachment_words::detach{};
  }
  void on_room() override;
  void on(const attachment_words::attached& answer);
  void on(attachment_words::deliveries& batch);
  void on(const attachment_words::devices& news);
  void on(const attachment_words::fence_passed& news);
  void on(const attachment_words::stop& news);
  void on(const attachment_words::released& news);
  template <class Other>
  void on(const Other&); // not for this side

  void answer_failure(core::error why, core::node_id leader = {});

  session_actor session_;
  ticket ticket_ = 0;
  /// While the line waits, only the newest counts.
  std::optional<core::inbox_position> acknowledged_;
};

remote_inbox_actor::behavior_type
remote_inbox_behavior(remote_inbox_state::pointer self, remote_inbox_deps deps);

} // namespace troupe::actors
