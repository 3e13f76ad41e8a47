// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus_desk.hpp"

#include "actors/runtime/loop.hpp"
#include "core/assert.hpp"
#include "core/errc.hpp"
#include "core/principal.hpp"
#include "net/msgbus/channel_name.hpp"
#include "net/msgbus/part_writer.hpp"
#include "net/msgbus/subscriber.hpp"

#include <algorithm>
#include <utility>

namespace troupe::net {
namespace {

using actors::runtime::loop;
using msgbus::bus_stats;
using msgbus::count;
using msgbus::deed;
using msgbus::ruling;
using msgbus::verdict;
using msgbus::wish;

/// By the other clock a right that ends has not ended yet.
constexpr core::milliseconds expiry_again{500};
/// As listeners are shown.
constexpr const char* door_name = "msgbus";

ruling::kind kind_of(verdict::kind what) {
  switch (what) {
  case verdict::kind::admitted:
    return ruling::kind::granted;
  case verdict::kind::unknown:
    return ruling::kind::unknown;
  case verdict::kind::denied:
    return ruling::kind::denied;
  case verdict::kind::hasty:
    return ruling::kind::hasty;
  }
  return ruling::kind::busy;
}

ruling::kind kind_of(core::errc why) {
  switch (why) {
  case core::errc::malformed:
    return ruling::kind::malformed;
  case core::errc::name_invalid:
    return ruling::kind::long_name;
  case core::errc::too_large:
    return ruling::kind::large;
  default:
    return ruling::kind::busy;
  }
}

void count_refusal(bus_stats& stats, ruling::kind what) {
  switch (what) {
  case ruling::kind::granted:
    return;
  case ruling::kind::unknown:
    return count(stats.refused_unknown);
  case ruling::kind::denied:
    return count(stats.refused_denied);
  case ruling::kind::malformed:
  case ruling::kind::long_name:
  case ruling::kind::large:
    return count(stats.refused_bad);
  case ruling::kind::hasty:
  case ruling::kind::busy:
    return count(stats.refused_busy);
  }
}

} // namespace

/// A wish between the question to the gatekeeper and its answer.
struct msgbus_desk::errand {
  connection_info from;
  wish what;
  std::function<void(ruling)> then;
};

/// A seat, and what ends it from this side.
class msgbus_desk::chair final : public msgbus::seat,
                                 private topic_listener,
                                 private identity::live_rights::watcher {
public:
  chair(msgbus::bus_context& shared, const errand& of, const verdict& found)
      : shared_(shared), from_(of.from), what_(of.what), user_(found.sender),
        rights_(found.rights) {}
  ~chair() override;
  chair(const chair&) = delete;
  chair& operator=(const chair&) = delete;

  core::result<void> open();
  /// none: he may listen still.
  [[nodiscard]] core::deny_reason judge();
  void begin(msgbus::seat_user& user) override;

private:
  void on_publication(const core::publication_ptr& what) override {
    if (target_ != nullptr)
      target_->on_publication(what); // last: may end this
  }
  void foretell(const core::publication_ptr& what,
                core::fate_list& to) override {
    core::listener_fate one;
    one.door = door_name;
    one.session = from_.id.value();
    one.uid = user_;
    if (target_ == nullptr) {
      one.what = core::fate::dropped;
      one.why = "it has not begun to listen, or may not any more";
    } else {
      target_->foretell(what, one);
    }
    to.add(std::move(one));
  }
  void on_rights_changed() override { look(); }
  void look();
  void look_again(core::steady_time at);
  void note(core::audit_kind kind) const;
  [[nodiscard]] std::string described(std::string_view verb) const;

  msgbus::bus_context& shared_;
  const connection_info from_;
  const wish what_;
  const std::string user_;
  const std::shared_ptr<core::session_rights> rights_;
  msgbus::seat_user* target_ = nullptr; ///< null: not yet, or not any more
  std::unique_ptr<topic_hold> hold_;
  identity::live_rights::hold rights_hold_;
  /// For timers: gone with this.
  std::shared_ptr<chair*> self_ = std::make_shared<chair*>(this);
};

core::result<void> msgbus_desk::chair::open() {
  const auto filter = msgbus::filter_of(what_.channel);
  if (!filter)
    return filter.error();
  core::listener_about who;
  who.door = door_name;
  who.session = from_.id.value();
  who.uid = user_;
  auto made =
      shared_.topics->listen(shared_.options.realm, *filter, *this, who);
  if (!made)
    return made.error();
  hold_ = std::move(*made);
  if (rights_ && shared_.live != nullptr)
    rights_hold_ = shared_.live->watch(*this);
  count(shared_.stats.subscribers);
  count(what_.poll ? shared_.stats.polls : shared_.stats.subscriptions);
  if (shared_.log->wants_debug())
    shared_.log->debug(described("SUB"));
  note(core::audit_kind::join);
  return {};
}

msgbus_desk::chair::~chair() {
  if (!hold_)
    return;
  hold_.reset();
  shared_.stats.subscribers.fetch_sub(1, std::memory_order_relaxed);
  if (shared_.log->wants_debug())
    shared_.log->debug(described("UNSUB"));
  note(core::audit_kind::leave);
}

void msgbus_desk::chair::begin(msgbus::seat_user& user) {
  target_ = &user;
  if (!rights_ || shared_.live == nullptr || !rights_->who().expires)
    return;
  const auto left =
      core::steady_time::duration{*rights_->who().expires - rights_->now()};
  look_again(loop::current()->clock().now() +
             std::max(core::steady_time::duration{}, left));
}

void msgbus_desk::chair::look_again(core::steady_time at) {
  loop::current()->call_at(at, std::weak_ptr{self_}, [](chair* self) {
    self->look_again(loop::current()->clock().now() + expiry_again);
    self->look(); // last: may end this
  });
}

core::deny_reason msgbus_desk::chair::judge() {
  if (!rights_)
    return core::deny_reason::none;
  const auto why = rights_->standing();
  const auto filter = msgbus::filter_of(what_.channel);
  if (why != core::deny_reason::none || !filter)
    return why;
  return rights_->check(core::right::subscribe, *filter);
}

void msgbus_desk::chair::look() {
  if (target_ == nullptr)
    return;
  const auto why = judge();
  if (why == core::deny_reason::none)
    return;
  count(shared_.stats.ended_by_rights);
  auto* user = std::exchange(target_, nullptr);
  user->on_seat_lost("may not listen any more: " +
                     std::string{core::to_string(why)});
}

void msgbus_desk::chair::note(core::audit_kind kind) const {
  shared_.audit.note(
      from_, {kind, user_, what_.channel, what_.poll ? "poll" : "stream"});
}

std::string msgbus_desk::chair::described(std::string_view verb) const {
  return std::string{verb} + " " + msgbus::client_text(from_, user_) + ": " +
         msgbus::one_line(what_.channel) + " " + what_.filters;
}

void msgbus_desk::later(std::function<void()> work) {
  shared_.topics->later(std::move(work));
}

void msgbus_desk::ask(const connection_info& from, wish what,
                      std::function<void(ruling)> then) {
  auto of =
      std::make_shared<errand>(errand{from, std::move(what), std::move(then)});
  shared_.keeper->decide(
      {of->what.authorization, of->from, of->what.what, of->what.channel},
      [this, of](const verdict& found) { carry_out(*of, found); });
}

void msgbus_desk::carry_out(errand& of, const verdict& found) {
  const auto what = of.what.what;
  const bool on_bus = what != deed::read_file;
  if (found.what != verdict::kind::admitted) {
    if (on_bus)
      note(of, found, core::to_string(found.why));
    const auto told = kind_of(found.what);
    count_refusal(shared_.stats, told);
    return of.then({told, found.sender});
  }
  if (what == deed::other)
    count(shared_.stats.refused_bad);
  if (what != deed::publish && what != deed::subscribe)
    return of.then({ruling::kind::granted, found.sender});
  if (!shared_.audit.has_room())
    return refuse(of, found, core::errc::overloaded);
  if (what == deed::publish)
    publish(of, found);
  else
    subscribe(of, found);
}

/// Tells the client no, and the audit why.
void msgbus_desk::refuse(const errand& of, const verdict& found,
                         core::errc why) {
  note(of, found, core::to_string(why));
  const auto told = kind_of(why);
  count_refusal(shared_.stats, told);
  of.then({told, found.sender});
}

void msgbus_desk::subscribe(errand& of, const verdict& found) {
  of.what.authorization = {}; // it was judged, and he may stay for days
  auto fresh = std::make_unique<chair>(shared_, of, found);
  if (auto begun = fresh->open(); !begun)
    return refuse(of, found,
                  begun.error().code == core::errc::too_large
                      ? core::errc::name_invalid
                      : begun.error().code);
  ruling done;
  done.sender = found.sender;
  // Once more, now that it is told of changes.
  if (const auto why = fresh->judge(); why != core::deny_reason::none) {
    done.what = ruling::kind::denied;
    count_refusal(shared_.stats, done.what);
    return of.then(std::move(done));
  }
  // After it began to listen, so that nothing lies between.
  if (of.what.since && shared_.past != nullptr) {
    std::optional<std::string> topic;
    if (!of.what.channel.empty())
      topic = msgbus::topic_of(of.what.channel)->text();
    done.past = shared_.past->since(topic, *of.what.since,
                                    shared_.options.backlog_bytes_max);
  }
  done.seat = std::move(fresh);
  of.then(std::move(done));
}

void msgbus_desk::publish(errand& of, const verdict& found) {
  const auto& asked = of.what;
  const auto limit = shared_.options.field_bytes_max;
  if (asked.type.empty() || asked.type.size() > limit ||
      found.sender.size() > limit)
    return refuse(of, found, core::errc::malformed);
  auto name = msgbus::topic_of(asked.channel);
  if (!name)
    return refuse(of, found, core::errc::name_invalid);
  core::publication message;
  message.realm = shared_.options.realm;
  message.topic = std::move(*name);
  message.publisher = of.from.id.value();
  message.sender = found.sender;
  message.content_type = asked.type;
  message.payload = asked.body;
  if (auto done = shared_.topics->publish(std::move(message)); !done)
    return refuse(of, found, core::errc::too_large);
  const auto ticket = note(of, found, {});
  count(shared_.stats.published);
  count(shared_.stats.published_bytes, asked.body.size());
  if (shared_.log->wants_debug())
    shared_.log->debug("PUB " + msgbus::client_text(of.from, found.sender) +
                       ": " + asked.channel + " " + asked.type + " (" +
                       std::to_string(asked.body.size()) + ")");
  ruling done{ruling::kind::granted, found.sender};
  if (shared_.audit.is_kept(ticket))
    return of.then(std::move(done));
  // The answer waits for its record.
  shared_.audit.when_kept(ticket,
                          [then = std::move(of.then), sender = found.sender] {
                            then({ruling::kind::granted, sender});
                          });
}

/// What was asked, and why it was refused, if it was. Before the answer: with
/// that the connection may go.
core::audit_ticket msgbus_desk::note(const errand& of, const verdict& found,
                                     std::string_view reason) const {
  door_note noted;
  noted.kind = of.what.what == deed::publish ? core::audit_kind::publish
                                             : core::audit_kind::join;
  noted.user = found.sender;
  noted.target = of.what.channel;
  noted.type = of.what.type;
  noted.reason = reason;
  noted.payload = of.what.body;
  return shared_.audit.note(of.from, noted);
}

} // namespace troupe::net
