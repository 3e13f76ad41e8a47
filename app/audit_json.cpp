// SPDX-License-Identifier: Apache-2.0
#include "app/audit_json.hpp"

#include "app/admin_query.hpp"
#include "app/value_text.hpp"
#include "net/identity/base64url.hpp"
#include "net/ws/utf8.hpp"

#include <boost/json/array.hpp>

#include <ctime>

namespace troupe::app {
namespace {

namespace json = boost::json;
namespace audit = storage::audit;
using core::errc;
using core::error;

constexpr std::size_t date_digits = 19; // 2026-11-22T01:02:03

/// Texts come from clients and may be anything; JSON is UTF-8.
json::string text(std::string_view bytes) {
  if (net::ws::is_utf8(core::as_bytes(bytes)))
    return json::string{bytes};
  std::string clean;
  for (const char c : bytes)
    clean += static_cast<unsigned char>(c) < 0x80 ? c : '?';
  return json::string{std::string_view{clean}};
}

void add(json::object& to, std::string_view name, std::string_view value) {
  if (!value.empty())
    to[name] = text(value);
}

json::array lines(std::string_view from) {
  json::array all;
  while (!from.empty()) {
    const auto end = from.find('\n');
    all.push_back(text(from.substr(0, end)));
    from.remove_prefix(end == std::string_view::npos ? from.size() : end + 1);
  }
  return all;
}

error wrong(std::string_view what) {
  return {errc::invalid_config, std::string{what}};
}

core::result<void> take(audit::search_terms& terms, std::string_view name,
                        std::string_view value) {
  const auto number = [&](std::uint64_t& to) -> core::result<void> {
    const auto found = number_of<std::uint64_t>(value);
    if (!found)
      return wrong(std::string{name} + " is a number");
    to = *found;
    return {};
  };
  const auto moment =
      [&](std::optional<core::timestamp>& to) -> core::result<void> {
    const auto found = parse_time(value);
    if (!found)
      return found.error();
    to = *found;
    return {};
  };
  if (name == "after")
    return number(terms.after);
  if (name == "session")
    return number(terms.session);
  if (name == "from")
    return moment(terms.from);
  if (name == "until")
    return moment(terms.until);
  if (name == "user")
    terms.user = value;
  else if (name == "target")
    terms.target = value;
  else if (name == "accepted") {
    if (value != "true" && value != "false")
      return wrong("accepted is true or false");
    terms.accepted = value == "true";
  } else if (name == "kind") {
    for (const auto& each : parse_list(value)) {
      const auto kind = core::audit_kind_of(each);
      if (!kind)
        return wrong("'" + each + "' is no kind of record");
      terms.kinds.push_back(*kind);
    }
  } else if (name != "limit") {
    // To leave a misspelt one out would show too much.
    return wrong("'" + std::string{name} + "' is nothing to search for");
  }
  return {};
}

} // namespace

json::object view_of(const audit::record& what, core::node_id node,
                     const audit::digest& chain) {
  json::object row{{"sequence", what.sequence},
                   {"time", print_time(what.time)},
                   {"time_ms", core::to_millis(what.time)},
                   {"node", node.value()},
                   {"kind", core::to_string(what.kind)},
                   {"accepted", what.accepted}};
  if (what.session != 0)
    row["session"] = what.session;
  add(row, "realm", what.realm);
  add(row, "user", what.user);
  add(row, "address", what.address);
  if (what.kind == core::audit_kind::post) {
    row["to"] = lines(what.target);
    row["recipients"] = what.targets;
  } else {
    add(row, "target", what.target);
  }
  add(row, "type", what.type);
  add(row, "reason", what.reason);
  add(row, "reference", what.reference);
  add(row, "detail", what.detail);
  row["size"] = what.size;
  if (what.hash)
    row["sha256"] = audit::to_hex(*what.hash);
  if (what.payload) {
    const auto bytes = core::as_text(*what.payload);
    if (net::ws::is_utf8(*what.payload))
      row["payload"] = bytes;
    else
      row["payload_base64url"] = net::identity::to_base64url(bytes);
  }
  row["chain"] = audit::to_hex(chain);
  return row;
}

json::object view_of(const audit::log_view& log) {
  std::uint64_t bytes = 0;
  for (const auto& each : log.segments)
    bytes += each.bytes;
  return {{"first_sequence",
           log.segments.empty() ? 0 : log.segments.front().first_sequence},
          {"last_sequence", log.last_sequence},
          {"last_hash", audit::to_hex(log.last_hash)},
          {"anchor", std::to_string(log.last_sequence) + ":" +
                         audit::to_hex(log.last_hash)},
          {"segments", log.segments.size()},
          {"bytes", bytes}};
}

core::result<core::timestamp> parse_time(std::string_view text) {
  if (const auto millis = number_of<std::int64_t>(text))
    return core::from_millis(*millis);
  const auto bad = wrong("'" + std::string{text} +
                         "' is no time: 2026-11-22T01:02:03Z, or milliseconds "
                         "since 1970");
  std::tm parts{};
  const std::string whole{text};
  const auto* rest = ::strptime(whole.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr ||
      static_cast<std::size_t>(rest - whole.c_str()) != date_digits)
    return bad;
  std::string_view fraction{rest};
  if (fraction.empty() || fraction.back() != 'Z')
    return bad;
  fraction.remove_suffix(1);
  std::int64_t millis = 0;
  if (!fraction.empty()) {
    const auto digits = number_of<std::uint16_t>(fraction.substr(1));
    if (fraction.front() != '.' || fraction.size() != 4 || !digits)
      return bad;
    millis = *digits;
  }
  return core::from_millis(static_cast<std::int64_t>(::timegm(&parts)) * 1000 +
                           millis);
}

core::result<audit::search_terms>
read_search(const net::http_request& request) {
  audit::search_terms terms;
  for (const auto& [name, value] : request.query)
    if (auto taken = take(terms, name, value); !taken)
      return taken.error();
  return terms;
}

core::result<audit::anchor> parse_anchor(std::string_view text) {
  const auto colon = text.find(':');
  const auto sequence = number_of<std::uint64_t>(text.substr(0, colon));
  const auto hash = colon == std::string_view::npos
                        ? std::nullopt
                        : audit::digest_of_hex(text.substr(colon + 1));
  if (!sequence || *sequence == 0 || !hash)
    return wrong("'" + std::string{text} + "' is no SEQUENCE:HASH");
  return audit::anchor{*sequence, *hash};
}

} // namespace troupe::app
