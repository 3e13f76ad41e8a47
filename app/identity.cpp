// SPDX-License-Identifier: Apache-2.0
#include "app/identity.hpp"

#include "app/config.hpp"
#include "app/salt_secret.hpp"
#include "storage/file_system.hpp"

#include <utility>

namespace troupe::app {
namespace {

core::keyed_rates::options per_second(std::uint64_t rate) {
  const auto value = static_cast<double>(rate);
  return {value, 2 * value};
}

core::keyed_rates::options per_minute(std::uint64_t rate) {
  const auto value = static_cast<double>(rate);
  return {value / 60, value};
}

} // namespace

core::authorizer_options rights_options(const auth_settings& from) {
  core::authorizer_options to;
  to.anonymous = from.anonymous;
  for (const auto& text : from.grants)
    if (auto grant = core::grant::parse(text))
      to.everybody.push_back(std::move(*grant));
  to.messages_of_user = per_second(from.messages_per_user);
  to.messages_from_address = per_second(from.messages_per_address);
  return to;
}

core::result<std::unique_ptr<net::identity::node_authenticator>>
make_authenticator(const settings& from, broker& engine,
                   const std::string& cluster_secret) {
  const auto& auth = from.auth;
  auto secret = jwt_secret(from);
  if (!secret)
    return secret.error();
  net::identity::authenticator_options options;
  options.attempts_of_user = per_minute(auth.attempts_per_user);
  options.attempts_from_address = per_minute(auth.attempts_per_address);
  options.hashing = {auth.hash_threads, auth.hashes_waiting_max};
  options.scram_iterations = static_cast<std::uint32_t>(auth.scram_iterations);
  if (options.scram_iterations > 0) {
    auto salts = salt_secret(storage::posix_file_system(), engine.data_path(),
                             engine.identity().cluster, cluster_secret);
    if (!salts)
      return salts.error();
    options.scram_secret = std::move(*salts);
  }
  auto& jwt = options.jwt;
  jwt.rules = {auth.jwt_issuer, auth.jwt_audience, auth.jwt_leeway,
               auth.jwt_endless};
  jwt.secret = std::move(*secret);
  jwt.keys_path = auth.jwt_keys;
  jwt.user_claim = auth.jwt_user_claim;
  jwt.roles_claim = auth.jwt_roles_claim;
  jwt.grants_claim = auth.jwt_grants_claim;
  jwt.scopes_of = auth.jwt_scopes_of;
  auto keys = net::identity::load_jwt_keys(jwt);
  if (!keys)
    return keys.error();
  return std::make_unique<net::identity::node_authenticator>(
      engine.context().directory->rights(), engine.authorizer(), engine.clock(),
      std::move(*keys), std::move(options));
}

} // namespace troupe::app
