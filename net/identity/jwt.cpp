// SPDX-License-Identifier: Apache-2.0
#include "net/identity/jwt.hpp"

#include "net/identity/base64url.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace troupe::net::identity {
namespace {

namespace json = boost::json;

struct parts {
  std::string_view signed_text; ///< header and claims, as they stand there
  std::string_view header;
  std::string_view claims;
  std::string_view signature;
};

std::optional<parts> split(std::string_view token) {
  const auto first = token.find('.');
  if (first == std::string_view::npos)
    return std::nullopt;
  const auto second = token.find('.', first + 1);
  if (second == std::string_view::npos ||
      token.find('.', second + 1) != std::string_view::npos)
    return std::nullopt;
  return parts{token.substr(0, second), token.substr(0, first),
               token.substr(first + 1, second - first - 1),
               token.substr(second + 1)};
}

std::optional<json::object> object_of(std::string_view part) {
  const auto text = from_base64url(part);
  if (!text)
    return std::nullopt;
  boost::system::error_code bad;
  json::parse_options strict;
  strict.max_depth = 8;
  auto parsed = json::parse(*text, bad, {}, strict);
  if (bad || !parsed.is_object())
    return std::nullopt;
  return std::move(parsed.get_object());
}

std::string_view text_in(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  if (value == nullptr || !value->is_string())
    return {};
  return {value->get_string().data(), value->get_string().size()};
}

/// A time of a token, seconds since 1970 with or without a fraction.
/// `malformed` if there is something else.
struct time_claim {
  bool malformed = false;
  std::optional<core::timestamp> time;
};
time_claim time_in(const json::object& claims, std::string_view name) {
  const auto* value = claims.if_contains(name);
  if (value == nullptr)
    return {};
  boost::system::error_code bad;
  const auto seconds = value->to_number<double>(bad);
  constexpr double bound = 1e11; // the year 5138
  if (!value->is_number() || bad || !std::isfinite(seconds) ||
      std::abs(seconds) > bound)
    return {true, {}};
  return {false,
          core::from_millis(static_cast<std::int64_t>(seconds * 1000.0))};
}

bool is_for(const json::object& claims,
            const std::vector<std::string>& audience) {
  if (audience.empty())
    return true;
  const auto* value = claims.if_contains("aud");
  if (value == nullptr)
    return false;
  const auto wanted = [&](const json::value& one) {
    return one.is_string() &&
           std::find(audience.begin(), audience.end(),
                     std::string_view{one.get_string()}) != audience.end();
  };
  if (const auto* several = value->if_array())
    return std::any_of(several->begin(), several->end(), wanted);
  return wanted(*value);
}

jwt_failure check_signature(const parts& of, const jwt_keys& keys) {
  const auto header = object_of(of.header);
  if (!header)
    return jwt_failure::malformed;
  const auto algorithm = jwt_algorithm::of(text_in(*header, "alg"));
  // What must be understood and is not: refuse (RFC 7515 §4.1.11).
  if (!algorithm || header->contains("crit"))
    return jwt_failure::algorithm;
  const auto signature = from_base64url(of.signature);
  if (!signature || signature->empty())
    return jwt_failure::malformed;
  const auto id = text_in(*header, "kid");
  bool any = false;
  for (const auto& key : keys) {
    if (!key.serves(*algorithm, id))
      continue;
    any = true;
    if (key.verify(*algorithm, of.signed_text, *signature))
      return jwt_failure::none;
  }
  return any ? jwt_failure::signature : jwt_failure::key_unknown;
}

jwt_failure check_claims(jwt_outcome& outcome, const jwt_rules& rules,
                         core::timestamp now) {
  const auto& claims = outcome.claims;
  const auto end = time_in(claims, "exp");
  const auto begin = time_in(claims, "nbf");
  const auto made = time_in(claims, "iat");
  if (end.malformed || begin.malformed || made.malformed)
    return jwt_failure::malformed;
  // Without an end it could never be taken back.
  if (!end.time && !rules.endless)
    return jwt_failure::expired;
  if (end.time && *end.time + rules.leeway <= now)
    return jwt_failure::expired;
  for (const auto& each : {begin.time, made.time})
    if (each && *each > now + rules.leeway)
      return jwt_failure::not_yet_valid;
  if (!rules.issuer.empty() && text_in(claims, "iss") != rules.issuer)
    return jwt_failure::wrong_issuer;
  if (!is_for(claims, rules.audience))
    return jwt_failure::wrong_audience;
  if (end.time)
    outcome.expires = *end.time + rules.leeway;
  return jwt_failure::none;
}

} // namespace

std::string_view to_string(jwt_failure why) noexcept {
  switch (why) {
  case jwt_failure::none:
    return "none";
  case jwt_failure::malformed:
    return "malformed";
  case jwt_failure::algorithm:
    return "algorithm";
  case jwt_failure::key_unknown:
    return "key_unknown";
  case jwt_failure::signature:
    return "signature";
  case jwt_failure::expired:
    return "expired";
  case jwt_failure::not_yet_valid:
    return "not_yet_valid";
  case jwt_failure::wrong_issuer:
    return "wrong_issuer";
  case jwt_failure::wrong_audience:
    return "wrong_audience";
  }
  return "?";
}

jwt_outcome verify_jwt(std::string_view token, const jwt_keys& keys,
                       const jwt_rules& rules, core::timestamp now) {
  jwt_outcome outcome;
  const auto of = token.size() > jwt_bytes_max ? std::nullopt : split(token);
  if (!of) {
    outcome.why = jwt_failure::malformed;
    return outcome;
  }
  // Nothing of the claims is read before it is known who says so.
  outcome.why = check_signature(*of, keys);
  if (outcome.why != jwt_failure::none)
    return outcome;
  auto claims = object_of(of->claims);
  if (!claims) {
    outcome.why = jwt_failure::malformed;
    return outcome;
  }
  outcome.claims = std::move(*claims);
  outcome.why = check_claims(outcome, rules, now);
  return outcome;
}

} // namespace troupe::net::identity
