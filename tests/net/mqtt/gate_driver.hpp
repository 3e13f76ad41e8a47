// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mqtt/crossing.hpp"
#include "net/mqtt/gate.hpp"
#include "net/mqtt/topic_spelling.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::net::mqtt {

using lines = std::vector<std::string>;

inline std::string hex(reason_code code) {
  char text[8];
  std::snprintf(text, sizeof text, "0x%02X", static_cast<unsigned>(code));
  return text;
}

/// One line for a packet that a server sends.
struct speller {
  std::string operator()(const connack& p) const {
    std::string text = "CONNACK " + hex(p.reason);
    if (p.session_present)
      text += " present";
    if (p.assigned_client_id)
      text += " id=" + std::string{*p.assigned_client_id};
    if (p.server_keep_alive)
      text += " keep-alive=" + std::to_string(p.server_keep_alive->count());
    if (p.session_expiry)
      text += " expiry=" + std::to_string(p.session_expiry->count());
    if (p.response_information)
      text += " response=" + std::string{*p.response_information};
    if (p.server_reference)
      text += " at=" + std::string{*p.server_reference};
    if (p.authentication_method)
      text += " by=" + std::string{*p.authentication_method} + " " +
              std::string{p.authentication_data.value_or("")};
    return text;
  }
  std::string ack(const char* name, const acknowledgement& p) const {
    return std::string{name} + " " + std::to_string(p.id.value()) +
           (p.reason == reason_code::success ? "" : " " + hex(p.reason));
  }
  std::string operator()(const puback& p) const { return ack("PUBACK", p); }
  std::string operator()(const pubrec& p) const { return ack("PUBREC", p); }
  std::string operator()(const pubrel& p) const { return ack("PUBREL", p); }
  std::string operator()(const pubcomp& p) const { return ack("PUBCOMP", p); }
  std::string codes(std::string text,
                    const std::vector<reason_code>& all) const {
    for (const auto each : all)
      text += " " + hex(each);
    return text;
  }
  std::string operator()(const suback& p) const {
    return codes("SUBACK " + std::to_string(p.id.value()), p.reasons);
  }
  std::string operator()(const unsuback& p) const {
    return codes("UNSUBACK " + std::to_string(p.id.value()), p.reasons);
  }
  std::string operator()(const pingresp&) const { return "PINGRESP"; }
  std::string operator()(const disconnect& p) const {
    return "DISCONNECT " + hex(p.reason) +
           (p.server_reference ? " at=" + std::string{*p.server_reference}
                               : "");
  }
  std::string operator()(const auth& p) const {
    return "AUTH " + hex(p.reason) + " " +
           std::string{p.authentication_method.value_or("?")} + " " +
           std::string{p.authentication_data.value_or("")};
  }
  template <class Other>
  std::string operator()(const Other&) const {
    return "a packet of clients";
  }
};
inline std::string spell(const any_packet& what) {
  return std::visit(speller{}, what);
}

/// A gate, and the world around it: one client of a broker that publishes to
/// itself at once.
class gate_driver : public gate_world {
public:
  explicit gate_driver(mqtt_options how = {},
                       std::optional<denial_policy> denied_here = {})
      : options(std::move(how)), subject(options, stats, *this, denied_here) {
    subject.on_open(now);
  }
  virtual ~gate_driver() = default;
  gate_driver(const gate_driver&) = delete;
  gate_driver& operator=(const gate_driver&) = delete;

  // What the client does.
  void say(const any_packet& what) { subject.on_packet(what, now); }
  void come(version by = version::v5, std::string_view id = "me") {
    connect asked;
    asked.protocol = by;
    asked.client_id = id;
    say(asked);
  }
  void hear(std::string_view filter, qos level = qos::at_most_once,
            std::uint32_t id = 0) {
    subscribe asked;
    asked.id = packet_id{1000};
    asked.filters.push_back({filter, level});
    if (id != 0)
      asked.subscription_id = id;
    say(asked);
  }
  void tell(std::string_view topic, std::string_view payload,
            qos level = qos::at_most_once, std::uint16_t id = 0) {
    mqtt::publish said;
    said.topic = topic;
    said.payload = core::shared_bytes::copy_of(payload);
    said.level = level;
    said.id = packet_id{id};
    say(said);
  }
  template <class Answer>
  void answer(std::uint16_t id, reason_code why = reason_code::success) {
    Answer said;
    said.id = packet_id{id};
    said.reason = why;
    say(said);
  }
  /// Somebody else publishes.
  void publish_here(std::string_view topic, std::string_view payload,
                    qos level = qos::at_most_once,
                    const message_properties& properties = {}) {
    auto what = publication_of(*parse_topic(topic), level, false, properties,
                               core::shared_bytes::copy_of(payload));
    deliver(std::move(what));
  }
  void deliver(core::publication what) {
    what.number = static_cast<std::uint64_t>(core::to_millis(time)) * 1000 +
                  ++last_number;
    const auto shared =
        std::make_shared<const core::publication>(std::move(what));
    const auto times =
        std::count_if(listened.begin(), listened.end(), [&](const auto& each) {
          return core::topic_filter::parse(each.first)->matches(shared->topic);
        });
    for (auto i = times; i > 0 && !closed; --i)
      subject.on_publication(shared);
    for (const auto& [share, text] : std::set{shares}) {
      const auto filter = *core::topic_filter::parse(text);
      if (filter.matches(shared->topic))
        subject.on_shared(filter, share, shared);
    }
  }
  void pass(core::milliseconds span) {
    const auto until = now + span;
    time += span;
    for (;;) {
      const auto due = subject.deadline();
      if (!due || *due > until)
        break;
      now = std::max(now, *due);
      subject.on_tick(now);
    }
    now = until;
  }

  /// What was asked since the last look.
  lines take_asked() { return std::exchange(requests, {}); }
  /// What the client was sent since the last look.
  lines take() { return std::exchange(sent, {}); }

  // gate_world
  void send(const any_packet& what) override {
    EXPECT_FALSE(closed) << "sent after the end: " << spell(what);
    if (const auto* ack = std::get_if<connack>(&what))
      welcome = *ack;
    sent.push_back(spell(what));
  }
  delivered send(const delivery& what) override {
    EXPECT_FALSE(closed);
    if (what.what->payload.size() > subject.packet_bytes_max())
      return delivered::too_large;
    auto text = "PUBLISH " + name_of(what.what->topic) + " " +
                std::string{what.what->payload.text()};
    if (what.level != qos::at_most_once)
      text += " qos" + std::to_string(static_cast<int>(what.level)) +
              " id=" + std::to_string(what.id.value());
    if (what.duplicate)
      text += " again";
    if (what.retain)
      text += " retain";
    if (what.alias != 0)
      text += (what.alias_known ? " known-as=" : " alias=") +
              std::to_string(what.alias);
    if (what.age)
      text += " age=" + std::to_string(what.age->count());
    for (const auto id : what.subscription_ids)
      text += " sub=" + std::to_string(id);
    sent.push_back(std::move(text));
    return delivered::sent;
  }
  [[nodiscard]] std::size_t backlog() const override { return unsent; }
  [[nodiscard]] std::string elsewhere() const override {
    return options.server_reference;
  }
  void close(std::string_view why, bool at_once) override {
    EXPECT_FALSE(closed) << "closed twice";
    closed = true;
    aborted = at_once;
    reason = why;
  }
  void log_in(core::credentials what) override {
    shown = std::move(what);
    if (login_waits)
      return;
    core::login_outcome found;
    found.why = login;
    found.who.uid = shown.uid;
    subject.on_login(found);
  }
  [[nodiscard]] bool serves(std::string_view method) const override {
    return methods.contains(std::string{method});
  }
  void begin_proof(std::string_view method, std::string_view said) override {
    proofs.push_back("begin " + std::string{method} + " " + std::string{said});
  }
  void go_on_proof(std::string_view said) override {
    proofs.push_back("go on " + std::string{said});
  }
  std::string make_client_id() override { return "made-up"; }
  void open_session(const session_request& what) override {
    asked_expiry = what.expiry;
    clean = what.clean_start;
    left_will = what.will;
    resumed.present = present;
    subject.on_session(resumed);
  }
  [[nodiscard]] features available() const override { return can; }
  core::deny_reason standing() override { return stands; }
  core::deny_reason check(core::right what, const core::topic& on) override {
    return judge(what, on.text());
  }
  core::deny_reason check(core::right what,
                          const core::topic_filter& on) override {
    return judge(what, on.text());
  }
  core::deny_reason judge(core::right what, const std::string& on) const {
    if (stands != core::deny_reason::none)
      return stands;
    return denied.contains(core::to_string(core::grant{what, on}))
               ? core::deny_reason::not_granted
               : core::deny_reason::none;
  }
  core::deny_reason allow_message() override { return rate; }
  core::result<void> listen(const core::topic_filter& what,
                            std::string_view share, std::string_view) override {
    if (no_room)
      return core::errc::too_many;
    if (share.empty())
      ++listened[what.text()];
    else
      EXPECT_TRUE(shares.emplace(share, what.text()).second);
    return {};
  }
  void stop_listening(const core::topic_filter& what,
                      std::string_view share) override {
    if (!share.empty())
      EXPECT_EQ(shares.erase({std::string{share}, what.text()}), 1U);
    else if (--listened.at(what.text()) == 0)
      listened.erase(what.text());
  }
  publish_state publish(core::publication what, std::string_view name,
                        std::uint64_t ticket) override {
    published.push_back(std::string{name} + " " +
                        std::string{what.payload.text()});
    last = what;
    if (outcome == publish_state::pending) {
      tickets.push_back(ticket);
      return outcome;
    }
    what.publisher = 1;
    if (outcome == publish_state::done)
      to_deliver.push_back(std::move(what));
    return outcome;
  }
  /// What the client has published comes back, as it does behind a turn.
  void turn() {
    for (auto& each : std::exchange(to_deliver, {}))
      deliver(std::move(each));
  }
  [[nodiscard]] bool is_own(const core::publication& what) const override {
    return what.publisher == 1;
  }
  void send_retained(const core::topic_filter& what,
                     const core::topic_filter&) override {
    retained_asked.push_back(what.text());
  }
  void publish_once(core::publication what, std::string_view name,
                    std::uint64_t ticket, packet_id id) override {
    published.push_back(std::string{name} + " " +
                        std::string{what.payload.text()} + " once " +
                        std::to_string(id.value()));
    tickets.push_back(ticket);
  }
  void release(packet_id id) override {
    requests.push_back("release " + std::to_string(id.value()));
  }
  void settle(core::inbox_position up_to,
              std::vector<std::uint16_t> awaiting) override {
    auto text = "settle " + std::to_string(up_to.value());
    for (const auto id : awaiting)
      text += " " + std::to_string(id);
    requests.push_back(std::move(text));
  }
  void complete(packet_id id) override {
    requests.push_back("complete " + std::to_string(id.value()));
  }
  void route(std::uint64_t ticket, std::vector<core::route_name> remove,
             std::vector<core::route> add) override {
    std::string text = "route";
    for (const auto& each : remove)
      text += " -" + each.share + (each.share.empty() ? "" : ":") + each.filter;
    for (const auto& each : add)
      text += " +" + each.name.share + (each.name.share.empty() ? "" : ":") +
              each.name.filter + "=" + std::to_string(each.options.qos);
    requests.push_back(std::move(text));
    tickets.push_back(ticket);
  }
  void keep(seconds expiry) override {
    requests.push_back("keep " + std::to_string(expiry.count()));
  }
  void queue_own(const core::publication& what, qos level, bool retain,
                 std::vector<std::uint32_t>) override {
    requests.push_back("queue " + what.topic.text() + " " +
                       std::to_string(static_cast<int>(level)) +
                       (retain ? " retain" : ""));
  }
  void leave(bool drop_will) override {
    requests.push_back(drop_will ? "leave, no will" : "leave");
  }
  void refused(core::audit_kind what, std::string_view target,
               std::string_view why) override {
    refusals.push_back(std::string{core::to_string(what)} + " " +
                       std::string{target} + " " + std::string{why});
  }
  [[nodiscard]] core::timestamp wall() const override { return time; }

  mqtt_options options;
  mqtt_stats stats;
  core::steady_time now{std::chrono::hours{1}};
  core::timestamp time = core::from_millis(1'700'000'000'000);
  // What the world is like.
  core::deny_reason login = core::deny_reason::none;
  core::deny_reason stands = core::deny_reason::none;
  core::deny_reason rate = core::deny_reason::none;
  std::set<std::string> denied;
  std::set<std::string> methods;
  publish_state outcome = publish_state::done;
  features can{};
  bool login_waits = false;
  bool present = false;
  bool no_room = false;
  std::size_t unsent = 0;
  // What happened.
  lines sent;
  lines published;
  lines refusals;
  lines proofs; ///< what was said in logins of several steps
  lines retained_asked;
  std::vector<std::uint64_t> tickets;
  std::vector<core::publication> to_deliver;
  core::publication last;
  connack welcome;
  core::credentials shown;
  /// What was asked of a session that outlives its connection.
  lines requests;
  session_found resumed{};
  std::optional<core::session_will> left_will{};
  seconds asked_expiry{};
  bool clean = true;
  std::map<std::string, int> listened;
  std::set<std::pair<std::string, std::string>> shares;
  std::uint64_t last_number = 0;
  bool closed = false;
  bool aborted = false;
  std::string reason;

  gate subject;
};

} // namespace troupe::net::mqtt
