// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/attachment_proxy.hpp"
#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/messages.hpp"

#include <cstdint>
#include <string>

namespace troupe::actors {

class attachment_table;

struct remote_session_deps {
  broker_context* context = nullptr;
  attachment_table* table = nullptr;
  core::node_id node;
  std::uint64_t life = 0;
  /// Of the attachment.
  std::uint64_t number = 0;
  /// Of the inbox.
  shard_actor shard;
  attachment_words::attach request;
};

/// Stands for a session on another node, toward one inbox led here, for one
/// attempt to attach. Owner: the attachment_table. It asks the shard as a
/// session does; it ends when the session detaches, when the inbox lets it go,
/// and with the link: then the device is free, and what the session may have
/// in hand is kept for it a while (broker_options::claim_grace). Mailbox:
/// bounded by the inbox's credit, and by what the session may have under way.
/// Waits for: attached, for request_timeout.
struct remote_session_state : attachment_proxy<remote_session_actor> {
  static inline const char* name = "remote_session";
  using pointer = remote_session_actor::stateful_pointer<remote_session_state>;

  explicit remote_session_state(pointer ptr) : attachment_proxy(ptr) {}
  [[nodiscard]] std::string path() const;

  void start(remote_session_deps deps);
  void on_attached(attached& reply);
  void on_deliveries(deliveries& batch);
  void on_devices_changed(const devices_changed& news);
  void on_fence_passed(const fence_passed& fence);
  void on_released();
  void on_stop(const session_stop& order);
  void on_deadline_tick();

private:
  void on_words(attachment_words::any& what) override;
  void let_go() override { leave_inbox(true); }
  [[nodiscard]] attachment_words::any goodbye() const override {
    return attachment_words::released{};
  }
  void on(const attachment_words::detach& order);
  void on(const attachment_words::released& news);
  void on(const attachment_words::acknowledge& ack);
  void on(const attachment_words::fence& fence);
  template <class Other>
  void on(const Other&); // not for this side

  void leave_inbox(bool lost);

  /// Toward the inbox.
  actors::attachment attachment_ = 0;
  inbox_actor inbox_;
};

remote_session_actor::behavior_type
remote_session_behavior(remote_session_state::pointer self,
                        remote_session_deps deps);

} // namespace troupe::actors
