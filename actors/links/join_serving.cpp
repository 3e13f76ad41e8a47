// SPDX-License-Identifier: Apache-2.0
#include "actors/links/join_serving.hpp"

#include "actors/links/handshake.hpp"
#include "actors/links/mesh.hpp"

#include <utility>

namespace troupe::actors::links {

join_serving::join_serving(mesh& owner, std::shared_ptr<inbound> conversation)
    : owner_(owner), conversation_(std::move(conversation)),
      deadline_(owner.home_.context()) {}

void join_serving::start() {
  deadline_.expires_after(owner_.options_.join_timeout);
  deadline_.async_wait([weak = weak_from_this()](const auto& cancelled) {
    const auto self = weak.lock();
    if (!self || cancelled)
      return;
    if (self->stream_)
      self->stream_->write_and_close(
          refusal_frame({refusal_code::timed_out, "no answer in time"}));
    self->finish();
  });
  conversation_->accept([weak = weak_from_this()](auto stream) {
    if (const auto self = weak.lock())
      self->on_accepted(std::move(stream));
    else if (stream)
      stream->close();
  });
}

void join_serving::close() {
  deadline_.cancel();
  if (stream_)
    stream_->write_and_close(refusal_frame({refusal_code::stopping, {}}));
  stream_.reset();
}

void join_serving::on_accepted(std::shared_ptr<frame_stream> stream) {
  stream_ = std::move(stream);
  if (!stream_) {
    finish();
    return;
  }
  stream_->read(owner_.options_.join_bytes_max + proof_size,
                [weak = weak_from_this()](auto got, const auto&) {
                  const auto self = weak.lock();
                  if (!self)
                    return;
                  if (got)
                    self->on_request(*got);
                  else
                    self->finish();
                });
}

void join_serving::on_request(const frame& got) {
  const auto text =
      open_join(conversation_->keys().to_acceptor, core::as_bytes(got.payload));
  if (got.type != frame_type::join_request || !text) {
    stream_->write_and_close(
        refusal_frame({refusal_code::malformed, "no join request"}));
    finish();
    return;
  }
  const auto& peer = conversation_->peer();
  join_call call;
  call.who = {peer.node, peer.incarnation, peer.features, peer.address};
  call.address = conversation_->address();
  call.request = core::shared_bytes::copy_of(*text);
  call.answer = [weak = weak_from_this(), home = &owner_.home_](auto given) {
    home->post([weak, given = std::move(given)]() mutable {
      if (const auto self = weak.lock())
        self->answer(std::move(given));
    });
  };
  owner_.on_join(std::move(call));
}

void join_serving::answer(core::result<core::shared_bytes> text) {
  if (!stream_ || std::exchange(answered_, true))
    return;
  if (!text) {
    stream_->write_and_close(
        refusal_frame({refusal_code::not_admitted, text.error().detail}));
    finish();
    return;
  }
  if (text->size() > owner_.options_.join_bytes_max) {
    stream_->write_and_close(
        refusal_frame({refusal_code::malformed, "the answer is too large"}));
    finish();
    return;
  }
  stream_->write(
      seal_join(conversation_->keys().to_dialer, frame_type::join_answer,
                text->text()),
      [self = shared_from_this()](bool, const auto&) { self->finish(); });
}

void join_serving::finish() {
  const auto keep = shared_from_this();
  deadline_.cancel();
  if (stream_)
    stream_->close();
  stream_.reset();
  owner_.joins_.erase(keep);
}

} // namespace troupe::actors::links
