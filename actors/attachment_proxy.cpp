// SPDX-License-Identifier: Apache-2.0
#include "actors/attachment_proxy.hpp"

#include "core/json_text.hpp"

#include <caf/send.hpp>

#include <utility>
#include <variant>

namespace troupe::actors {

template <class Handle>
void attachment_proxy<Handle>::open(broker_context& context,
                                    attachment_transport& transport,
                                    attachment_names names, attachment_way way,
                                    std::uint64_t key) {
  context_ = &context;
  names_ = std::move(names);
  line_.emplace(transport, context.stats, names_.peer, way, key, names_.number);
}

template <class Handle>
void attachment_proxy<Handle>::on_frame(const attachment_frame& frame) {
  if (is_ending())
    return;
  auto message = decode_attachment(frame.bytes);
  if (message)
    return on_words(message->what);
  // What is behind it would leave a gap.
  count(&broker_stats::attachment_frames_unusable);
  let_go();
  send_and_end(goodbye());
}

template <class Handle>
void attachment_proxy<Handle>::send(const attachment_words::any& what) {
  if (phase_ != phase::over)
    after_sending(line_->send(what));
}

template <class Handle>
void attachment_proxy<Handle>::send_and_end(const attachment_words::any& what) {
  if (phase_ == phase::over)
    return;
  phase_ = phase::leaving;
  send(what);
}

template <class Handle>
void attachment_proxy<Handle>::after_sending(bool alive) {
  if (!alive)
    return on_lost();
  if (!line_->waits())
    on_room(); // may send
  if (phase_ == phase::over)
    return;
  if (line_->waits()) {
    if (!std::exchange(retry_pending_, true))
      self_->delayed_send(self_, attachment_line::retry_interval, retry_tick{});
  } else if (phase_ == phase::leaving) {
    end();
  }
}

template <class Handle>
void attachment_proxy<Handle>::on_retry_tick() {
  retry_pending_ = false;
  if (phase_ != phase::over)
    after_sending(line_->retry());
}

template <class Handle>
void attachment_proxy<Handle>::on_lost() {
  if (phase_ == phase::over)
    return;
  count(&broker_stats::attachments_lost);
  let_go();
  end();
}

template <class Handle>
void attachment_proxy<Handle>::end() {
  phase_ = phase::over;
  self_->quit();
}

template <class Handle>
void attachment_proxy<Handle>::count(
    broker_stats::counter broker_stats::*which) {
  (context_->stats.*which).fetch_add(1, std::memory_order_relaxed);
}

template <class Handle>
std::string attachment_proxy<Handle>::describe(std::string_view kind) const {
  core::json_writer out;
  out.begin_object()
      .member("kind", kind)
      .member("node", std::uint64_t{names_.peer.value()})
      .member("attachment", names_.number)
      .member("realm", std::string_view{names_.inbox.realm})
      .member("user", std::string_view{names_.inbox.name})
      .member("device", std::uint64_t{names_.device.value()})
      .member("session", names_.session)
      .member("attached", is_attached())
      .member("frames_waiting", std::uint64_t{line_ ? line_->waiting() : 0})
      .end_object();
  return std::move(out).text();
}

template class attachment_proxy<remote_inbox_actor>;
template class attachment_proxy<remote_session_actor>;

} // namespace troupe::actors
