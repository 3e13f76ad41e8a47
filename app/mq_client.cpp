// SPDX-License-Identifier: Apache-2.0
#include "app/mq_client.hpp"

#include "net/mq/client_codec.hpp"
#include "net/mq/frame_codec.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace troupe::app {
namespace {

namespace mq = net::mq;

/// A node may be told to allow more than its default.
constexpr std::size_t message_bytes_max = 1ULL << 30;
constexpr std::size_t read_bytes = 64ULL << 10;

core::error unexpected() {
  return {core::errc::malformed, "the node answered something else"};
}

} // namespace

core::result<void> mq_client::open(std::uint32_t window) {
  if (auto up = stream_.connect(options_.server, options_.timeout); !up)
    return up;
  if (options_.create)
    if (auto known = register_user(); !known)
      return known;
  return login(window);
}

core::result<void> mq_client::register_user() {
  if (auto sent = send(mq::register_request{options_.uid, options_.device, ""});
      !sent)
    return sent;
  const auto answer = receive(options_.timeout);
  if (!answer)
    return answer.error();
  const auto* registered = std::get_if<mq::registered_packet>(&*answer);
  if (registered == nullptr)
    return unexpected();
  // That the user is there already is what was asked for.
  if (!registered->error.empty() && registered->error != "user exists")
    return core::error{core::errc::unavailable, std::string{registered->error}};
  return {};
}

core::result<void> mq_client::login(std::uint32_t window) {
  mq::login_request request{options_.uid, options_.device};
  if (window > 1) // older nodes know no windows
    request.window = window;
  if (auto sent = send(request); !sent)
    return sent;
  const auto answer = receive(options_.timeout);
  if (!answer)
    return answer.error();
  if (!std::holds_alternative<mq::info_packet>(*answer))
    return unexpected();
  return {};
}

core::result<void> mq_client::send(const mq::client_packet& packet) {
  std::string frame;
  if (!mq::append_frame(frame, packet))
    return core::errc::too_large;
  const auto failed = stream_.run(options_.timeout, [&frame](auto& to,
                                                             auto done) {
    boost::asio::async_write(to, boost::asio::buffer(frame), std::move(done));
  });
  if (failed)
    return network_error(options_.server, failed);
  return {};
}

core::result<mq::server_packet>
mq_client::receive(std::optional<milliseconds> timeout) {
  received_.erase(0, std::exchange(used_, 0));
  for (;;) {
    const auto found =
        mq::decode_frame(core::as_bytes(received_), message_bytes_max);
    switch (found.what) {
    case mq::frame::status::need_more:
      if (auto more = read_more(timeout); !more)
        return more.error();
      continue;
    case mq::frame::status::close:
      return core::error{core::errc::unavailable, "the node said goodbye"};
    case mq::frame::status::empty:
    case mq::frame::status::too_large:
      return unexpected();
    case mq::frame::status::message:
      break;
    }
    used_ = found.bytes;
    auto packet = decoder_.decode_reply(found.payload);
    if (packet)
      if (const auto* quit = std::get_if<mq::quit_packet>(&*packet))
        return core::error{core::errc::unavailable, std::string{quit->info}};
    return packet;
  }
}

core::result<std::string> mq_client::request(const mq::client_packet& packet,
                                             std::string_view id) {
  if (auto sent = send(packet); !sent)
    return sent.error();
  for (;;) {
    const auto answer = receive(options_.timeout);
    if (!answer)
      return answer.error();
    const auto* ack = std::get_if<mq::ack_packet>(&*answer);
    if (ack == nullptr || ack->id != id)
      continue;
    if (ack->type != "ok")
      return core::error{core::errc::unavailable, std::string{ack->error}};
    return std::string{ack->error};
  }
}

core::result<void> mq_client::read_more(std::optional<milliseconds> timeout) {
  const auto before = received_.size();
  received_.resize(before + read_bytes);
  std::size_t count = 0;
  const auto failed = stream_.run(timeout, [&](auto& from, auto done) {
    from.async_read_some(
        boost::asio::buffer(received_.data() + before, read_bytes),
        [&count, done = std::move(done)](boost::system::error_code e,
                                         std::size_t bytes) {
          count = bytes;
          done(e);
        });
  });
  received_.resize(before + count);
  if (failed)
    return network_error(options_.server, failed);
  return {};
}

} // namespace troupe::app
