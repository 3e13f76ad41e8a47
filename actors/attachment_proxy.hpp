// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/attachment_line.hpp"
#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/messages.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::actors {

/// What the two who stand for a session and an inbox of different nodes have
/// in common: the frames of one attachment, and how far it has come. Base of
/// the state of a remote_inbox or a remote_session, used on its loop only. It
/// ends the actor when the other side or the link is gone, and when the last
/// frame has left.
template <class Handle>
class attachment_proxy {
public:
  void on_frame(const attachment_frame& frame);
  /// The link is gone.
  void on_lost();
  void on_retry_tick();
  /// `kind` is the actor's, for the debug endpoint.
  [[nodiscard]] std::string describe(std::string_view kind) const;

protected:
  /// What is attached to what, and where the other one is.
  struct attachment_names {
    core::node_id peer;
    std::uint64_t number = 0; ///< of the attachment
    core::owner inbox;
    core::device_offset device;
    std::uint64_t session = 0; ///< its number on its node
  };

  explicit attachment_proxy(typename Handle::pointer self) : self_(self) {}
  virtual ~attachment_proxy() = default;

  /// Before anything else. `context` and `transport` outlive this.
  void open(broker_context& context, attachment_transport& transport,
            attachment_names names, attachment_way way, std::uint64_t key);

  [[nodiscard]] bool is_asking() const { return phase_ == phase::asking; }
  [[nodiscard]] bool is_attached() const { return phase_ == phase::attached; }
  /// Says goodbye, or is gone.
  [[nodiscard]] bool is_ending() const { return phase_ >= phase::leaving; }
  void set_attached() { phase_ = phase::attached; }

  /// May end this, if there is no link.
  void send(const attachment_words::any& what);
  /// The last one: ends when it has left.
  void send_and_end(const attachment_words::any& what);
  [[nodiscard]] bool line_waits() const { return line_->waits(); }
  void end();
  void count(broker_stats::counter broker_stats::*which);

  /// A frame of this attachment, of any kind.
  virtual void on_words(attachment_words::any& what) = 0;
  /// The other side is gone: tells who is here and does not know yet.
  virtual void let_go() = 0;
  /// What is said when the other side can't be understood.
  [[nodiscard]] virtual attachment_words::any goodbye() const = 0;
  /// The line has room again, or still.
  virtual void on_room() {}

  typename Handle::pointer self_;
  broker_context* context_ = nullptr;
  attachment_names names_;

private:
  enum class phase : std::uint8_t {
    asking,
    attached,
    leaving, ///< the last frame waits for room
    over
  };

  void after_sending(bool alive);

  std::optional<attachment_line> line_;
  phase phase_ = phase::asking;
  bool retry_pending_ = false;
};

extern template class attachment_proxy<remote_inbox_actor>;
extern template class attachment_proxy<remote_session_actor>;

} // namespace troupe::actors
