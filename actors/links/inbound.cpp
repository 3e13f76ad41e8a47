// SPDX-License-Identifier: Apache-2.0
#include "actors/links/inbound.hpp"

#include <utility>

namespace troupe::actors::links {

inbound::inbound(boost::asio::ip::tcp::socket socket, handshake_options self,
                 caf::actor_system* tls)
    : handshake_(std::move(self)), deadline_(socket.get_executor()) {
  stream_ = std::make_shared<frame_stream>(std::move(socket),
                                           frame_stream::side::acceptor, tls);
  address_ = stream_->peer();
}

inbound::~inbound() {
  if (stream_)
    stream_->close();
}

void inbound::start(std::chrono::milliseconds timeout, on_proven proven,
                    on_failed failed) {
  on_proven_ = std::move(proven);
  on_failed_ = std::move(failed);
  arm(timeout);
  read();
}

void inbound::arm(std::chrono::milliseconds timeout) {
  deadline_.expires_after(timeout);
  deadline_.async_wait([weak = weak_from_this()](const auto& cancelled) {
    const auto self = weak.lock();
    if (self && !cancelled)
      self->fail({refusal_code::timed_out, "no word in time"});
  });
}

void inbound::read() {
  stream_->read(handshake_frame_max,
                [weak = weak_from_this()](auto got, const auto& failed) {
                  const auto self = weak.lock();
                  if (!self)
                    return;
                  if (got)
                    self->on_frame(*got);
                  else
                    self->fail(failed);
                });
}

void inbound::on_frame(const frame& got) {
  auto step = handshake_.on_frame(got.type, core::as_bytes(got.payload));
  switch (step.what) {
  case handshake_step::outcome::wait:
    stream_->write(std::move(step.send),
                   [weak = weak_from_this()](bool sent, const auto& failed) {
                     const auto self = weak.lock();
                     if (self && sent)
                       self->read();
                     else if (self)
                       self->fail(failed);
                   });
    return;
  case handshake_step::outcome::authenticated: {
    const auto keep = shared_from_this();
    if (const auto proven = on_proven_)
      proven(keep);
    return;
  }
  case handshake_step::outcome::done:
  case handshake_step::outcome::failed:
    fail(step.why);
    return;
  }
}

void inbound::accept(on_accepted done) {
  on_failed_ = nullptr;
  on_accepted_ = std::move(done);
  stream_->write(handshake_.accept(),
                 [self = shared_from_this()](bool sent, const auto& failed) {
                   if (!sent) {
                     self->fail(failed);
                     return;
                   }
                   self->deadline_.cancel();
                   const auto accepted =
                       std::exchange(self->on_accepted_, nullptr);
                   accepted(std::exchange(self->stream_, nullptr));
                 });
}

void inbound::refuse(const refusal& why) {
  deadline_.cancel();
  on_proven_ = nullptr;
  on_failed_ = nullptr;
  if (!stream_)
    return;
  const bool nobody_listens =
      why.code == refusal_code::closed || why.code == refusal_code::tls_failed;
  if (nobody_listens)
    stream_->close();
  else
    stream_->write_and_close(refusal_frame(why));
}

void inbound::fail(const refusal& why) {
  const auto keep = shared_from_this();
  const auto failed = std::exchange(on_failed_, nullptr);
  const auto accepted = std::exchange(on_accepted_, nullptr);
  refuse(why);
  if (failed)
    failed(keep, why);
  if (accepted)
    accepted(nullptr);
}

} // namespace troupe::actors::links
