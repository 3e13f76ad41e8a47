// SPDX-License-Identifier: Apache-2.0
// Retained keys: which there are, one of them, and how to change it.
#include "app/admin.hpp"
#include "app/admin_query.hpp"
#include "app/json_text.hpp"
#include "app/message_text.hpp"
#include "core/topic.hpp"
#include "core/topic_filter.hpp"
#include "net/mqtt/crossing.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace troupe::app {
namespace {

namespace json = boost::json;

constexpr std::size_t page_default = 100;
constexpr std::size_t page_max = 1000;
constexpr std::size_t page_bytes_max = std::size_t{8} << 20U;
constexpr std::string_view keys_path = "/keys";

/// From the path behind /keys/, or, for topics that no path can have, from the
/// query.
std::string topic_text(const net::http_request& request) {
  if (const auto topic = request.query_value("topic"))
    return std::string{*topic};
  return request.path.substr(
      std::min(request.path.size(), keys_path.size() + 1));
}

bool names_key(const net::http_request& request) {
  return request.path.size() > keys_path.size() + 1 ||
         request.query_value("topic").has_value();
}

std::string realm_of(const net::http_request& request) {
  return std::string{request.query_value("realm").value_or(admin_realm)};
}

json::object row_of(const net::kept_key& key) {
  const auto& what = *key.what;
  const auto marks = net::mqtt::marks_of(what);
  json::object row{{"topic", what.topic.text()},
                   {"revision", key.revision},
                   {"set_ms", static_cast<std::int64_t>(what.number / 1000)},
                   {"expires_ms", nullptr},
                   {"sender", what.sender},
                   {"content_type", what.content_type},
                   {"qos", static_cast<unsigned>(marks.level)},
                   {"bytes", what.payload.size()}};
  if (key.expires)
    row["expires_ms"] = core::to_millis(*key.expires);
  return row;
}

json::object whole_of(const net::kept_key& key) {
  auto row = row_of(key);
  json::object headers;
  for (const auto& [name, value] : key.what->headers)
    if (is_utf8(name) && is_utf8(value))
      headers[name] = value;
  row["headers"] = std::move(headers);
  const auto text = key.what->payload.text();
  if (is_utf8(text))
    row["data"] = text;
  else
    row["data_base64"] = base64(text);
  return row;
}

/// "SHARD" or "SHARD:TOPIC".
std::optional<net::key_place> place_of(std::string_view text) {
  net::key_place place;
  if (text.empty())
    return place;
  const auto colon = text.find(':');
  const auto shard = number_of<std::uint16_t>(text.substr(0, colon));
  if (!shard)
    return std::nullopt;
  place.shard = *shard;
  if (colon != std::string_view::npos)
    place.after = text.substr(colon + 1);
  return place;
}

std::string text_of(const net::key_place& place) {
  auto text = std::to_string(place.shard);
  if (place.after)
    text += ':' + *place.after;
  return text;
}

std::string text_in(const json::object& body, std::string_view key) {
  const auto* value = body.if_contains(key);
  return value != nullptr && value->is_string()
             ? std::string{value->as_string()}
             : std::string{};
}

std::optional<std::uint64_t> number_in(const json::object& body,
                                       std::string_view key) {
  const auto* value = body.if_contains(key);
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0)
    return std::nullopt;
  return static_cast<std::uint64_t>(value->get_int64());
}

/// A publication that is to be retained, as the request's body says it.
core::result<core::publication> wanted_of(const net::http_request& request) {
  auto name = core::topic::parse(topic_text(request));
  if (!name)
    return name.error();
  boost::system::error_code bad;
  const auto parsed = json::parse(request.body, bad);
  const auto* body = bad ? nullptr : parsed.if_object();
  const auto data = body == nullptr ? std::string{} : text_in(*body, "data");
  const auto qos = body == nullptr ? 0 : number_in(*body, "qos").value_or(0);
  if (data.empty() || qos > 2)
    return core::error{core::errc::malformed,
                       R"(wanted is {"data": "text", …})"};
  const auto type = text_in(*body, "content_type");
  net::mqtt::message_properties properties;
  if (!type.empty())
    properties.content_type = type;
  if (const auto ttl = number_in(*body, "ttl_ms"))
    properties.expiry = net::mqtt::seconds{static_cast<std::uint32_t>(
        std::min<std::uint64_t>((*ttl + 999) / 1000, 0xFFFFFFFE))};
  auto made = net::mqtt::publication_of(
      std::move(*name), static_cast<net::mqtt::qos>(qos), true, properties,
      core::shared_bytes::copy_of(data));
  made.realm = realm_of(request);
  return made;
}

} // namespace

void admin::add_key_routes() {
  route("GET", "/keys/*", [this](const auto& r, net::responder a) {
    if (names_key(r))
      show_key(r, std::move(a));
    else
      list_keys(r, std::move(a));
  });
  route("POST", "/keys/*",
        [this](const auto& r, net::responder a) { set_key(r, std::move(a)); });
  route("DELETE", "/keys/*", [this](const auto& r, net::responder a) {
    clear_key(r, std::move(a));
  });
}

void admin::list_keys(const net::http_request& request, net::responder answer) {
  const auto limit = limit_of(request, page_default, page_max);
  auto from = place_of(request.query_value("after").value_or(""));
  if (!limit || !from)
    return answer.send(
        net::http_error(400, "limit is a number from 1 to 1000, after is what "
                             "the page before says"));
  auto filter =
      core::topic_filter::parse(request.query_value("filter").value_or("#"));
  if (!filter)
    return answer.send(error_response(filter.error()));
  net::key_query what;
  what.realm = realm_of(request);
  what.filter = std::move(*filter);
  what.from = std::move(*from);
  what.count_max = *limit;
  what.bytes_max = page_bytes_max;
  parts_.keys->read(std::move(what), [answer](const net::kept_page& page) {
    json::array rows;
    for (const auto& key : page.keys)
      rows.push_back(row_of(key));
    json::object body{{"keys", std::move(rows)},
                      {"unread_shards", page.unread},
                      {"next", nullptr}};
    if (page.next)
      body["next"] = text_of(*page.next);
    auto to = answer;
    to.send(json_response(body));
  });
}

void admin::show_key(const net::http_request& request, net::responder answer) {
  const auto name = core::topic::parse(topic_text(request));
  if (!name)
    return answer.send(error_response(name.error()));
  net::key_query what;
  what.realm = realm_of(request);
  what.filter = core::topic_filter{*name};
  parts_.keys->read(std::move(what),
                    [answer, text = name->text()](const net::kept_page& page) {
                      auto to = answer;
                      if (page.unread > 0)
                        to.send(error_response({core::errc::timed_out,
                                                "its shard has no leader"}));
                      else if (page.keys.empty())
                        to.send(error_response({core::errc::not_found, text}));
                      else
                        to.send(json_response(whole_of(page.keys.front())));
                    });
}

/// Who listens hears of it once it is durable.
void admin::set_key(const net::http_request& request, net::responder answer) {
  auto wanted = wanted_of(request);
  if (!wanted)
    return answer.send(error_response(wanted.error()));
  core::set_key command;
  command.realm = wanted->realm;
  command.topic = wanted->topic.text();
  const auto marks = net::mqtt::marks_of(*wanted);
  command.content.content_type = wanted->content_type;
  command.content.headers = wanted->headers;
  command.content.qos = static_cast<std::uint8_t>(marks.level);
  command.content.payload = wanted->payload;
  if (marks.expiry)
    command.time_to_live =
        core::milliseconds{std::int64_t{marks.expiry->count()} * 1000};
  parts_.keys->set(
      std::move(command),
      [this, answer, live = std::move(*wanted)](
          const core::result<std::uint64_t>& revision) mutable {
        auto to = answer;
        if (!revision)
          return to.send(error_response(revision.error()));
        net::mqtt::mark_revision(live, *revision);
        (void)parts_.engine.topics().publish(std::move(live));
        to.send(json_response(json::object{{"revision", *revision}}));
      });
}

void admin::clear_key(const net::http_request& request, net::responder answer) {
  auto name = core::topic::parse(topic_text(request));
  if (!name || !names_key(request))
    return answer.send(net::http_error(400, "which key?"));
  auto live = net::mqtt::publication_of(
      std::move(*name), net::mqtt::qos::at_most_once, true, {}, {});
  live.realm = realm_of(request);
  core::clear_key command{live.realm, live.topic.text(), {}};
  parts_.keys->clear(std::move(command),
                     [this, answer, live = std::move(live)](
                         const core::result<std::uint64_t>& revision) mutable {
                       auto to = answer;
                       if (!revision)
                         return to.send(error_response(revision.error()));
                       const auto text = live.topic.text();
                       net::mqtt::mark_revision(live, *revision);
                       (void)parts_.engine.topics().publish(std::move(live));
                       to.send(json_response(json::object{{"cleared", text}}));
                     });
}

} // namespace troupe::app
