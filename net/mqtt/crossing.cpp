// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/crossing.hpp"

#include "net/mqtt/field_reader.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::net::mqtt {
namespace {

constexpr std::string_view qos_header = ":qos";
constexpr std::string_view retain_header = ":retain";
constexpr std::string_view expiry_header = ":expiry";
constexpr std::string_view revision_header = ":revision";
constexpr std::string_view text_header = ":text";
constexpr std::string_view response_header = ":response";
constexpr std::string_view correlation_header = ":correlation";

bool is_own(std::string_view name) {
  return !name.empty() && name.front() == own_header &&
         (name.size() < 2 || name[1] != own_header);
}

/// A name of a header as MQTT says it.
std::string_view unmarked(std::string_view name) {
  if (!name.empty() && name.front() == own_header)
    name.remove_prefix(1);
  return name;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc{} || read.ptr != end)
    return std::nullopt;
  return value;
}

std::optional<seconds> expiry_of(std::string_view text) {
  const auto value = number_of<std::uint32_t>(text);
  if (!value)
    return std::nullopt;
  return seconds{*value};
}

void add(core::publication& to, std::string_view name, std::string value) {
  to.headers.emplace_back(std::string{name}, std::move(value));
}

} // namespace

core::publication publication_of(core::topic name, qos level, bool retain,
                                 const message_properties& properties,
                                 core::shared_bytes payload) {
  core::publication made;
  made.topic = std::move(name);
  made.payload = std::move(payload);
  if (level != qos::at_most_once)
    add(made, qos_header, level == qos::at_least_once ? "1" : "2");
  if (retain)
    add(made, retain_header, "1");
  if (properties.content_type)
    made.content_type = *properties.content_type;
  if (properties.expiry)
    add(made, expiry_header, std::to_string(properties.expiry->count()));
  if (properties.payload_is_text)
    add(made, text_header, *properties.payload_is_text ? "1" : "0");
  if (properties.response_topic)
    add(made, response_header, std::string{*properties.response_topic});
  if (properties.correlation_data)
    add(made, correlation_header,
        std::string{properties.correlation_data->text()});
  for (const auto& [key, value] : properties.user) {
    const bool marked = !key.empty() && key.front() == own_header;
    made.headers.emplace_back((marked ? ":" : "") + std::string{key},
                              std::string{value});
  }
  return made;
}

message_marks marks_of(const core::publication& what) {
  message_marks found;
  for (const auto& [name, value] : what.headers) {
    if (!is_own(name))
      continue;
    if (name == qos_header)
      found.level = value == "1"   ? qos::at_least_once
                    : value == "2" ? qos::exactly_once
                                   : qos::at_most_once;
    else if (name == retain_header)
      found.retain = value == "1";
    else if (name == expiry_header)
      found.expiry = expiry_of(value);
    else if (name == revision_header)
      found.revision = number_of<std::uint64_t>(value).value_or(0);
  }
  return found;
}

void lessen_expiry(core::publication& what, core::timestamp now) {
  const auto expiry = marks_of(what).expiry;
  if (!expiry)
    return;
  const auto left = *expiry - std::min(*expiry, age_of(what, now));
  for (auto& [name, value] : what.headers)
    if (name == expiry_header)
      value = std::to_string(left.count());
}

void mark_revision(core::publication& what, std::uint64_t revision) {
  add(what, revision_header, std::to_string(revision));
}

message_properties properties_of(const core::publication& what) {
  message_properties found;
  if (!what.content_type.empty() && is_text(what.content_type))
    found.content_type = what.content_type;
  for (const auto& [name, value] : what.headers) {
    if (!is_own(name)) {
      if (is_text(name) && is_text(value))
        found.user.emplace_back(unmarked(name), value);
    } else if (name == expiry_header) {
      found.expiry = expiry_of(value);
    } else if (name == text_header) {
      found.payload_is_text = value == "1";
    } else if (name == response_header && is_text(value)) {
      found.response_topic = value;
    } else if (name == correlation_header && value.size() <= field_bytes_max) {
      found.correlation_data = core::shared_bytes::copy_of(value);
    }
  }
  return found;
}

seconds age_of(const core::publication& what, core::timestamp now) {
  // The number is about the time in microseconds.
  const auto then = static_cast<std::int64_t>(what.number / 1000);
  const auto age = (core::to_millis(now) - then) / 1000;
  return seconds{static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(age, 0, std::int64_t{never.count()}))};
}

} // namespace troupe::net::mqtt
