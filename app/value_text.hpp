// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/settings.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"

#include <span>
#include <string>
#include <string_view>

/// Values as people write them, both ways. Every parser takes the whole text
/// or answers errc::invalid_config with a detail that says what was expected.
namespace troupe::app {

/// "500us", "500ms", "10s", "5m", "28h", "30d", combined as in "1h30m"; "0"
/// needs no unit.
[[nodiscard]] core::result<microseconds> parse_duration(std::string_view text);
/// The shortest form that parses to the same value.
[[nodiscard]] std::string print_duration(microseconds value);

/// "4096", "64KiB", "64MiB", "1GiB", "1TiB", and "64MB" for powers of ten.
[[nodiscard]] core::result<std::uint64_t> parse_bytes(std::string_view text);
[[nodiscard]] std::string print_bytes(std::uint64_t value);

/// A whole number; 1_000_000 and 1000000 are the same.
[[nodiscard]] core::result<std::uint64_t> parse_count(std::string_view text);

/// "true" or "false", also yes/no, on/off, 1/0 as is usual in environments.
[[nodiscard]] core::result<bool> parse_flag(std::string_view text);

/// Splits at commas and trims blanks; "" is the empty list.
[[nodiscard]] std::vector<std::string> parse_list(std::string_view text);
[[nodiscard]] std::string print_list(const std::vector<std::string>& items);

/// RFC 3339, UTC, with milliseconds.
[[nodiscard]] std::string print_time(core::timestamp when);

/// An address or a network in CIDR form.
[[nodiscard]] core::result<void> check_network(std::string_view text);

/// The texts of an enumeration, in the order of its values.
[[nodiscard]] std::span<const std::string_view> choices(proxy_protocol_mode);
[[nodiscard]] std::span<const std::string_view> choices(tls_version);
[[nodiscard]] std::span<const std::string_view> choices(overflow_policy);
[[nodiscard]] std::span<const std::string_view> choices(log_level);
[[nodiscard]] std::span<const std::string_view> choices(log_format);
[[nodiscard]] std::span<const std::string_view> choices(core::anonymous_policy);
[[nodiscard]] std::span<const std::string_view> choices(core::share_policy);
[[nodiscard]] std::span<const std::string_view>
    choices(storage::audit::answer_policy);
[[nodiscard]] std::span<const std::string_view>
    choices(storage::audit::overflow_policy);
[[nodiscard]] std::span<const std::string_view>
    choices(storage::audit::message_policy);
[[nodiscard]] std::span<const std::string_view>
    choices(storage::audit::payload_policy);
[[nodiscard]] std::span<const std::string_view>
    choices(net::mqtt::denial_policy);
[[nodiscard]] std::span<const std::string_view>
    choices(net::mqtt::expiry_policy);
[[nodiscard]] std::span<const std::string_view>
    choices(net::mqtt::overflow_policy);
[[nodiscard]] std::span<const std::string_view> choices(listener_denial);

/// Place of `text` among the choices (case is ignored).
[[nodiscard]] core::result<std::size_t>
parse_choice(std::string_view text, std::span<const std::string_view> names);

} // namespace troupe::app
