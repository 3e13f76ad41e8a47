// SPDX-License-Identifier: Apache-2.0
// What a session does for its gate: logins, rights, topics, the audit.
#include "net/identity/channel_token.hpp"
#include "net/mqtt/certificate_name.hpp"
#include "net/mqtt/session.hpp"

#include <algorithm>
#include <utility>

namespace troupe::net::mqtt {
namespace {

std::string hearing_key(const core::topic_filter& what,
                        std::string_view share) {
  if (share.empty())
    return what.text();
  return "$share/" + std::string{share} + '/' + what.text();
}

} // namespace

// --------------------------------------------------------------------- logins

/// False: the gate has been told.
bool session::lets_in() {
  if (!house_.serving())
    gate_.on_refused(reason_code::server_unavailable,
                     "MQTT is not served at this port");
  else if (house_.moved())
    gate_.on_refused(reason_code::server_moved,
                     "the node was removed from its cluster");
  else if (house_.draining())
    gate_.on_refused(reason_code::use_another_server, "the node drains");
  return !gate_.closed();
}

core::credentials session::whereabouts() const {
  core::credentials from;
  from.realm = house_.options().realm;
  from.address = host_.info().peer.address.to_string();
  from.client = gate_.client_id();
  return from;
}

void session::log_in(core::credentials shown) {
  if (!lets_in())
    return;
  const auto from = whereabouts();
  shown.realm = from.realm;
  shown.address = from.address;
  if (auto found = by_certificate(shown))
    return judged(std::move(*found));
  const auto weak = std::weak_ptr<session*>{self_};
  auto home = house_.with().this_loop();
  house_.with().logins.authenticate(
      std::move(shown),
      [weak, home = std::move(home)](core::login_outcome found) {
        // Never within the call to authenticate(), which may be on another
        // thread by then.
        home([weak, found = std::move(found)]() mutable {
          if (const auto still = weak.lock())
            (*still)->run([&] { (*still)->judged(std::move(found)); });
        });
      });
}

bool session::serves(std::string_view method) const {
  // Where nothing is served, lets_in() says so.
  return !house_.serving() || house_.with().logins.serves(method);
}

void session::begin_proof(std::string_view method, std::string_view said) {
  if (!rights_ && !lets_in())
    return;
  auto shown = whereabouts();
  if (rights_)
    shown.uid = rights_->who().uid;
  dialogue_ = house_.with().logins.begin(method, std::move(shown));
  go_on_proof(said);
}

void session::go_on_proof(std::string_view said) {
  auto step = dialogue_->hear(said);
  if (!step.outcome)
    return gate_.on_challenge(step.challenge);
  dialogue_.reset();
  judged(std::move(*step.outcome));
}

/// Who shows nothing else is whom his certificate names, if that counts here.
std::optional<core::login_outcome>
session::by_certificate(const core::credentials& shown) const {
  const auto& subject = host_.info().client_certificate;
  if (!house_.options().certificate_users || subject.empty() ||
      !shown.uid.empty() || !shown.bearer.empty())
    return std::nullopt;
  core::login_outcome found;
  found.who.realm = shown.realm;
  found.who.uid = common_name_of(subject);
  found.who.client = shown.client;
  found.who.address = shown.address;
  found.who.by = core::credential_kind::device; // has proven something
  found.why = found.who.uid.empty() ? core::deny_reason::wrong_credentials
                                    : house_.with().judge.standing(found.who);
  return found;
}

/// Nobody hears of the outcome before it is on record.
void session::judged(core::login_outcome found) {
  const auto& pen = house_.audit();
  if (!pen.writes())
    return admit(found);
  if (!pen.has_room()) {
    found.why = core::deny_reason::busy;
    found.last_words.clear();
  }
  const auto ticket = pen.note(
      host_.info(),
      {core::audit_kind::login,
       found.who.uid,
       {},
       "mqtt",
       found.why == core::deny_reason::none ? "" : core::to_string(found.why),
       {}});
  pen.when_kept(
      ticket, host_.home(),
      [weak = std::weak_ptr<session*>{self_}, found = std::move(found)] {
        if (const auto still = weak.lock())
          (*still)->run([&] { (*still)->admit(found); });
      });
}

void session::admit(const core::login_outcome& found) {
  if (gate_.closed())
    return;
  if (found.why == core::deny_reason::none) { // the first time, or once more
    const auto& with = house_.with();
    rights_ = std::make_unique<core::session_rights>(with.judge, found.who);
    rights_hold_ = with.live.watch(*this);
    if (found.who.expires && house_.options().expired == expiry_policy::close)
      expires_ = with.clock.now() +
                 std::max(core::steady_time::duration{},
                          core::steady_time::duration{*found.who.expires -
                                                      with.clock.wall()});
  }
  gate_.on_login(found);
}

std::string session::make_client_id() {
  auto made = identity::make_uuid();
  return made.empty() ? made : "auto-" + made;
}

// --------------------------------------------------------------------- rights

core::deny_reason session::standing() { return rights_->standing(); }

core::deny_reason session::check(core::right what, const core::topic& on) {
  return rights_->check(what, on);
}

core::deny_reason session::check(core::right what,
                                 const core::topic_filter& on) {
  return rights_->check(what, on);
}

core::deny_reason session::allow_message() {
  return house_.audit().has_room()
             ? house_.with().judge.allow_message(rights_->who())
             : core::deny_reason::busy;
}

void session::on_rights_changed() {
  run([this] { gate_.on_rights_changed(); });
}

// --------------------------------------------------------------------- topics

/// Hears what a share gives to its session.
class session::share_ear final : public topic_listener {
public:
  share_ear(session& of, const core::topic_filter& filter,
            std::string_view share)
      : of_(of), filter_(filter), share_(share) {}
  virtual ~share_ear() = default;

private:
  void on_publication(const core::publication_ptr& what) override {
    of_.host_.run([&](effects& out) {
      const scope here{of_, out};
      of_.gate_.on_shared(filter_, share_, what);
    });
  }
  void foretell(const core::publication_ptr& what,
                core::fate_list& to) override {
    of_.foretell(what, to);
  }

  session& of_;
  const core::topic_filter filter_;
  const std::string share_;
};

core::result<void> session::listen(const core::topic_filter& what,
                                   std::string_view share,
                                   std::string_view shown) {
  if (!house_.audit().has_room())
    return core::errc::overloaded;
  const auto key = hearing_key(what, share);
  const auto at = heard_.find(key);
  if (at != heard_.end()) {
    ++at->second.subscriptions;
    return {};
  }
  core::listener_about who;
  who.door = name();
  who.session = host_.info().id.value();
  who.uid = rights_->who().uid;
  auto& topics = house_.with().topics;
  const auto& realm = house_.options().realm;
  hearing fresh;
  fresh.subscriptions = 1;
  if (!share.empty())
    fresh.ear = std::make_shared<share_ear>(*this, what, share);
  auto held = share.empty() ? topics.listen(realm, what, *this, who)
                            : topics.share(realm, what, share, *fresh.ear, who);
  if (!held)
    return held.error();
  fresh.hold = std::move(*held);
  if (house_.audit().writes())
    fresh.shown = shown;
  heard_.emplace(key, std::move(fresh));
  note(core::audit_kind::join, shown, {});
  return {};
}

void session::stop_listening(const core::topic_filter& what,
                             std::string_view share) {
  const auto at = heard_.find(hearing_key(what, share));
  if (at == heard_.end() || --at->second.subscriptions > 0)
    return;
  note(core::audit_kind::leave, at->second.shown, {});
  heard_.erase(at);
}

publish_state session::publish(core::publication what, std::string_view shown,
                               std::uint64_t ticket) {
  auto terms = terms_for(what, ticket);
  return hand_over(std::move(what), shown, std::move(terms), ticket);
}

bool session::is_own(const core::publication& what) const {
  return what.publisher == host_.info().id.value() &&
         what.node == house_.with().self;
}

core::timestamp session::wall() const { return house_.with().clock.wall(); }

// ------------------------------------------------------------------ the audit

void session::refused(core::audit_kind what, std::string_view target,
                      std::string_view why) {
  tell_trace(trace_way::event, [&] {
    return "refused: " + std::string{core::to_string(what)} + ' ' +
           std::string{target} + ": " + std::string{why};
  });
  if (const auto& log = house_.with().log)
    log("client " + gate_.client_id() + " of user '" +
        (rights_ ? rights_->who().uid : "") +
        "': " + std::string{core::to_string(what)} + " of " +
        std::string{target} + " refused: " + std::string{why});
  if (house_.audit().writes())
    note(what, target, {}, why);
}

void session::note(core::audit_kind what, std::string_view target,
                   std::string_view type, std::string_view why,
                   core::shared_bytes payload) {
  if (!house_.audit().writes())
    return;
  const auto user = rights_ ? rights_->who().uid : std::string{};
  noted_ = house_.audit().note(
      host_.info(), {what, user, target, type, why, std::move(payload)});
}

void session::hold_back(const any_packet& what) {
  encoded_packet encoded;
  const auto status =
      encode(encoded, what, gate_.speaking(), gate_.packet_bytes_max());
  if (status != encode_status::whole && status != encode_status::shortened)
    return;
  held_.push_back({noted_, core::shared_bytes::copy_of(encoded.head())});
  if (held_.size() == 1)
    wait_for_record();
}

void session::wait_for_record() {
  house_.audit().when_kept(held_.front().ticket, host_.home(),
                           [weak = std::weak_ptr<session*>{self_}] {
                             if (const auto still = weak.lock())
                               (*still)->send_what_is_kept();
                           });
}

/// In the order of the requests: what follows waits behind the first.
void session::send_what_is_kept() {
  run([this] {
    std::size_t sent = 0;
    for (; sent < held_.size() && house_.audit().is_kept(held_[sent].ticket);
         ++sent) {
      if (endpoint_)
        write(std::span{&held_[sent].bytes, 1});
      else
        out_->output.append(held_[sent].bytes);
    }
    held_.erase(held_.begin(),
                held_.begin() + static_cast<std::ptrdiff_t>(sent));
    if (!held_.empty())
      wait_for_record();
  });
}

} // namespace troupe::net::mqtt
