// SPDX-License-Identifier: Apache-2.0
#include "net/identity/node_authenticator.hpp"

#include "core/name_rules.hpp"
#include "net/identity/jwt_scopes.hpp"
#include "net/identity/scram_message.hpp"
#include "net/identity/scram_verifier.hpp"
#include "net/identity/static_token.hpp"

#include <boost/json/array.hpp>

#include <fstream>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::net::identity {
namespace {

namespace json = boost::json;
using core::deny_reason;

constexpr std::size_t keys_bytes_max = std::size_t{1} << 20;

core::login_outcome refused(deny_reason why) {
  core::login_outcome outcome;
  outcome.why = why;
  return outcome;
}

core::principal base_of(const core::credentials& shown) {
  core::principal who;
  who.realm = shown.realm;
  who.client = shown.client;
  who.address = shown.address;
  return who;
}

/// A list of texts, or one with blanks between; nothing if it is neither.
std::optional<std::vector<std::string>> texts_of(const json::value& from) {
  std::vector<std::string> texts;
  if (const auto* list = from.if_array()) {
    for (const auto& each : *list) {
      if (!each.is_string())
        return std::nullopt;
      texts.emplace_back(each.get_string());
    }
    return texts;
  }
  if (!from.is_string())
    return std::nullopt;
  std::string_view rest{from.get_string()};
  while (!rest.empty()) {
    const auto end = rest.find(' ');
    if (end != 0)
      texts.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return texts;
}

/// False if a claim is there and is none.
bool take_rights(const json::object& claims, const jwt_settings& names,
                 core::principal& who) {
  if (const auto* roles = claims.if_contains(names.roles_claim)) {
    auto texts = texts_of(*roles);
    if (!texts)
      return false;
    who.roles = std::move(*texts);
    who.own_rights_only = true;
  }
  if (const auto* grants = claims.if_contains(names.grants_claim)) {
    const auto texts = texts_of(*grants);
    if (!texts)
      return false;
    for (const auto& text : *texts) {
      auto grant = core::grant::parse(text);
      if (!grant)
        return false;
      who.grants.push_back(std::move(*grant));
    }
    who.own_rights_only = true;
  }
  return true;
}

/// not_granted: nothing at all is for this server.
deny_reason take_scopes(const json::object& claims, const jwt_settings& names,
                        core::principal& who) {
  if (names.scopes_of.empty())
    return deny_reason::none;
  const auto* scopes = claims.if_contains(names.scopes_claim);
  if (scopes == nullptr)
    return deny_reason::none; // a token of another kind
  const auto texts = texts_of(*scopes);
  if (!texts)
    return deny_reason::wrong_credentials;
  if (!any_scope_of(*texts, names.scopes_of))
    return deny_reason::not_granted;
  auto granted = grants_of_scopes(*texts, names.scopes_of, who.realm);
  who.grants.insert(who.grants.end(), granted.begin(), granted.end());
  who.own_rights_only = true;
  return deny_reason::none;
}

/// Without one, whether a user exists could be told by the time it takes.
std::string decoy(const password_cost& cost) {
  auto made = hash_password("nobody", cost);
  return made ? std::move(*made) : std::string{};
}

core::result<password_record> record_of(std::string_view password,
                                        const authenticator_options& how) {
  auto hash = hash_password(password, how.cost);
  if (!hash)
    return hash.error();
  password_record made{std::move(*hash), {}};
  if (how.scram_iterations == 0 || !is_plain_text(password))
    return made;
  const auto verifier = make_scram_verifier(password, how.scram_iterations);
  if (!verifier)
    return verifier.error();
  made.scram = to_text(*verifier);
  return made;
}

} // namespace

core::result<jwt_keys> load_jwt_keys(const jwt_settings& from) {
  jwt_keys keys;
  if (!from.keys_path.empty()) {
    std::ifstream in{from.keys_path, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (!in.is_open() || text.empty() || text.size() > keys_bytes_max)
      return core::error{core::errc::io_error,
                         from.keys_path + " cannot be read, or is no keys"};
    if (text.find("-----BEGIN") != std::string::npos) {
      auto key = jwt_key::of_pem(text);
      if (!key)
        return core::error{key.error().code,
                           from.keys_path + ": " + key.error().detail};
      keys.push_back(std::move(*key));
    } else {
      auto several = parse_jwks(text);
      if (!several)
        return core::error{several.error().code,
                           from.keys_path + ": " + several.error().detail};
      keys = std::move(*several);
    }
  }
  if (!from.secret.empty()) {
    auto key = jwt_key::of_secret(from.secret);
    if (!key)
      return key.error();
    keys.push_back(std::move(*key));
  }
  return keys;
}

node_authenticator::node_authenticator(const core::rights_store& store,
                                       const core::authorizer& judge,
                                       const core::clock& time, jwt_keys keys,
                                       authenticator_options options)
    : store_(store), judge_(judge), clock_(time), options_(std::move(options)),
      attempts_of_user_(options_.attempts_of_user),
      attempts_from_address_(options_.attempts_from_address),
      keys_(std::make_shared<const jwt_keys>(std::move(keys))),
      decoy_(decoy(options_.cost)), workers_(options_.hashing) {}

bool node_authenticator::may_try(const attempt& of) {
  const auto now = clock_.now();
  if (!of.shown.address.empty() &&
      !attempts_from_address_.take(of.shown.address, now))
    return false;
  return of.user.empty() || attempts_of_user_.take(of.user, now);
}

void node_authenticator::finish(const attempt& of,
                                core::login_outcome outcome) {
  if (outcome.why == deny_reason::none)
    outcome.why = judge_.standing(outcome.who);
  // Only what failed counts as an attempt.
  if (outcome.why == deny_reason::none || outcome.why == deny_reason::busy) {
    const auto now = clock_.now();
    if (!of.shown.address.empty())
      attempts_from_address_.give_back(of.shown.address, now);
    if (!of.user.empty())
      attempts_of_user_.give_back(of.user, now);
  }
  if (outcome.why != deny_reason::none)
    outcome.who = {};
  core::rights_stats::count(judge_.stats().logins, outcome.why);
  of.answer(std::move(outcome));
}

void node_authenticator::authenticate(core::credentials shown,
                                      answer_function answer) {
  auto of = std::make_shared<attempt>();
  of->shown = std::move(shown);
  of->answer = std::move(answer);
  const auto& what = of->shown;
  const bool password = what.bearer.empty() && !what.uid.empty();
  if (password)
    of->user = what.realm + '\0' + what.uid;
  if (!may_try(*of)) {
    core::rights_stats::count(judge_.stats().logins,
                              deny_reason::too_many_attempts);
    return of->answer(refused(deny_reason::too_many_attempts));
  }
  if (password)
    return judge_password(of);
  if (is_static_token(what.bearer))
    return finish(*of, judge_token(what));
  if (!what.bearer.empty())
    return finish(*of, judge_jwt(what));
  core::login_outcome nobody;
  nobody.who = base_of(what);
  finish(*of, std::move(nobody));
}

void node_authenticator::judge_password(const std::shared_ptr<attempt>& of) {
  const auto job = [this, of] {
    auto& shown = of->shown;
    const auto account = store_.account(shown.realm, shown.uid);
    const bool known = account && !account->password.empty();
    const bool right =
        verify_password(known ? account->password : decoy_, shown.password);
    wipe(shown.password);
    if (!known || !right)
      return finish(*of, refused(deny_reason::wrong_credentials));
    core::login_outcome outcome;
    outcome.who = base_of(shown);
    outcome.who.uid = shown.uid;
    outcome.who.by = core::credential_kind::password;
    outcome.who.password_set = account->password_set;
    finish(*of, std::move(outcome));
  };
  if (!workers_.run(job))
    finish(*of, refused(deny_reason::busy));
}

core::login_outcome
node_authenticator::judge_token(const core::credentials& shown) const {
  const auto token = parse_static_token(shown.bearer);
  auto record = token ? store_.token(token->id) : std::nullopt;
  if (!record || !same_hash(record->hash, hash_of_token(token->secret)) ||
      record->realm != shown.realm ||
      (!shown.uid.empty() && shown.uid != record->uid))
    return refused(deny_reason::wrong_credentials);
  core::login_outcome outcome;
  auto& who = outcome.who;
  who = base_of(shown);
  who.uid = std::move(record->uid);
  who.by = core::credential_kind::token;
  who.token = token->id;
  who.expires = record->expires;
  who.own_rights_only = !record->roles.empty() || !record->grants.empty();
  who.roles = std::move(record->roles);
  who.grants = std::move(record->grants);
  return outcome;
}

core::login_outcome
node_authenticator::judge_jwt(const core::credentials& shown) const {
  std::shared_ptr<const jwt_keys> keys;
  {
    const std::lock_guard lock{mutex_};
    keys = keys_;
  }
  auto verified =
      verify_jwt(shown.bearer, *keys, options_.jwt.rules, clock_.wall());
  switch (verified.why) {
  case jwt_failure::none:
    break;
  case jwt_failure::expired:
    return refused(deny_reason::expired);
  case jwt_failure::not_yet_valid:
    return refused(deny_reason::not_yet_valid);
  default:
    return refused(deny_reason::wrong_credentials);
  }
  core::login_outcome outcome;
  auto& who = outcome.who;
  who = base_of(shown);
  const auto* user = verified.claims.if_contains(options_.jwt.user_claim);
  if (user != nullptr && user->is_string())
    who.uid = std::string{user->get_string()};
  if (!core::is_name(who.uid) || (!shown.uid.empty() && shown.uid != who.uid) ||
      !take_rights(verified.claims, options_.jwt, who))
    return refused(deny_reason::wrong_credentials);
  if (const auto why = take_scopes(verified.claims, options_.jwt, who);
      why != deny_reason::none)
    return refused(why);
  who.by = core::credential_kind::jwt;
  who.expires = verified.expires;
  return outcome;
}

void node_authenticator::hash(
    std::string password,
    std::function<void(core::result<password_record>)> done) {
  const auto secret = std::make_shared<std::string>(std::move(password));
  if (!workers_.run([this, secret, done] {
        auto made = record_of(*secret, options_);
        wipe(*secret);
        done(std::move(made));
      }))
    done(core::error{core::errc::overloaded, "passwords"});
}

core::result<void> node_authenticator::reload() {
  auto fresh = load_jwt_keys(options_.jwt);
  if (!fresh)
    return fresh.error();
  const std::lock_guard lock{mutex_};
  keys_ = std::make_shared<const jwt_keys>(std::move(*fresh));
  return {};
}

} // namespace troupe::net::identity
