// SPDX-License-Identifier: Apache-2.0
#include "core/authorizer.hpp"

#include "core/rights_registry.hpp"

#include <utility>

namespace troupe::core {
namespace {

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1" ||
         address.starts_with("::ffff:127.");
}

std::vector<grant> placeholders_of(const std::vector<grant>& grants) {
  std::vector<grant> some;
  for (const auto& each : grants)
    if (each.has_placeholder())
      some.push_back(each);
  return some;
}

/// Grants with a placeholder expand to nothing for nobody.
std::shared_ptr<const grant_set> shared_of(const std::vector<grant>& grants) {
  return std::make_shared<const grant_set>(grants, grant_subject{});
}

void append(std::vector<grant>& to, const std::vector<grant>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

} // namespace

authorizer::authorizer(const rights_store& store, const rights_board& board,
                       const clock& time, authorizer_options options)
    : store_(store), board_(board), clock_(time), options_(std::move(options)),
      everybodys_own_(placeholders_of(options_.everybody)),
      everybody_(shared_of(options_.everybody)),
      messages_of_user_(options_.messages_of_user),
      messages_from_address_(options_.messages_from_address) {}

deny_reason authorizer::allow_message(const principal& who) const {
  if (!messages_of_user_.limited() && !messages_from_address_.limited())
    return deny_reason::none;
  const auto now = clock_.now();
  const bool allowed =
      (who.address.empty() || messages_from_address_.take(who.address, now)) &&
      (who.uid.empty() ||
       messages_of_user_.take(who.realm + '\0' + who.uid, now));
  if (allowed)
    return deny_reason::none;
  rights_stats::count(stats_.checks_denied, deny_reason::too_many_messages);
  return deny_reason::too_many_messages;
}

authorizer::message_room
authorizer::message_room_of(const principal& who) const {
  message_room found;
  const auto now = clock_.now();
  if (messages_from_address_.limited() && !who.address.empty())
    found.of_address = messages_from_address_.left(who.address, now);
  if (messages_of_user_.limited() && !who.uid.empty())
    found.of_user = messages_of_user_.left(who.realm + '\0' + who.uid, now);
  if (found.of_address.value_or(1) < 1 || found.of_user.value_or(1) < 1)
    found.why = deny_reason::too_many_messages;
  return found;
}

std::optional<authorizer::ban_found>
authorizer::ban_of(const principal& who) const {
  if (is_banned(ban_kind::address, {}, who.address))
    return ban_found{who.address,
                     *store_.ban(ban_kind::address, {}, who.address)};
  if (is_banned(ban_kind::user, who.realm, who.uid))
    return ban_found{who.uid, *store_.ban(ban_kind::user, who.realm, who.uid)};
  return std::nullopt;
}

bool authorizer::is_banned(ban_kind kind, std::string_view realm,
                           std::string_view name) const {
  if (name.empty())
    return false;
  const auto ban = store_.ban(kind, realm, name);
  return ban && (!ban->until || *ban->until > clock_.wall());
}

deny_reason authorizer::standing(const principal& who) const {
  if (who.expires && *who.expires <= clock_.wall())
    return deny_reason::expired;
  if (board_.any_bans()) {
    if (is_banned(ban_kind::address, {}, who.address))
      return deny_reason::address_banned;
    if (is_banned(ban_kind::user, who.realm, who.uid))
      return deny_reason::user_banned;
  }
  switch (who.by) {
  case credential_kind::none:
    return options_.anonymous == anonymous_policy::allow ||
                   (options_.anonymous == anonymous_policy::loopback &&
                    is_loopback(who.address))
               ? deny_reason::none
               : deny_reason::no_credentials;
  case credential_kind::token:
    return store_.token(who.token) ? deny_reason::none : deny_reason::revoked;
  case credential_kind::password: {
    const auto account = store_.account(who.realm, who.uid);
    return account && !account->password.empty() &&
                   account->password_set == who.password_set
               ? deny_reason::none
               : deny_reason::password_changed;
  }
  case credential_kind::device:
  case credential_kind::jwt:
    return deny_reason::none;
  }
  return deny_reason::wrong_credentials;
}

bool authorizer::is_blocked(std::string_view realm, std::string_view uid,
                            std::string_view sender) const {
  return board_.any_blocks() && store_.has_block(realm, uid, sender);
}

authorizer::role_set authorizer::role_of(std::string_view realm,
                                         const std::string& name) const {
  const auto epoch = board_.epoch();
  const std::lock_guard lock{mutex_};
  const std::pair key{std::string{realm}, name};
  const auto at = roles_.find(key);
  // Without all the grants, of which there may be many.
  const auto part_of = [](const role_set& set) {
    role_set part;
    part.with_placeholders = set.with_placeholders;
    part.shared = set.shared;
    return part;
  };
  if (at != roles_.end() && at->second.epoch == epoch)
    return part_of(at->second);
  const auto record = store_.role(realm, name);
  if (!record) { // nothing is kept of names that somebody made up
    if (at != roles_.end())
      roles_.erase(at);
    return {};
  }
  auto& set = roles_[key];
  set.epoch = epoch;
  if (!set.shared || set.grants != record->grants) {
    set.grants = record->grants;
    set.with_placeholders = placeholders_of(record->grants);
    set.shared = shared_of(record->grants);
  }
  return part_of(set);
}

effective_grants authorizer::compile(const principal& who) const {
  stats_.compilations.fetch_add(1, std::memory_order_relaxed);
  std::vector<grant> own = who.grants;
  auto roles = who.roles;
  effective_grants all;
  if (!who.own_rights_only) {
    append(own, everybodys_own_);
    all.sets.push_back(everybody_);
    roles.emplace_back(who.uid.empty() ? role_of_anonymous : role_of_users);
    if (!who.uid.empty())
      if (const auto account = store_.account(who.realm, who.uid)) {
        append(own, account->grants);
        roles.insert(roles.end(), account->roles.begin(), account->roles.end());
      }
  }
  for (const auto& name : roles) {
    auto role = role_of(who.realm, name);
    append(own, role.with_placeholders);
    if (role.shared && !role.shared->empty())
      all.sets.push_back(std::move(role.shared));
  }
  if (!own.empty())
    all.sets.push_back(std::make_shared<const grant_set>(
        own, grant_subject{who.uid, who.client}));
  return all;
}

std::vector<grant_source> authorizer::sources(const principal& who) const {
  std::vector<grant_source> all;
  const auto take = [&](const std::string& from,
                        const std::vector<grant>& grants) {
    for (const auto& each : grants)
      all.push_back({from, each});
  };
  take("credentials", who.grants);
  auto roles = who.roles;
  if (!who.own_rights_only) {
    take("everybody", options_.everybody);
    roles.emplace_back(who.uid.empty() ? role_of_anonymous : role_of_users);
    if (!who.uid.empty())
      if (const auto account = store_.account(who.realm, who.uid)) {
        take("account", account->grants);
        roles.insert(roles.end(), account->roles.begin(), account->roles.end());
      }
  }
  for (const auto& name : roles)
    if (const auto record = store_.role(who.realm, name))
      take("role " + name, record->grants);
  return all;
}

void session_rights::refresh() {
  // Before the tables are read: what changes meanwhile shows next time.
  const auto epoch = judge_.epoch();
  if (epoch == epoch_)
    return;
  standing_ = judge_.standing(who_);
  grants_ = judge_.compile(who_);
  epoch_ = epoch;
}

deny_reason session_rights::standing() {
  refresh();
  if (standing_ == deny_reason::none && who_.expires &&
      *who_.expires <= judge_.now())
    return deny_reason::expired;
  return standing_;
}

template <class Topics>
deny_reason session_rights::decide(right what, const Topics& topics) {
  const auto why = foretell(what, topics);
  if (why != deny_reason::none)
    rights_stats::count(judge_.stats().checks_denied, why);
  return why;
}

template deny_reason session_rights::decide(right, const topic&);
template deny_reason session_rights::decide(right, const topic_filter&);

} // namespace troupe::core
