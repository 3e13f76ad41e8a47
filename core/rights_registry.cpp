// SPDX-License-Identifier: Apache-2.0
#include "core/rights_registry.hpp"

#include "core/name_rules.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace troupe::core {
namespace {

bool says_something(const account_record& account) {
  return !account.password.empty() || !account.roles.empty() ||
         !account.grants.empty() || !account.tokens.empty();
}

error check_names(const std::vector<std::string>& names) {
  for (const auto& name : names)
    if (!is_name(name))
      return {errc::name_invalid, name};
  return {};
}

error check_grants(const std::vector<grant>& grants) {
  if (grants.size() > grants_per_holder_max)
    return {errc::too_many, "grants"};
  for (const auto& each : grants) {
    if (!is_right(static_cast<std::uint8_t>(each.what)))
      return {errc::malformed, each.filter};
    if (auto failure = each.check(); failure.code != errc::ok)
      return failure;
  }
  return {};
}

/// Appends what is not there yet, or takes away what is.
template <class T>
void change(std::vector<T>& all, const std::vector<T>& some, give_or_take how) {
  for (const auto& each : some) {
    const auto at = std::find(all.begin(), all.end(), each);
    if (how == give_or_take::give && at == all.end())
      all.push_back(each);
    else if (how == give_or_take::take && at != all.end())
      all.erase(at);
  }
}

/// One command being applied; each verb checks first and writes only when
/// nothing can fail any more.
class application {
public:
  application(rights_store& store, std::string_view realm, timestamp time,
              log_index index)
      : store_(store), realm_(realm), time_(time), index_(index) {}

  error operator()(const set_password& c);
  error operator()(const change_account& c);
  error operator()(const change_role& c);
  error operator()(const remove_role& c);
  error operator()(const add_token& c);
  error operator()(const revoke_token& c);
  error operator()(const change_blocks& c);
  error operator()(const set_ban& c);
  error operator()(const lift_ban& c);

private:
  void save(std::string_view uid, const account_record& account) {
    if (says_something(account))
      store_.put_account(realm_, uid, account);
    else
      store_.erase_account(realm_, uid);
  }
  [[nodiscard]] std::string_view realm_of(ban_kind kind) const {
    return kind == ban_kind::address ? std::string_view{} : realm_;
  }
  void clear_expired_bans(ban_kind kind, rights_totals& totals);

  rights_store& store_;
  std::string_view realm_;
  timestamp time_;
  log_index index_;
};

error application::operator()(const set_password& c) {
  if (!is_name(c.uid))
    return {errc::name_invalid, c.uid};
  if (c.hash.size() > rights_text_bytes_max ||
      c.scram.size() > rights_text_bytes_max)
    return {errc::too_large, "password hash"};
  auto account = store_.account(realm_, c.uid);
  if (!account && c.hash.empty())
    return {errc::not_found, c.uid};
  auto changed = account.value_or(account_record{});
  changed.password = c.hash;
  changed.scram = c.hash.empty() ? std::string{} : c.scram;
  changed.password_set = index_;
  save(c.uid, changed);
  return {};
}

error application::operator()(const change_account& c) {
  if (!is_name(c.uid))
    return {errc::name_invalid, c.uid};
  if (auto failure = check_names(c.roles); failure.code != errc::ok)
    return failure;
  if (auto failure = check_grants(c.grants); failure.code != errc::ok)
    return failure;
  auto account = store_.account(realm_, c.uid);
  if (!account && c.how == give_or_take::take)
    return {errc::not_found, c.uid};
  auto changed = account.value_or(account_record{});
  change(changed.roles, c.roles, c.how);
  change(changed.grants, c.grants, c.how);
  if (changed.roles.size() > roles_per_account_max)
    return {errc::too_many, "roles"};
  if (changed.grants.size() > grants_per_holder_max)
    return {errc::too_many, "grants"};
  save(c.uid, changed);
  return {};
}

error application::operator()(const change_role& c) {
  if (!is_name(c.role))
    return {errc::name_invalid, c.role};
  if (auto failure = check_grants(c.grants); failure.code != errc::ok)
    return failure;
  auto role = store_.role(realm_, c.role);
  if (!role && c.how == give_or_take::take)
    return {errc::not_found, c.role};
  auto changed = role.value_or(role_record{});
  change(changed.grants, c.grants, c.how);
  if (changed.grants.size() > grants_per_holder_max)
    return {errc::too_many, "grants"};
  store_.put_role(realm_, c.role, changed);
  return {};
}

error application::operator()(const remove_role& c) {
  if (!store_.role(realm_, c.role))
    return {errc::not_found, c.role};
  store_.erase_role(realm_, c.role);
  return {};
}

error application::operator()(const add_token& c) {
  for (const auto* name : {&c.uid, &c.id})
    if (!is_name(*name))
      return {errc::name_invalid, *name};
  if (c.hash.empty())
    return {errc::malformed, "token hash"};
  if (c.hash.size() > rights_text_bytes_max ||
      c.label.size() > rights_text_bytes_max)
    return {errc::too_large, "token"};
  if (c.roles.size() > roles_per_account_max)
    return {errc::too_many, "roles"};
  if (auto failure = check_names(c.roles); failure.code != errc::ok)
    return failure;
  if (auto failure = check_grants(c.grants); failure.code != errc::ok)
    return failure;
  if (store_.token(c.id))
    return {errc::user_exists, c.id};
  auto account = store_.account(realm_, c.uid).value_or(account_record{});
  if (account.tokens.size() >= tokens_per_account_max)
    return {errc::too_many, "tokens"};
  account.tokens.push_back(c.id);
  store_.put_token(c.id, {std::string{realm_}, c.uid, c.hash, c.label, time_,
                          c.expires, c.roles, c.grants});
  store_.put_account(realm_, c.uid, account);
  return {};
}

error application::operator()(const revoke_token& c) {
  const auto token = store_.token(c.id);
  if (!token || token->realm != realm_)
    return {errc::not_found, c.id};
  store_.erase_token(c.id);
  if (auto account = store_.account(realm_, token->uid)) {
    std::erase(account->tokens, c.id);
    save(token->uid, *account);
  }
  return {};
}

error application::operator()(const change_blocks& c) {
  if (!is_name(c.uid))
    return {errc::name_invalid, c.uid};
  if (auto failure = check_names(c.blocked); failure.code != errc::ok)
    return failure;
  std::size_t there = 0;
  store_.each_block(realm_, c.uid, {}, [&](std::string_view) {
    ++there;
    return true;
  });
  // A name twice, or one that is blocked already, counts once.
  std::set<std::string_view> concerned;
  for (const auto& name : c.blocked)
    if (store_.has_block(realm_, c.uid, name) == (c.how == give_or_take::take))
      concerned.insert(name);
  auto totals = store_.totals_of_rights();
  if (c.how == give_or_take::give) {
    if (there + concerned.size() > blocks_per_user_max)
      return {errc::too_many, "blocks"};
    for (const auto name : concerned)
      store_.put_block(realm_, c.uid, name);
    totals.blocks += concerned.size();
  } else {
    for (const auto name : concerned)
      store_.erase_block(realm_, c.uid, name);
    totals.blocks -= concerned.size();
  }
  if (!concerned.empty())
    store_.put_totals_of_rights(totals);
  return {};
}

void application::clear_expired_bans(ban_kind kind, rights_totals& totals) {
  std::vector<std::string> expired;
  store_.each_ban(kind, realm_of(kind), {},
                  [&](std::string_view name, const ban_record& record) {
                    if (record.until && *record.until <= time_)
                      expired.emplace_back(name);
                    return true;
                  });
  for (const auto& name : expired)
    store_.erase_ban(kind, realm_of(kind), name);
  totals.bans -= expired.size();
}

error application::operator()(const set_ban& c) {
  if (!is_name(c.name))
    return {errc::name_invalid, c.name};
  if (c.reason.size() > rights_text_bytes_max)
    return {errc::too_large, "reason"};
  const auto realm = realm_of(c.kind);
  auto totals = store_.totals_of_rights();
  if (!store_.ban(c.kind, realm, c.name)) {
    if (totals.bans >= bans_max)
      clear_expired_bans(c.kind, totals);
    // Clearing away changes nothing that anybody could see.
    if (totals.bans >= bans_max) {
      store_.put_totals_of_rights(totals);
      return {errc::too_many, "bans"};
    }
    totals.bans += 1;
    store_.put_totals_of_rights(totals);
  }
  store_.put_ban(c.kind, realm, c.name, {time_, c.until, c.reason});
  return {};
}

error application::operator()(const lift_ban& c) {
  const auto realm = realm_of(c.kind);
  if (!store_.ban(c.kind, realm, c.name))
    return {errc::not_found, c.name};
  store_.erase_ban(c.kind, realm, c.name);
  auto totals = store_.totals_of_rights();
  totals.bans -= 1;
  store_.put_totals_of_rights(totals);
  return {};
}

} // namespace

error apply(rights_store& store, std::string_view realm,
            const rights_command& command, timestamp time, log_index index) {
  return std::visit(application{store, realm, time, index}, command);
}

void forget_rights(rights_store& store, std::string_view realm,
                   std::string_view uid) {
  if (const auto account = store.account(realm, uid)) {
    for (const auto& id : account->tokens)
      store.erase_token(id);
    store.erase_account(realm, uid);
  }
  auto totals = store.totals_of_rights();
  if (totals.blocks == 0)
    return;
  std::vector<std::string> blocked;
  store.each_block(realm, uid, {}, [&](std::string_view name) {
    blocked.emplace_back(name);
    return true;
  });
  if (blocked.empty())
    return;
  for (const auto& name : blocked)
    store.erase_block(realm, uid, name);
  totals.blocks -= blocked.size();
  store.put_totals_of_rights(totals);
}

} // namespace troupe::core
