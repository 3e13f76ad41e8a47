// SPDX-License-Identifier: Apache-2.0
#include "actors/links/link_options.hpp"

#include "actors/links/batch_codec.hpp"
#include "actors/links/hello_codec.hpp"

#include <charconv>

namespace troupe::actors::links {

namespace {

core::error invalid(std::string what) {
  return {core::errc::invalid_config, std::move(what)};
}

} // namespace

core::result<void> check(const link_options& options) {
  if (options.secret.empty())
    return invalid("a node that listens for others needs a cluster secret");
  if (options.self == core::node_id{})
    return invalid("a linked node needs an id");
  if (auto listen = parse_host_port(options.listen); !listen)
    return listen.error();
  if (!options.advertise.empty())
    if (auto advertise = parse_host_port(options.advertise); !advertise)
      return advertise.error();
  if (options.advertise.size() > address_size_max)
    return invalid("the advertised address is too long");
  if (options.beat_interval <= std::chrono::milliseconds{0} ||
      options.silence_max < 2 * options.beat_interval)
    return invalid("a peer must be allowed to miss one beat: "
                   "silence_max is below twice the beat_interval");
  if (options.retry_min <= std::chrono::milliseconds{0} ||
      options.retry_max < options.retry_min)
    return invalid("retry_max is below retry_min");
  for (const auto window : options.window)
    if (window < batch_bytes_max)
      return invalid("a link's window is smaller than one batch");
  if (options.message_bytes_max == 0 ||
      options.message_bytes_max > std::size_t{UINT32_MAX})
    return invalid("message_bytes_max is out of range");
  if (options.conversations_max == 0)
    return invalid("conversations_max is 0");
  return {};
}

core::result<host_port> parse_host_port(std::string_view text) {
  const auto wrong = [&] {
    return invalid("'" + std::string{text} + "' is no HOST:PORT");
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return wrong();
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return wrong(); // an IPv6 address without brackets
  unsigned port = 0;
  const auto* end = digits.data() + digits.size();
  const auto [stop, failed] = std::from_chars(digits.data(), end, port);
  if (digits.empty() || failed != std::errc{} || stop != end || port > 65535)
    return wrong();
  return host_port{std::string{host}, static_cast<std::uint16_t>(port)};
}

} // namespace troupe::actors::links
