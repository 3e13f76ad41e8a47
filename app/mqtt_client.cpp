// SPDX-License-Identifier: Apache-2.0
#include "app/mqtt_client.hpp"

#include "net/mqtt/decoder.hpp"
#include "net/mqtt/encoder.hpp"
#include "net/mqtt/topic_spelling.hpp"
#include "net/output_queue.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <utility>
#include <variant>

namespace troupe::app {
namespace {

namespace mqtt = net::mqtt;

/// Of the one publication, and of the one subscription.
constexpr mqtt::packet_id only_id{1};

core::error refusal(mqtt::reason_code why,
                    const std::optional<std::string_view>& text) {
  return {core::errc::unavailable,
          std::string{text.value_or(mqtt::to_string(why))}};
}

core::error malformed() {
  return {core::errc::malformed, "the node answered something else"};
}

channel_message message_of(const mqtt::publish& what) {
  channel_message out;
  out.channel = what.topic;
  out.type = what.properties.content_type.value_or("");
  out.data = what.payload.text();
  return out;
}

} // namespace

core::result<void> check_mqtt_topic(std::string_view topic) {
  if (auto fine = mqtt::parse_topic(topic); !fine)
    return fine.error();
  return {};
}

core::result<void> check_mqtt_filter(std::string_view filter) {
  if (auto fine = mqtt::parse_filter(filter); !fine)
    return fine.error();
  return {};
}

core::result<void> mqtt_client::send(const mqtt::any_packet& what) {
  net::output_queue out;
  if (mqtt::encode(out, what, mqtt::version::v5) != mqtt::encode_status::whole)
    return core::error{core::errc::too_large, "the message"};
  while (!out.empty()) {
    std::array<iovec, 16> pieces;
    const auto count = out.gather(pieces.data(), pieces.size());
    std::size_t bytes = 0;
    std::string all;
    for (std::size_t i = 0; i < count; ++i) {
      all.append(static_cast<const char*>(pieces[i].iov_base),
                 pieces[i].iov_len);
      bytes += pieces[i].iov_len;
    }
    if (const auto failed =
            stream_.run(peer_.timeout, [&all](auto& to, auto done) {
              boost::asio::async_write(to, boost::asio::buffer(all),
                                       std::move(done));
            }))
      return network_error(peer_.server, failed);
    out.consume(bytes);
  }
  return {};
}

core::result<void>
mqtt_client::read(std::optional<std::chrono::milliseconds> timeout,
                  const std::function<bool(const mqtt::any_packet&)>& take) {
  for (;;) {
    const auto front = mqtt::decode_frame(core::as_bytes(pending_),
                                          mqtt::packet_bytes_unbounded);
    if (front.what == mqtt::frame::status::violation)
      return malformed();
    if (front.what == mqtt::frame::status::packet) {
      mqtt::decode_options how;
      how.from = mqtt::sender::server;
      const auto read = mqtt::decode(front, how);
      if (!read)
        return malformed();
      if (const auto* bye = std::get_if<mqtt::disconnect>(&read.value))
        return refusal(bye->reason, bye->reason_string);
      const bool content = take(read.value);
      pending_.erase(0, front.bytes);
      if (content)
        return {};
      continue;
    }
    std::array<char, 65'536> piece;
    std::size_t count = 0;
    const auto failed = stream_.run(timeout, [&](auto& from, auto done) {
      from.async_read_some(
          boost::asio::buffer(piece),
          [&count, done](boost::system::error_code e, std::size_t n) {
            count = n;
            done(e);
          });
    });
    if (failed)
      return network_error(peer_.server, failed);
    pending_.append(piece.data(), count);
  }
}

core::result<void> mqtt_client::open() {
  if (auto up = stream_.connect(peer_.server, peer_.timeout); !up)
    return up;
  mqtt::connect hello;
  if (!peer_.token.empty()) {
    hello.user_name = "JWT";
    hello.password = peer_.token;
  } else {
    if (!peer_.user.empty())
      hello.user_name = peer_.user;
    if (!peer_.password.empty())
      hello.password = peer_.password;
  }
  if (auto sent = send(hello); !sent)
    return sent;
  core::result<void> outcome = malformed();
  auto heard = read(peer_.timeout, [&](const mqtt::any_packet& what) {
    if (const auto* answer = std::get_if<mqtt::connack>(&what))
      outcome = mqtt::is_failure(answer->reason)
                    ? core::result<void>{refusal(answer->reason,
                                                 answer->reason_string)}
                    : core::result<void>{};
    return true;
  });
  return heard ? outcome : heard;
}

core::result<void> mqtt_client::publish(const std::string& topic,
                                        const std::string& type,
                                        const std::string& data) {
  mqtt::publish said;
  said.topic = topic;
  said.level = mqtt::qos::at_least_once;
  said.id = only_id;
  said.payload = core::shared_bytes::copy_of(data);
  if (!type.empty())
    said.properties.content_type = type;
  if (auto sent = send(said); !sent)
    return sent;
  core::result<void> outcome;
  auto heard = read(peer_.timeout, [&](const mqtt::any_packet& what) {
    const auto* answer = std::get_if<mqtt::puback>(&what);
    if (answer != nullptr && mqtt::is_failure(answer->reason))
      outcome = refusal(answer->reason, answer->reason_string);
    return answer != nullptr;
  });
  return heard ? outcome : heard;
}

core::result<void> mqtt_client::subscribe(const std::string& filter) {
  mqtt::subscribe asked;
  asked.id = only_id;
  asked.filters.push_back({filter, mqtt::qos::at_most_once});
  if (auto sent = send(asked); !sent)
    return sent;
  core::result<void> outcome;
  auto heard = read(peer_.timeout, [&](const mqtt::any_packet& what) {
    const auto* answer = std::get_if<mqtt::suback>(&what);
    if (answer != nullptr && mqtt::is_failure(answer->reasons.front()))
      outcome = refusal(answer->reasons.front(), answer->reason_string);
    return answer != nullptr;
  });
  return heard ? outcome : heard;
}

core::result<channel_message> mqtt_client::next() {
  channel_message found;
  auto heard = read(std::nullopt, [&](const mqtt::any_packet& what) {
    const auto* message = std::get_if<mqtt::publish>(&what);
    if (message != nullptr)
      found = message_of(*message);
    return message != nullptr;
  });
  if (!heard)
    return heard.error();
  return found;
}

void mqtt_client::close() {
  // Whatever comes of it, the connection ends.
  static_cast<void>(send(mqtt::disconnect{}));
}

} // namespace troupe::app
