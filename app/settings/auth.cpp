// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"
#include "net/identity/scram_verifier.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = auth_settings;
constexpr row_maker<&settings::auth> in{"auth"};

constexpr std::array rows{
    in.row<&values::anonymous>(
        "anonymous",
        "Clients that show no credentials: let in from this machine only, "
        "from anywhere, or never. websocket.MQ's clients show their "
        "device."),
    in.row<&values::grants>(
        "grants",
        "What everybody may, RIGHT:FILTER each, but those whose token "
        "says what they may."),
    in.row<&values::attempts_per_user>(
        "attempts_per_user",
        "Wrong passwords for one user a minute; 0 sets no bound.",
        between(0, 1'000'000)),
    in.row<&values::attempts_per_address>(
        "attempts_per_address",
        "Wrong passwords and tokens from one address a minute; 0 sets no "
        "bound.",
        between(0, 1'000'000)),
    in.row<&values::messages_per_user>(
        "messages_per_user",
        "Messages one user may send a second, twice as many at once; 0 "
        "sets no bound.",
        between(0, 10'000'000)),
    in.row<&values::messages_per_address>(
        "messages_per_address",
        "Messages from one address a second, twice as many at once; 0 "
        "sets no bound.",
        between(0, 10'000'000)),
    in.row<&values::hash_threads>(
        "hash_threads", "Threads that check passwords.", between(1, 64)),
    in.row<&values::hashes_waiting_max>(
        "hashes_waiting_max",
        "Logins that may wait for one of them; more are refused as busy.",
        between(1, 100'000)),
    in.row<&values::scram_iterations>(
        "scram_iterations",
        "Rounds of the verifiers that are made with passwords, so that these "
        "can be proven by SCRAM-SHA-256; 0: none are, and it is not served.",
        between(0, net::identity::scram_iterations_max)),
    in.row<&values::jwt_secret>(
        "jwt_secret",
        "Secret of signed tokens (HS256, HS384, HS512); empty: none are "
        "taken.",
        secret()),
    in.row<&values::jwt_secret_file>(
        "jwt_secret_file",
        "File that holds the secret, instead of auth.jwt_secret."),
    in.row<&values::jwt_keys>(
        "jwt_keys",
        "File with the public keys of signed tokens, a JWKS document or "
        "PEM; read again at a reload."),
    in.row<&values::jwt_issuer>(
        "jwt_issuer",
        "Who must have signed them (iss); empty: anybody with a key."),
    in.row<&values::jwt_audience>(
        "jwt_audience",
        "For whom they must be (aud), one of these; empty: for anybody."),
    in.row<&values::jwt_leeway>(
        "jwt_leeway", "How far the clock of their issuer may be wrong.",
        between(0, 3'600 * s)),
    in.row<&values::jwt_user_claim>("jwt_user_claim",
                                    "Claim that names the user."),
    in.row<&values::jwt_roles_claim>("jwt_roles_claim",
                                     "Claim that names his roles."),
    in.row<&values::jwt_grants_claim>(
        "jwt_grants_claim", "Claim that says what he may, RIGHT:FILTER each."),
    in.row<&values::jwt_endless>(
        "jwt_endless", "Whether tokens without an end (exp) are taken."),
    in.row<&values::jwt_scopes_of>(
        "jwt_scopes_of",
        "Whose scopes in the claim scope say what he may, spelled as for "
        "RabbitMQ: rabbitmq for rabbitmq.read:*/*/a.b.*; none if empty."),
};

} // namespace

section_table auth_section() {
  return {{"auth", "Who may come, and what everybody may (docs/security.md)."},
          rows};
}

} // namespace troupe::app::table
