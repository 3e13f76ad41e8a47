// SPDX-License-Identifier: Apache-2.0
// Logins by SCRAM-SHA-256: the exchange of scram_server, and around it what
// holds for every login with a password.
#include "core/name_rules.hpp"
#include "net/identity/node_authenticator.hpp"
#include "net/identity/scram_server.hpp"

#include <optional>
#include <utility>

namespace troupe::net::identity {
namespace {

using core::deny_reason;

constexpr std::string_view scram_method = "SCRAM-SHA-256";

} // namespace

/// Says the same to those who are nobody as to those who are somebody, in as
/// much time, up to the last step.
class node_authenticator::scram_login final : public core::login_dialogue {
public:
  scram_login(node_authenticator& of, core::credentials shown)
      : of_(of), only_(std::move(shown.uid)) {
    attempt_.shown = std::move(shown);
    attempt_.shown.uid.clear();
    attempt_.answer = [this](core::login_outcome found) {
      outcome_ = std::move(found);
    };
  }

  core::login_step hear(std::string_view said) override {
    return server_ ? final(said) : first(said);
  }

private:
  core::login_step first(std::string_view said) {
    auto nonce = make_scram_nonce();
    if (!nonce)
      return untried(deny_reason::busy);
    server_.emplace(std::move(*nonce));
    auto user = server_->on_first(said);
    if (user)
      attempt_.user = attempt_.shown.realm + '\0' + *user;
    if (!of_.may_try(attempt_))
      return untried(deny_reason::too_many_attempts);
    if (!user)
      return over(deny_reason::wrong_credentials, user.error().detail);
    if (!only_.empty() && *user != only_)
      return over(deny_reason::wrong_credentials, "another user");
    attempt_.shown.uid = std::move(*user);
    core::login_step next;
    next.challenge = server_->challenge(verifier());
    return next;
  }

  /// Of this user; or of nobody, if he has none.
  scram_verifier verifier() {
    const auto& shown = attempt_.shown;
    const auto decoy = decoy_verifier(of_.options_.scram_secret, attempt_.user,
                                      of_.options_.scram_iterations);
    const auto account = core::is_name(shown.uid)
                             ? of_.store_.account(shown.realm, shown.uid)
                             : std::nullopt;
    const bool has_one = account && !account->scram.empty();
    auto kept = parse_scram_verifier(has_one ? account->scram : to_text(decoy));
    if (!has_one || !kept)
      return decoy;
    known_ = true;
    password_set_ = account->password_set;
    return std::move(*kept);
  }

  core::login_step final(std::string_view said) {
    auto told = server_->on_final(said);
    if (!told)
      return over(deny_reason::wrong_credentials, told.error().detail);
    if (!known_)
      return over(deny_reason::wrong_credentials);
    const auto& shown = attempt_.shown;
    core::login_outcome found;
    found.who.realm = shown.realm;
    found.who.client = shown.client;
    found.who.address = shown.address;
    found.who.uid = shown.uid;
    found.who.by = core::credential_kind::password;
    found.who.password_set = password_set_;
    of_.finish(attempt_, std::move(found));
    if (outcome_.why == deny_reason::none)
      outcome_.last_words = std::move(*told);
    return {std::move(outcome_), {}};
  }

  core::login_step over(deny_reason why, std::string text = {}) {
    core::login_outcome found;
    found.why = why;
    of_.finish(attempt_, std::move(found));
    outcome_.last_words = std::move(text);
    return {std::move(outcome_), {}};
  }
  core::login_step untried(deny_reason why) {
    core::rights_stats::count(of_.judge_.stats().logins, why);
    core::login_step made;
    made.outcome.emplace().why = why;
    return made;
  }

  node_authenticator& of_;
  const std::string only_; ///< the user it has to be, or ""
  attempt attempt_;
  std::optional<scram_server> server_; ///< from the first message on
  bool known_ = false;
  core::log_index password_set_;
  core::login_outcome outcome_;
};

bool node_authenticator::serves(std::string_view method) const {
  return options_.scram_iterations > 0 && method == scram_method;
}

std::unique_ptr<core::login_dialogue>
node_authenticator::begin(std::string_view method, core::credentials shown) {
  TROUPE_ASSERT(serves(method), "a login by a method that is not served");
  return std::make_unique<scram_login>(*this, std::move(shown));
}

} // namespace troupe::net::identity
