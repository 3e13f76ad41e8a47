// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/packet_text.hpp"

#include "core/json_text.hpp"
#include "net/mqtt/reason_code.hpp"
#include "net/mqtt/topic_spelling.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <variant>

namespace troupe::net::mqtt {
namespace {

/// Of anything that a peer has chosen.
constexpr std::size_t shown_bytes_max = 200;
/// Of the filters of one packet.
constexpr std::size_t shown_filters_max = 10;

class line {
public:
  explicit line(std::string_view name) : text_(name) {}

  line& word(std::string_view word) {
    text_ += ' ';
    text_ += word;
    return *this;
  }
  line& flag(bool is, std::string_view name) { return is ? word(name) : *this; }
  template <class Value>
  line& number(std::string_view name, Value value) {
    return word(std::string{name} + '=' + std::to_string(value));
  }
  line& id(packet_id id) {
    return id == packet_id{} ? *this : number("id", id.value());
  }
  line& level(qos level) {
    return word("qos" + std::to_string(static_cast<int>(level)));
  }
  /// As JSON has it: nobody breaks out of the line.
  line& quoted(std::string_view name, std::string_view text) {
    text_ += ' ';
    if (!name.empty()) {
      text_ += name;
      text_ += '=';
    }
    auto shown = std::min(text.size(), shown_bytes_max);
    while (shown < text.size() && shown > 0 &&
           (static_cast<unsigned char>(text[shown]) & 0xC0U) == 0x80U)
      --shown; // not within a character
    text_ += core::json_writer{}.value(text.substr(0, shown)).text();
    if (shown < text.size())
      text_ += "…";
    return *this;
  }
  line& reason(reason_code code) {
    char hex[8];
    std::snprintf(hex, sizeof hex, "0x%02X", static_cast<unsigned>(code));
    return word(hex);
  }
  line& explained(reason_code code) {
    return reason(code).word('(' + std::string{to_string(code)} + ')');
  }

  std::string text() && { return std::move(text_); }

private:
  std::string text_;
};

struct speller {
  std::string operator()(const connect& p) const {
    line out{"CONNECT"};
    out.word("MQTT " + std::string{to_string(p.protocol)})
        .quoted("client", p.client_id)
        .flag(p.clean_start, "clean")
        .number("keep_alive", p.keep_alive.count());
    if (p.user_name)
      out.quoted("user", *p.user_name);
    out.flag(p.password.has_value(), "with a password");
    if (p.session_expiry)
      out.number("session_expiry", p.session_expiry->count());
    if (p.receive_maximum)
      out.number("receive_maximum", *p.receive_maximum);
    if (p.will)
      out.quoted("will", p.will->topic);
    return std::move(out).text();
  }
  std::string operator()(const connack& p) const {
    line out{"CONNACK"};
    out.explained(p.reason).flag(p.session_present, "session present");
    if (p.session_expiry)
      out.number("session_expiry", p.session_expiry->count());
    if (p.assigned_client_id)
      out.quoted("client", *p.assigned_client_id);
    if (p.reason_string)
      out.quoted("says", *p.reason_string);
    return std::move(out).text();
  }
  std::string operator()(const publish& p) const {
    line out{"PUBLISH"};
    out.level(p.level).id(p.id).quoted({}, p.topic);
    if (p.topic_alias)
      out.number("alias", *p.topic_alias);
    out.flag(p.duplicate, "dup").flag(p.retain, "retain");
    return std::move(out.word(std::to_string(p.payload.size()) + " bytes"))
        .text();
  }
  static std::string ack(std::string_view name, const acknowledgement& p) {
    line out{name};
    out.id(p.id);
    if (p.reason != reason_code::success)
      out.explained(p.reason);
    if (p.reason_string)
      out.quoted("says", *p.reason_string);
    return std::move(out).text();
  }
  std::string operator()(const puback& p) const { return ack("PUBACK", p); }
  std::string operator()(const pubrec& p) const { return ack("PUBREC", p); }
  std::string operator()(const pubrel& p) const { return ack("PUBREL", p); }
  std::string operator()(const pubcomp& p) const { return ack("PUBCOMP", p); }
  std::string operator()(const subscribe& p) const {
    line out{"SUBSCRIBE"};
    out.id(p.id);
    for (std::size_t i = 0; i < p.filters.size() && i < shown_filters_max; ++i)
      out.quoted({}, p.filters[i].filter).level(p.filters[i].level);
    more(out, p.filters.size());
    return std::move(out).text();
  }
  std::string operator()(const unsubscribe& p) const {
    line out{"UNSUBSCRIBE"};
    out.id(p.id);
    for (std::size_t i = 0; i < p.filters.size() && i < shown_filters_max; ++i)
      out.quoted({}, p.filters[i]);
    more(out, p.filters.size());
    return std::move(out).text();
  }
  static void more(line& out, std::size_t all) {
    if (all > shown_filters_max)
      out.word("and " + std::to_string(all - shown_filters_max) + " more");
  }
  static std::string outcomes(std::string_view name, packet_id id,
                              const std::vector<reason_code>& all) {
    line out{name};
    out.id(id);
    for (std::size_t i = 0; i < all.size() && i < shown_filters_max; ++i)
      out.reason(all[i]);
    more(out, all.size());
    return std::move(out).text();
  }
  std::string operator()(const suback& p) const {
    return outcomes("SUBACK", p.id, p.reasons);
  }
  std::string operator()(const unsuback& p) const {
    return outcomes("UNSUBACK", p.id, p.reasons);
  }
  std::string operator()(const pingreq&) const { return "PINGREQ"; }
  std::string operator()(const pingresp&) const { return "PINGRESP"; }
  std::string operator()(const disconnect& p) const {
    line out{"DISCONNECT"};
    out.explained(p.reason);
    if (p.session_expiry)
      out.number("session_expiry", p.session_expiry->count());
    if (p.reason_string)
      out.quoted("says", *p.reason_string);
    if (p.server_reference)
      out.quoted("at", *p.server_reference);
    return std::move(out).text();
  }
  std::string operator()(const auth& p) const {
    line out{"AUTH"};
    out.explained(p.reason);
    if (p.authentication_method)
      out.quoted("method", *p.authentication_method);
    return std::move(out).text();
  }
};

} // namespace

std::string describe(const any_packet& what) {
  return std::visit(speller{}, what);
}

std::string describe(const delivery& what) {
  line out{"PUBLISH"};
  out.level(what.level).id(what.id).quoted({}, name_of(what.what->topic));
  if (what.alias != 0)
    out.number("alias", what.alias);
  out.flag(what.retain, "retain");
  for (const auto each : what.subscription_ids)
    out.number("subscription", each);
  out.word(std::to_string(what.what->payload.size()) + " bytes");
  if (!what.what->sender.empty())
    out.quoted("from", what.what->sender);
  return std::move(out).text();
}

} // namespace troupe::net::mqtt
