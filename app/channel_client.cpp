// SPDX-License-Identifier: Apache-2.0
#include "app/channel_client.hpp"

#include "app/message_text.hpp"
#include "app/version.hpp"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace troupe::app {
namespace {

namespace http = boost::beast::http;

template <class Body>
http::request<Body> request_of(http::verb method, const std::string& target,
                               const channel_peer& peer) {
  http::request<Body> request{method, target, 11};
  request.set(http::field::host, to_string(peer.server));
  request.set(http::field::user_agent, "troupe/" + std::string{version()});
  if (!peer.token.empty())
    request.set(http::field::authorization, "Bearer " + peer.token);
  else if (!peer.user.empty() || !peer.password.empty())
    request.set(http::field::authorization,
                "Basic " + base64(peer.user + ':' + peer.password));
  return request;
}

template <class Answer>
core::error refusal(const Answer& answer) {
  const auto reason = answer.reason();
  return {core::errc::unavailable,
          std::to_string(answer.result_int()) + ' ' +
              std::string{reason.data(), reason.size()}};
}

bool is_plain(char c) {
  constexpr std::string_view marks = "-._~!$&()*+,;=:@%/";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || marks.find(c) != std::string_view::npos;
}

} // namespace

core::result<void> check_channel(std::string_view channel) {
  for (const char c : channel)
    if (!is_plain(c))
      return core::error{core::errc::malformed,
                         "write bytes of a channel other than letters, digits "
                         "and -._~!$&()*+,;=:@%/ as %XX"};
  return {};
}

core::result<void> channel_client::publish(const std::string& channel,
                                           const std::string& type,
                                           const std::string& data) {
  if (auto up = stream_.connect(peer_.server, peer_.timeout); !up)
    return up;
  auto request = request_of<http::string_body>(http::verb::post,
                                               "/msgbus/" + channel, peer_);
  request.set(http::field::content_type, type);
  request.set(http::field::connection, "close");
  request.body() = data;
  request.prepare_payload();
  if (const auto failed =
          stream_.run(peer_.timeout, [&request](auto& to, auto done) {
            http::async_write(to, request, std::move(done));
          }))
    return network_error(peer_.server, failed);
  http::response_parser<http::string_body> answer;
  if (const auto failed =
          stream_.run(peer_.timeout, [&](auto& from, auto done) {
            http::async_read(from, buffer_, answer, std::move(done));
          }))
    return network_error(peer_.server, failed);
  if (answer.get().result() != http::status::no_content)
    return refusal(answer.get());
  return {};
}

core::result<void> channel_client::subscribe(const std::string& channel,
                                             const std::string& query,
                                             const std::string& accept) {
  if (auto up = stream_.connect(peer_.server, peer_.timeout); !up)
    return up;
  const auto target = "/msgbus/" + channel + (query.empty() ? "" : "?" + query);
  auto request = request_of<http::empty_body>(http::verb::get, target, peer_);
  request.set(http::field::accept, accept);
  if (const auto failed =
          stream_.run(peer_.timeout, [&request](auto& to, auto done) {
            http::async_write(to, request, std::move(done));
          }))
    return network_error(peer_.server, failed);
  answer_.body_limit(boost::none);
  if (const auto failed =
          stream_.run(peer_.timeout, [this](auto& from, auto done) {
            http::async_read_header(from, buffer_, answer_, std::move(done));
          }))
    return network_error(peer_.server, failed);
  if (answer_.get().result() != http::status::ok)
    return refusal(answer_.get());
  return {};
}

core::result<std::string_view> channel_client::read() {
  const auto ended =
      core::error{core::errc::unavailable, "the node ended the stream"};
  for (;;) {
    if (answer_.is_done())
      return ended;
    auto& body = answer_.get().body();
    body.data = piece_.data();
    body.size = piece_.size();
    const auto failed =
        stream_.run(std::nullopt, [this](auto& from, auto done) {
          http::async_read_some(from, buffer_, answer_, std::move(done));
        });
    const auto count = piece_.size() - body.size;
    // need_buffer: the piece is full.
    if (count > 0)
      return std::string_view{piece_.data(), count};
    if (failed == http::error::end_of_stream ||
        failed == http::error::partial_message)
      return ended;
    if (failed && failed != http::error::need_buffer)
      return network_error(peer_.server, failed);
  }
}

} // namespace troupe::app
