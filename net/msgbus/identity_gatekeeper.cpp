// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/identity_gatekeeper.hpp"

#include "net/http_message.hpp"
#include "net/msgbus/basic_credentials.hpp"
#include "net/msgbus/channel_name.hpp"
#include "net/msgbus/part_writer.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace troupe::net::msgbus {
namespace {

constexpr std::size_t known_max = 4096;
constexpr core::milliseconds known_time{60'000};

/// Of "Bearer TOKEN" (RFC 6750); the name of the scheme in any case.
std::optional<std::string> bearer_of(std::string_view field) {
  constexpr std::string_view scheme = "bearer ";
  if (!equal_ignoring_case(field.substr(0, scheme.size()), scheme))
    return std::nullopt;
  field.remove_prefix(scheme.size());
  const auto begin = field.find_first_not_of(' ');
  return std::string{begin == std::string_view::npos ? ""
                                                     : field.substr(begin)};
}

verdict refusal(core::deny_reason why, std::string sender) {
  verdict found;
  found.why = why;
  found.sender = std::move(sender);
  switch (why) {
  case core::deny_reason::not_granted:
  case core::deny_reason::user_banned:
  case core::deny_reason::address_banned:
    found.what = verdict::kind::denied;
    break;
  case core::deny_reason::too_many_attempts:
  case core::deny_reason::too_many_messages:
  case core::deny_reason::busy:
    found.what = verdict::kind::hasty;
    break;
  default:
    found.what = verdict::kind::unknown;
  }
  return found;
}

} // namespace

identity_gatekeeper::identity_gatekeeper(parts from, std::string realm,
                                         std::string password)
    : from_(std::move(from)), realm_(std::move(realm)),
      password_(std::move(password)), known_(known_max, known_time) {}

core::principal identity_gatekeeper::nobody(const visitor& who) const {
  core::principal made;
  made.realm = realm_;
  made.address = unmapped(who.connection.peer.address).to_string();
  return made;
}

void identity_gatekeeper::decide(const visitor& who,
                                 std::function<void(verdict)> then) const {
  const auto field = who.authorization;
  auto basic = parse_basic(field);
  wish what{who.wants, std::string{who.channel},
            basic ? one_line(basic->user) : std::string{}};
  auto shown_by = nobody(who);
  if (!password_.empty()) {
    if (!basic || !same_secret(basic->password, password_))
      return then(refusal(core::deny_reason::wrong_credentials, what.called));
    shown_by.by = core::credential_kind::device; // has proven something
    return then(judge(what, std::move(shown_by)));
  }
  core::credentials shown;
  shown.realm = realm_;
  shown.address = shown_by.address;
  if (auto bearer = bearer_of(field)) {
    shown.bearer = std::move(*bearer);
    if (shown.bearer.empty())
      return then(refusal(core::deny_reason::wrong_credentials, what.called));
  } else if (basic) {
    const auto account = from_.store.account(realm_, basic->user);
    if (account && !account->password.empty()) {
      shown.uid = std::move(basic->user);
      shown.password = std::move(basic->password);
    }
  }
  if (shown.uid.empty() && shown.bearer.empty())
    return then(judge(what, std::move(shown_by)));
  auto key = shown.address + '\n' + std::string{field};
  if (auto known = known_.find(key, from_.clock.now()))
    return then(judge(what, std::move(*known)));
  log_in(std::move(shown), std::move(key), std::move(what), std::move(then));
}

void identity_gatekeeper::log_in(core::credentials shown, std::string key,
                                 wish what,
                                 std::function<void(verdict)> then) const {
  auto home = from_.this_loop();
  const auto here = std::this_thread::get_id();
  from_.logins.authenticate(
      std::move(shown),
      [this, home = std::move(home), here, key = std::move(key),
       what = std::move(what),
       then = std::move(then)](core::login_outcome outcome) mutable {
        auto finish = [this, key = std::move(key), what = std::move(what),
                       then = std::move(then),
                       outcome = std::move(outcome)]() mutable {
          if (outcome.why != core::deny_reason::none)
            return then(refusal(outcome.why, what.called));
          known_.put(std::move(key), outcome.who, from_.clock.now());
          then(judge(what, std::move(outcome.who)));
        };
        if (here == std::this_thread::get_id())
          return finish();
        home(std::move(finish));
      });
}

verdict identity_gatekeeper::judge(const wish& what,
                                   core::principal who) const {
  verdict found;
  found.sender = who.uid.empty() ? what.called : who.uid;
  // Files are for everybody whom a server password does not keep out.
  if (what.what != deed::publish && what.what != deed::subscribe)
    return found;
  auto rights =
      std::make_shared<core::session_rights>(from_.judge, std::move(who));
  if (const auto why = rights->standing(); why != core::deny_reason::none)
    return refusal(why, found.sender);
  auto why = core::deny_reason::none;
  if (what.what == deed::publish) {
    why = from_.judge.allow_message(rights->who());
    if (const auto name = topic_of(what.channel);
        name && why == core::deny_reason::none)
      why = rights->check(core::right::publish, *name);
  } else {
    if (const auto filter = filter_of(what.channel))
      why = rights->check(core::right::subscribe, *filter);
    found.rights = std::move(rights);
  }
  return why == core::deny_reason::none ? found : refusal(why, found.sender);
}

} // namespace troupe::net::msgbus
