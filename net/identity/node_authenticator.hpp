// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/authenticator.hpp"
#include "core/authorizer.hpp"
#include "core/clock.hpp"
#include "core/keyed_rates.hpp"
#include "net/identity/hash_workers.hpp"
#include "net/identity/jwt.hpp"
#include "net/identity/password.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace troupe::net::identity {

/// Whose JWTs are believed, and what they say of whom.
struct jwt_settings {
  jwt_rules rules;
  std::string secret;    ///< of HS256 and its like; "": none
  std::string keys_path; ///< a JWKS document or a public key in PEM; "": none
  std::string user_claim = "sub";
  /// Lists of texts, or one text with blanks between.
  std::string roles_claim = "roles";
  std::string grants_claim = "grants";
  /// The server that scopes of RabbitMQ's kind are about; "": there are none.
  std::string scopes_of;
  std::string scopes_claim = "scope";
};

/// The keys of the file and the secret. invalid_config, io_error.
core::result<jwt_keys> load_jwt_keys(const jwt_settings& from);

struct authenticator_options {
  /// Failed attempts of one user, and from one address.
  core::keyed_rates::options attempts_of_user{};
  core::keyed_rates::options attempts_from_address{};
  hash_workers::options hashing{};
  password_cost cost{};
  jwt_settings jwt{};
  /// Of verifiers for SCRAM that are made with passwords; 0: none are, and the
  /// method is not served.
  std::uint32_t scram_iterations = 0;
  /// The same on all nodes, and known to nobody else: what the salts of users
  /// that are none are made of.
  std::string scram_secret{};
};

/// What is kept of a password.
struct password_record {
  std::string hash;  ///< argon2id
  std::string scram; ///< a verifier as text; "": none is wanted, or can be made
};

/// core::authenticator over the tables of the directory. Owned by the node.
/// Whoever still waits for an answer when it is destroyed gets none.
class node_authenticator final : public core::authenticator {
public:
  /// `store`, `judge` and `time` must live longer.
  node_authenticator(const core::rights_store& store,
                     const core::authorizer& judge, const core::clock& time,
                     jwt_keys keys, authenticator_options options);

  void authenticate(core::credentials shown, answer_function answer) override;
  [[nodiscard]] bool serves(std::string_view method) const override;
  std::unique_ptr<core::login_dialogue> begin(std::string_view method,
                                              core::credentials shown) override;

  /// Hashes on a worker; overloaded if there is no room. `done` on its thread.
  void hash(std::string password,
            std::function<void(core::result<password_record>)> done);

  /// Reads the keys of JWTs again; on a failure the old ones stay.
  core::result<void> reload();

  /// Nobody is answered any more whose password has to be hashed.
  void stop() { workers_.stop(); }

  [[nodiscard]] std::size_t hashes_waiting() const {
    return workers_.waiting();
  }

private:
  class scram_login; ///< in scram_login.cpp
  struct attempt {
    core::credentials shown;
    answer_function answer;
    std::string user; ///< what its attempts are counted under; "" not
  };
  void judge_password(const std::shared_ptr<attempt>& of);
  [[nodiscard]] core::login_outcome
  judge_token(const core::credentials& shown) const;
  [[nodiscard]] core::login_outcome
  judge_jwt(const core::credentials& shown) const;
  void finish(const attempt& of, core::login_outcome outcome);
  [[nodiscard]] bool may_try(const attempt& of);

  const core::rights_store& store_;
  const core::authorizer& judge_;
  const core::clock& clock_;
  const authenticator_options options_;
  core::keyed_rates attempts_of_user_;
  core::keyed_rates attempts_from_address_;
  mutable std::mutex mutex_;
  std::shared_ptr<const jwt_keys> keys_; ///< guarded by mutex_
  /// What a password is compared with when there is no such user, so that it
  /// takes as long.
  std::string decoy_;
  hash_workers workers_; ///< last: ends before what its jobs use
};

} // namespace troupe::net::identity
