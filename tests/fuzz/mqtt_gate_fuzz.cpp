// SPDX-License-Identifier: Apache-2.0

// MQTT's gate against a client that says anything: packets as they stand in the
// input, and between them, where a packet can't begin (first nibble 0), what
// else happens in the world. Whatever comes, nothing is sent behind the end, no
// packet id is used twice at once, and all that was taken is given back.
#include "core/assert.hpp"
#include "net/mqtt/crossing.hpp"
#include "net/mqtt/decoder.hpp"
#include "net/mqtt/gate.hpp"
#include "net/mqtt/topic_spelling.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace troupe;
using namespace troupe::net::mqtt;

namespace {

constexpr std::size_t packet_bytes_max = std::size_t{1} << 16U;

mqtt_options options_of(std::uint8_t bits) {
  mqtt_options how;
  how.packet_bytes_max = packet_bytes_max;
  how.denied = static_cast<denial_policy>(bits % 3U);
  how.queue_full = static_cast<overflow_policy>(bits / 3U % 2U);
  how.receive_maximum = static_cast<std::uint16_t>(1 + bits % 4U);
  how.inflight_max = static_cast<std::uint16_t>(1 + bits / 4U % 4U);
  how.queue_messages_max = bits / 16U % 8U;
  how.subscriptions_max = 4;
  how.topic_alias_max = static_cast<std::uint16_t>(bits % 5U);
  return how;
}

class world final : public gate_world {
public:
  explicit world(std::uint8_t bits)
      : options_(options_of(bits)), retained_((bits & 1U) != 0),
        shared_((bits & 2U) != 0), subject_(options_, stats_, *this) {
    subject_.on_open(now_);
  }

  /// Takes what is at the beginning; 0: there is no whole packet any more.
  std::size_t step(const core::shared_bytes& owner, core::bytes_view in) {
    if ((static_cast<unsigned>(in.front()) & 0xF0U) == 0) {
      happen(static_cast<unsigned>(in.front()));
      return 1;
    }
    const auto next =
        decode_frame(in, options_.packet_bytes_max, subject_.speaking());
    if (next.what == frame::status::need_more)
      return 0;
    if (next.what == frame::status::violation) {
      subject_.on_violation(next.broken, std::nullopt);
      return in.size();
    }
    decode_options how;
    how.speaking = subject_.speaking();
    how.owner = &owner;
    if (const auto read = decode(next, how); read)
      subject_.on_packet(read.value, now_);
    else
      subject_.on_violation(read.broken, next.type == packet_type::connect
                                             ? version_of(next)
                                             : std::nullopt);
    return next.bytes;
  }

  [[nodiscard]] bool over() const { return closed_; }

  void end() {
    subject_.on_closed();
    closed_ = true;
    TROUPE_ASSERT(listened_.empty() && shares_.empty(), "listens for ever");
    TROUPE_ASSERT(stats_.sessions == 0, "a session for ever");
    TROUPE_ASSERT(stats_.subscriptions == 0, "subscriptions for ever");
    come_late();
  }

private:
  void happen(unsigned what) {
    switch (what % 8U) {
    case 0:
      pass(core::milliseconds{700});
      return;
    case 1:
      return arrive(what < 8 ? "a" : "a/b",
                    what < 8 ? qos::at_least_once : qos::exactly_once);
    case 2:
      for (auto& each : std::exchange(published_, {}))
        arrive(std::move(each));
      return;
    case 3:
      pending_ = what >= 8;
      if (!tickets_.empty()) {
        const auto ticket = tickets_.back();
        tickets_.pop_back();
        subject_.on_published(ticket, what < 8 ? reason_code::success
                                               : reason_code::quota_exceeded);
      }
      return;
    case 4:
      unsent_ = what < 8 ? 0 : options_.backlog_bytes_max + 1;
      return subject_.on_room();
    case 5:
      denies_ = what >= 8;
      return subject_.on_rights_changed();
    case 6:
      if (what >= 8)
        return answer_for_the_session();
      subject_.on_heard(now_);
      return;
    default:
      subject_.on_farewell(what < 8 ? farewell::draining : farewell::kicked);
    }
  }
  /// What a session that outlives its connection waits for.
  void answer_for_the_session() {
    for (auto& each : std::exchange(routed_, {}))
      if (!closed_)
        subject_.on_routed(each);
    if (const auto ids = std::exchange(awaiting_, {}); !ids.empty() && !closed_)
      subject_.on_released(ids);
    if (const auto ids = std::exchange(releasing_, {});
        !ids.empty() && !closed_)
      subject_.on_completed(ids);
    for (auto& each : std::exchange(inbox_, {}))
      if (!closed_)
        deliver_next(std::move(each));
    give_retained();
  }
  /// What was asked for is answered when nobody waits any more: send() and
  /// close() must not be called.
  void come_late() {
    for (const auto ticket : tickets_)
      subject_.on_published(ticket, reason_code::success);
    answer_for_the_session();
    for (const auto& each : routed_)
      subject_.on_routed(each);
    subject_.on_released({1});
    subject_.on_completed({1});
    give_retained();
    subject_.on_room();
    subject_.on_rights_changed();
    subject_.on_tick(now_);
    subject_.on_farewell(farewell::kicked);
  }
  void give_retained() {
    for (const auto& of : std::exchange(retained_asked_, {})) {
      auto what = publication_of(*parse_topic("a"), qos::at_least_once, true,
                                 {}, core::shared_bytes::copy_of("kept"));
      what.number =
          static_cast<std::uint64_t>(core::to_millis(time_)) * 1000 + ++last_;
      (void)subject_.on_retained(
          of, std::make_shared<const core::publication>(std::move(what)));
    }
  }
  void deliver_next(outgoing what) {
    position_ = core::next(position_);
    subject_.on_delivery(position_, std::move(what), time_);
  }
  void pass(core::milliseconds span) {
    now_ += span;
    time_ += span;
    for (int i = 0; i < 16 && !closed_; ++i) {
      const auto due = subject_.deadline();
      if (!due || *due > now_)
        return;
      subject_.on_tick(now_);
    }
    TROUPE_ASSERT(closed_, "is due for ever");
  }
  void arrive(std::string_view topic, qos level) {
    arrive(publication_of(*parse_topic(topic), level, false, {},
                          core::shared_bytes::copy_of("x")));
  }
  void arrive(core::publication what) {
    what.number =
        static_cast<std::uint64_t>(core::to_millis(time_)) * 1000 + ++last_;
    const auto shared =
        std::make_shared<const core::publication>(std::move(what));
    const auto heard = listened_;
    for (const auto& [text, times] : heard)
      if (core::topic_filter::parse(text)->matches(shared->topic) && !closed_)
        subject_.on_publication(shared);
    const auto turns = shares_;
    for (const auto& [share, text] : turns)
      if (const auto filter = *core::topic_filter::parse(text);
          filter.matches(shared->topic) && !closed_)
        subject_.on_shared(filter, share, shared);
  }

  // gate_world
  void send(const any_packet& what) override {
    TROUPE_ASSERT(!closed_, "sent after the end");
    if (const auto* said = std::get_if<pubrel>(&what))
      TROUPE_ASSERT(said->id != packet_id{}, "no packet id");
  }
  delivered send(const delivery& what) override {
    TROUPE_ASSERT(!closed_, "sent after the end");
    TROUPE_ASSERT((what.level == qos::at_most_once) == (what.id == packet_id{}),
                  "a packet id where none belongs");
    return what.what->payload.size() > subject_.packet_bytes_max()
               ? delivered::too_large
               : delivered::sent;
  }
  [[nodiscard]] std::size_t backlog() const override { return unsent_; }
  void close(std::string_view why, bool) override {
    TROUPE_ASSERT(!closed_, "closed twice");
    TROUPE_ASSERT(!why.empty(), "no reason");
    closed_ = true;
  }
  void log_in(core::credentials shown) override {
    core::login_outcome found;
    found.who.uid = shown.uid;
    subject_.on_login(found);
  }
  [[nodiscard]] bool serves(std::string_view method) const override {
    return method == "SCRAM-SHA-256";
  }
  void begin_proof(std::string_view, std::string_view said) override {
    go_on_proof(said);
  }
  /// What begins with a "y" is the right answer, with an "n" the wrong one.
  void go_on_proof(std::string_view said) override {
    if (!said.starts_with('y') && !said.starts_with('n'))
      return subject_.on_challenge(said);
    core::login_outcome found;
    found.why = said.front() == 'y' ? core::deny_reason::none
                                    : core::deny_reason::wrong_credentials;
    found.last_words = said;
    subject_.on_login(found);
  }
  std::string make_client_id() override { return "made-up"; }
  void open_session(const session_request& what) override {
    session_found found;
    found.present = !what.clean_start && what.expiry.count() > 0;
    if (found.present)
      found.awaiting = {1, 7};
    subject_.on_session(found);
  }
  [[nodiscard]] features available() const override {
    return {seconds{retained_ ? 3'600U : 0U}, retained_, shared_};
  }
  core::deny_reason standing() override { return core::deny_reason::none; }
  core::deny_reason check(core::right, const core::topic&) override {
    return judge();
  }
  core::deny_reason check(core::right, const core::topic_filter&) override {
    return judge();
  }
  [[nodiscard]] core::deny_reason judge() const {
    return denies_ ? core::deny_reason::not_granted : core::deny_reason::none;
  }
  core::deny_reason allow_message() override { return core::deny_reason::none; }
  core::result<void> listen(const core::topic_filter& what,
                            std::string_view share, std::string_view) override {
    if (share.empty())
      ++listened_[what.text()];
    else
      TROUPE_ASSERT(shares_.emplace(share, what.text()).second, "shares twice");
    return {};
  }
  void stop_listening(const core::topic_filter& what,
                      std::string_view share) override {
    if (!share.empty()) {
      TROUPE_ASSERT(shares_.erase({std::string{share}, what.text()}) == 1,
                    "stops what it does not share");
      return;
    }
    const auto at = listened_.find(what.text());
    TROUPE_ASSERT(at != listened_.end(), "stops what it does not hear");
    if (--at->second == 0)
      listened_.erase(at);
  }
  publish_state publish(core::publication what, std::string_view,
                        std::uint64_t ticket) override {
    if (pending_ && tickets_.size() < 100) {
      tickets_.push_back(ticket);
      return publish_state::pending;
    }
    what.publisher = 1;
    if (published_.size() < 100)
      published_.push_back(std::move(what));
    return publish_state::done;
  }
  void publish_once(core::publication what, std::string_view shown,
                    std::uint64_t ticket, packet_id id) override {
    TROUPE_ASSERT(id != packet_id{}, "no packet id");
    TROUPE_ASSERT(!left_, "publishes without a session");
    (void)publish(std::move(what), shown, ticket);
    if (tickets_.empty() || tickets_.back() != ticket)
      tickets_.push_back(ticket);
  }
  void release(packet_id id) override { releasing_.push_back(id.value()); }
  void settle(core::inbox_position up_to,
              std::vector<std::uint16_t> awaiting) override {
    TROUPE_ASSERT(settled_ < up_to && up_to <= position_, "settles anything");
    settled_ = up_to;
    awaiting_.insert(awaiting_.end(), awaiting.begin(), awaiting.end());
  }
  void complete(packet_id) override {}
  void route(std::uint64_t ticket, std::vector<core::route_name> remove,
             std::vector<core::route> add) override {
    core::client_routed done;
    done.ticket = ticket;
    done.results.assign(remove.size() + add.size(),
                        core::route_result::was_absent);
    if (denies_ && !add.empty())
      done.results.back() = core::route_result::refused;
    done.at = core::log_index{++last_};
    routed_.push_back(std::move(done));
  }
  void keep(seconds) override {}
  void queue_own(const core::publication& what, qos level, bool retain,
                 std::vector<std::uint32_t> ids) override {
    TROUPE_ASSERT(level != qos::at_most_once, "queues what is not kept");
    if (inbox_.size() < 100)
      inbox_.push_back({std::make_shared<const core::publication>(what), level,
                        retain, std::move(ids)});
  }
  void leave(bool) override {
    TROUPE_ASSERT(!left_, "leaves twice");
    left_ = true;
  }
  [[nodiscard]] bool is_own(const core::publication& what) const override {
    return what.publisher == 1;
  }
  void send_retained(const core::topic_filter&,
                     const core::topic_filter& of) override {
    if (retained_asked_.size() < 100)
      retained_asked_.push_back(of);
  }
  void refused(core::audit_kind, std::string_view, std::string_view) override {}
  [[nodiscard]] core::timestamp wall() const override { return time_; }

  const mqtt_options options_;
  const bool retained_;
  const bool shared_;
  mqtt_stats stats_;
  core::steady_time now_{std::chrono::hours{1}};
  core::timestamp time_ = core::from_millis(1'700'000'000'000);
  bool closed_ = false;
  bool denies_ = false;
  bool pending_ = false;
  std::size_t unsent_ = 0;
  std::uint64_t last_ = 0;
  std::map<std::string, int> listened_;
  std::set<std::pair<std::string, std::string>> shares_;
  std::vector<std::uint64_t> tickets_;
  // Of a session that outlives its connection.
  bool left_ = false;
  core::inbox_position position_;
  core::inbox_position settled_;
  std::vector<core::client_routed> routed_;
  std::vector<std::uint16_t> awaiting_;
  std::vector<std::uint16_t> releasing_;
  std::vector<outgoing> inbox_;
  std::vector<core::publication> published_;
  std::vector<core::topic_filter> retained_asked_; ///< for these subscriptions
  gate subject_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0)
    return 0;
  const auto owner = core::shared_bytes::copy_of(
      core::bytes_view{reinterpret_cast<const std::byte*>(data + 1), size - 1});
  auto in = owner.view();
  world all{data[0]};
  while (!in.empty() && !all.over()) {
    const auto used = all.step(owner, in);
    if (used == 0)
      break;
    in = in.subspan(used);
  }
  all.end();
  return 0;
}
