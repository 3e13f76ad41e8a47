// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn_door.hpp"

#include "net/zenconn/session.hpp"

#include <optional>
#include <utility>

namespace troupe::net {
namespace {

constexpr std::string_view bearer = "Bearer ";

/// "" without one, nothing if it is another scheme.
std::optional<std::string> bearer_of(const http_request& request) {
  const auto field = request.header("Authorization");
  if (field.empty())
    return std::string{};
  if (field.size() <= bearer.size() ||
      !equal_ignoring_case(field.substr(0, bearer.size()), bearer))
    return std::nullopt;
  return std::string{field.substr(bearer.size())};
}

http_response refused_for(core::deny_reason why) {
  switch (why) {
  case core::deny_reason::user_banned:
  case core::deny_reason::address_banned:
    return http_error(403, "not allowed");
  case core::deny_reason::too_many_attempts:
    return http_error(429, "too many attempts");
  case core::deny_reason::busy:
    return http_error(503, "try again later");
  default:
    break;
  }
  auto answer = http_error(401, "credentials are needed");
  answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  return answer;
}

/// The spelling that a client asks for, and the field that says so to it.
struct choice {
  zenconn::spelling how = zenconn::spelling::json;
  std::string_view field{};
};
choice choose(const http_request& request) {
  if (request.header("X-Bin-Protocol") == "1")
    return {zenconn::spelling::binary, "X-Bin-Protocol: 1\r\n"};
  if (request.header("X-JSON-Protocol") == "1")
    return {zenconn::spelling::compact, "X-JSON-Protocol: 1\r\n"};
  return {};
}

http_response refused_for(const zenconn::welcome& found) {
  using kind = zenconn::welcome::kind;
  switch (found.what) {
  case kind::no_login:
    return refused_for(found.why);
  case kind::not_served:
    return http_error(503, "channels are not served here");
  case kind::draining:
    return http_error(503, "the node drains, go to another one");
  case kind::no_record:
    return http_error(503, "sessions can't be recorded now");
  case kind::busy:
  case kind::let_in:
    break;
  }
  return http_error(503, "not served now");
}

} // namespace

void zenconn_door::upgrade(const websocket_terms& terms, std::string head,
                           responder answer) {
  auto token = bearer_of(*terms.request);
  if (!token) {
    zenconn::count(stats_.refused_login);
    return answer.send(refused_for(core::deny_reason::wrong_credentials));
  }
  const auto chosen = choose(*terms.request);
  const auto& info = answer.host().info();
  desk_.let_in(
      info, {std::move(*token), chosen.how}, [answer] { return answer.open(); },
      [this, answer, head = std::move(head), chosen](zenconn::welcome found) {
        if (answer.open())
          let_in(answer, head, chosen.how, chosen.field, std::move(found));
      });
}

void zenconn_door::let_in(const responder& to, std::string head,
                          zenconn::spelling how, std::string_view field,
                          zenconn::welcome found) {
  if (found.what != zenconn::welcome::kind::let_in)
    return to.send(refused_for(found));
  to.name_user(found.uid);
  head.insert(head.size() - 2, field);
  auto fresh = std::make_unique<zenconn::session>(options_, stats_, to.host(),
                                                  how, std::move(found.guest));
  to.hand_over(std::move(fresh), std::move(head));
}

} // namespace troupe::net
