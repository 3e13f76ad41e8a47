// SPDX-License-Identifier: Apache-2.0
#include "app/zenconn_client.hpp"

#include "app/blocking_stream.hpp"
#include "app/json_text.hpp"
#include "app/version.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string_view>
#include <utility>

namespace troupe::app {
namespace {

namespace http = boost::beast::http;
namespace json = boost::json;
namespace websocket = boost::beast::websocket;

/// A node may be told to allow more than its default.
constexpr std::size_t message_bytes_max = 1ULL << 30;

core::error unexpected() {
  return {core::errc::malformed, "the node answered something else"};
}

std::string text_of(const json::value& value) {
  if (const auto* text = value.if_string())
    return {text->data(), text->size()};
  return json::serialize(value);
}

std::string text_at(const json::object& from, const char* key) {
  const auto* value = from.if_contains(key);
  return value == nullptr ? std::string{} : text_of(*value);
}

core::error refusal(const json::object& answer) {
  std::string why;
  if (const auto* errors = answer.if_contains("errors"))
    if (const auto* all = errors->if_array())
      for (const auto& each : *all)
        why += (why.empty() ? "" : ", ") + text_of(each);
  return {core::errc::unavailable, why.empty() ? "refused" : why};
}

channel_message event_of(const json::object& answer) {
  channel_message out;
  out.channel = text_at(answer, "channel");
  out.sender = text_at(answer, "from");
  if (const auto* data = answer.if_contains("data")) {
    out.data = text_of(*data);
    if (!data->is_string())
      out.type = "application/json";
  }
  return out;
}

/// Text of a request; more members may follow.
std::string request(std::string_view type, const std::string& channel) {
  std::string out = "{\"type\":\"";
  out.append(type).append("\",\"channel\":");
  append_json(out, channel);
  return out;
}

} // namespace

struct zenconn_client::session {
  explicit session(const channel_peer& to) : peer(to) {}

  core::result<void> open() {
    if (auto up = stream.connect(peer.server, peer.timeout); !up)
      return up;
    websocket::response_type answer;
    const auto failed = stream.run(peer.timeout, [&](auto& to, auto done) {
      socket.emplace(to);
      socket->read_message_max(message_bytes_max);
      socket->set_option(websocket::stream_base::decorator(
          [this](websocket::request_type& request) {
            request.set(http::field::user_agent,
                        "troupe/" + std::string{version()});
            if (!peer.token.empty())
              request.set(http::field::authorization, "Bearer " + peer.token);
          }));
      socket->async_handshake(answer, to_string(peer.server), "/",
                              std::move(done));
    });
    if (failed == websocket::error::upgrade_declined) {
      const auto reason = answer.reason();
      return core::error{core::errc::unavailable,
                         std::to_string(answer.result_int()) + ' ' +
                             std::string{reason.data(), reason.size()}};
    }
    if (failed)
      return network_error(peer.server, failed);
    auto welcome = receive(peer.timeout);
    if (!welcome)
      return welcome.error();
    if (text_at(*welcome, "type") != "accepted")
      return unexpected();
    return {};
  }

  core::result<void> send(const std::string& text) {
    const auto failed = stream.run(peer.timeout, [&](auto&, auto done) {
      socket->async_write(boost::asio::buffer(text), std::move(done));
    });
    if (failed)
      return network_error(peer.server, failed);
    return {};
  }

  core::result<json::object>
  receive(std::optional<std::chrono::milliseconds> timeout) {
    boost::beast::flat_buffer buffer;
    const auto failed = stream.run(timeout, [&](auto&, auto done) {
      socket->async_read(buffer, std::move(done));
    });
    if (failed == websocket::error::closed) {
      const auto& why = socket->reason().reason;
      return core::error{core::errc::unavailable,
                         why.empty() ? "the node said goodbye"
                                     : std::string{why.data(), why.size()}};
    }
    if (failed)
      return network_error(peer.server, failed);
    boost::system::error_code no_json;
    const auto text = boost::beast::buffers_to_string(buffer.data());
    auto value = json::parse(json::string_view{text}, no_json);
    if (no_json || !value.is_object())
      return unexpected();
    return std::move(value.as_object());
  }

  /// Waits for the answer of one of two types that is about the channel.
  core::result<json::object> answer(const std::string& channel,
                                    std::string_view good,
                                    std::string_view bad) {
    for (;;) {
      auto found = receive(peer.timeout);
      if (!found)
        return found;
      const auto type = text_at(*found, "type");
      if (text_at(*found, "channel") != channel)
        continue;
      if (type == bad)
        return refusal(*found);
      if (type == good)
        return found;
    }
  }

  const channel_peer& peer;
  blocking_stream stream;
  /// Over the stream.
  std::optional<websocket::stream<boost::beast::tcp_stream&>> socket;
};

zenconn_client::zenconn_client(const channel_peer& peer)
    : session_(std::make_unique<session>(peer)) {}

zenconn_client::~zenconn_client() = default;

core::result<void> zenconn_client::open() { return session_->open(); }

core::result<void> zenconn_client::join(const std::string& channel) {
  if (auto sent = session_->send(request("subscribe", channel) + '}'); !sent)
    return sent;
  const auto answer = session_->answer(channel, "subscribed", "unauthorized");
  if (!answer)
    return answer.error();
  return {};
}

core::result<std::uint64_t>
zenconn_client::broadcast(const std::string& channel, const std::string& data) {
  const auto text = request("broadcast", channel) + ",\"data\":" + data + '}';
  if (auto sent = session_->send(text); !sent)
    return sent.error();
  const auto answer = session_->answer(channel, "received", "error");
  if (!answer)
    return answer.error();
  const auto* count = answer->if_contains("count");
  boost::system::error_code no_number;
  const auto number =
      count == nullptr ? 0 : count->to_number<std::uint64_t>(no_number);
  if (count == nullptr || no_number)
    return unexpected();
  return number;
}

core::result<channel_message> zenconn_client::next() {
  for (;;) {
    const auto answer = session_->receive(std::nullopt);
    if (!answer)
      return answer.error();
    const auto type = text_at(*answer, "type");
    if (type == "event")
      return event_of(*answer);
    if (type == "unauthorized")
      return refusal(*answer);
  }
}

void zenconn_client::close() {
  if (!session_->socket)
    return;
  // Whatever comes of it, the connection ends.
  static_cast<void>(
      session_->stream.run(session_->peer.timeout, [this](auto&, auto done) {
        session_->socket->async_close(websocket::close_code::normal,
                                      std::move(done));
      }));
}

} // namespace troupe::app
