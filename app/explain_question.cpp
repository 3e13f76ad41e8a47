// SPDX-License-Identifier: Apache-2.0
#include "app/explain_question.hpp"

#include "app/admin_query.hpp"
#include "net/mqtt/crossing.hpp"

#include <algorithm>

namespace troupe::app {
namespace {

using core::result;

core::error wrong(std::string_view what) {
  return {core::errc::malformed, std::string{what}};
}

/// "WHICH/SHARE/FILTER".
std::optional<actors::topics::share_turn> turn_of(std::string_view text) {
  const auto first = text.find('/');
  const auto second = text.find('/', first + 1);
  const auto which = number_of<std::uint32_t>(text.substr(0, first));
  if (!which || first == std::string_view::npos ||
      second == std::string_view::npos)
    return std::nullopt;
  return actors::topics::share_turn{
      std::string{text.substr(first + 1, second - first - 1)},
      std::string{text.substr(second + 1)}, *which};
}

/// A number up to `most`; nothing if it is none.
template <class Number>
bool take(const net::http_request& from, std::string_view key, Number most,
          Number& to) {
  const auto text = from.query_value(key);
  if (!text)
    return true;
  const auto value = number_of<Number>(*text);
  if (!value || *value > most)
    return false;
  to = *value;
  return true;
}

bool is_true(const net::http_request& from, std::string_view key) {
  return from.query_value(key).value_or("false") == "true";
}

result<explain_question::relayed> relayed_of(const net::http_request& request) {
  explain_question::relayed to;
  if (!take(request, "from", ~std::uint32_t{0}, to.from) ||
      !take(request, "as_of", ~std::uint64_t{0}, to.as_of))
    return wrong("from and as_of are numbers");
  to.sender = request.query_value("sender").value_or("");
  to.for_all = is_true(request, "for_all");
  for (const auto& [key, value] : request.query) {
    if (key != "turn")
      continue;
    auto turn = turn_of(value);
    if (!turn || to.turns.size() >= explain_question::turns_max)
      return wrong("turn is WHICH/SHARE/FILTER");
    to.turns.push_back(std::move(*turn));
  }
  return to;
}

} // namespace

result<explain_question>
explain_question::of(const net::http_request& request) {
  explain_question q;
  q.realm = request.query_value("realm").value_or(admin_realm);
  q.topic = request.query_value("topic").value_or("");
  if (q.topic.empty() || !core::topic::parse(q.topic))
    return wrong("topic: one without wildcards");
  unsigned level = 0;
  if (!take(request, "qos", 2U, level))
    return wrong("qos is 0, 1 or 2");
  q.level = static_cast<net::mqtt::qos>(level);
  q.retain = is_true(request, "retain");
  if (!take(request, "bytes", bytes_max, q.bytes))
    return wrong("bytes is 0 to " + std::to_string(bytes_max));
  q.content_type = request.query_value("content_type").value_or("");
  if (request.query_value("expiry")) {
    q.expiry = 0;
    if (!take(request, "expiry", ~std::uint32_t{0}, *q.expiry))
      return wrong("expiry is a number of seconds");
  }
  for (const auto& [key, value] : request.query) {
    const auto equals = value.find('=');
    if (key != "property")
      continue;
    if (equals == std::string::npos || q.properties.size() >= properties_max)
      return wrong("property is NAME=VALUE, at most 16 times");
    q.properties.emplace_back(value.substr(0, equals),
                              value.substr(equals + 1));
  }
  if (const auto user = request.query_value("user"))
    q.user = *user;
  q.client = request.query_value("client").value_or("");
  q.address = request.query_value("address").value_or("");
  q.only_here = is_true(request, "only_here");
  const auto rows = limit_of(request, rows_default, rows_max);
  if (!rows)
    return wrong("limit is 1 to 1000");
  q.rows = *rows;
  if (request.query_value("from")) {
    auto relayed = relayed_of(request);
    if (!relayed)
      return relayed.error();
    q.received = std::move(*relayed);
  }
  return q;
}

net::http_request explain_question::request() const {
  net::http_request to;
  to.method = "GET";
  to.path = "/explain";
  const auto say = [&](const char* key, std::string value) {
    to.query.emplace_back(key, std::move(value));
  };
  say("realm", realm);
  say("topic", topic);
  say("qos", std::to_string(static_cast<unsigned>(level)));
  say("retain", retain ? "true" : "false");
  say("bytes", std::to_string(bytes));
  say("content_type", content_type);
  if (expiry)
    say("expiry", std::to_string(*expiry));
  for (const auto& [name, value] : properties)
    say("property", name + "=" + value);
  if (user)
    say("user", *user);
  say("client", client);
  say("address", address);
  say("only_here", only_here ? "true" : "false");
  say("limit", std::to_string(rows));
  if (!received)
    return to;
  say("from", std::to_string(received->from));
  say("as_of", std::to_string(received->as_of));
  say("sender", received->sender);
  say("for_all", received->for_all ? "true" : "false");
  for (const auto& each : received->turns)
    say("turn",
        std::to_string(each.which) + "/" + each.share + "/" + each.filter);
  return to;
}

result<core::publication> explain_question::publication() const {
  auto name = core::topic::parse(topic);
  if (!name)
    return name.error();
  net::mqtt::message_properties said;
  if (!content_type.empty())
    said.content_type = content_type;
  if (expiry)
    said.expiry = net::mqtt::seconds{*expiry};
  for (const auto& [key, value] : properties)
    said.user.emplace_back(key, value);
  auto made = net::mqtt::publication_of(
      std::move(*name), level, retain, said,
      core::shared_bytes::build(bytes, [this](std::byte* to) {
        std::fill_n(to, bytes, std::byte{0});
      }));
  made.realm = realm;
  if (received) {
    made.node = core::node_id{received->from};
    made.queued_as_of = received->as_of;
    made.sender = received->sender;
  }
  return made;
}

} // namespace troupe::app
