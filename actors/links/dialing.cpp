// SPDX-License-Identifier: Apache-2.0
#include "actors/links/dialing.hpp"

#include "actors/links/connector.hpp"

#include <utility>

namespace troupe::actors::links {

std::shared_ptr<dialing> dialing::start(boost::asio::io_context& context,
                                        dial_request request, on_done done) {
  auto fresh =
      std::make_shared<dialing>(context, std::move(request), std::move(done));
  fresh->begin(context);
  return fresh;
}

dialing::dialing(boost::asio::io_context& context, dial_request request,
                 on_done done)
    : request_(std::move(request)), done_(std::move(done)),
      handshake_(request_.self, request_.purpose, request_.expected),
      deadline_(context) {}

dialing::~dialing() {
  if (stream_)
    stream_->close();
}

void dialing::begin(boost::asio::io_context& context) {
  connect_ = connect_to(context, request_.addresses, request_.connect_timeout,
                        [weak = weak_from_this()](auto socket) {
                          if (const auto self = weak.lock())
                            self->on_connected(std::move(socket));
                        });
}

void dialing::on_connected(core::result<boost::asio::ip::tcp::socket> socket) {
  if (!socket) {
    finish(std::nullopt, {refusal_code::closed, socket.error().detail});
    return;
  }
  stream_ = std::make_shared<frame_stream>(
      std::move(*socket), frame_stream::side::dialer, request_.tls);
  deadline_.expires_after(request_.handshake_timeout);
  deadline_.async_wait([weak = weak_from_this()](const auto& cancelled) {
    const auto self = weak.lock();
    if (self && !cancelled)
      self->finish(std::nullopt, {refusal_code::timed_out,
                                  self->stream_->peer() + " is silent"});
  });
  write(handshake_.begin());
  read();
}

void dialing::read() {
  stream_->read(handshake_frame_max,
                [weak = weak_from_this()](auto got, const auto& failed) {
                  const auto self = weak.lock();
                  if (!self || !self->done_)
                    return;
                  if (got)
                    self->on_frame(*got);
                  else
                    self->finish(std::nullopt, failed);
                });
}

void dialing::on_frame(const frame& got) {
  answered_ = true;
  auto step = handshake_.on_frame(got.type, core::as_bytes(got.payload));
  switch (step.what) {
  case handshake_step::outcome::wait:
    write(std::move(step.send));
    read();
    return;
  case handshake_step::outcome::done:
    finish(proven_connection{stream_, handshake_.peer(), handshake_.keys()},
           {});
    return;
  case handshake_step::outcome::authenticated:
  case handshake_step::outcome::failed:
    if (!step.send.empty())
      stream_->write_and_close(step.send);
    finish(std::nullopt, std::move(step.why));
    return;
  }
}

void dialing::write(std::string bytes) {
  stream_->write(std::move(bytes),
                 [weak = weak_from_this()](bool sent, const auto& failed) {
                   const auto self = weak.lock();
                   if (self && self->done_ && !sent)
                     self->finish(std::nullopt, failed);
                 });
}

void dialing::finish(std::optional<proven_connection> connection, refusal why) {
  deadline_.cancel();
  if (connection)
    stream_.reset(); // belongs to the connection
  else if (stream_)
    stream_->close();
  if (auto done = std::exchange(done_, nullptr))
    done(std::move(connection), std::move(why));
}

} // namespace troupe::actors::links
