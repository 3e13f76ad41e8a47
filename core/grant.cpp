// SPDX-License-Identifier: Apache-2.0
#include "core/grant.hpp"

namespace troupe::core {
namespace {

/// The place of the next %u or %c. Nothing else in a filter looks like that:
/// what follows a '%' is two digits or upper-case letters.
std::size_t find_placeholder(std::string_view text, std::size_t from) {
  for (auto at = text.find('%', from); at != std::string_view::npos;
       at = text.find('%', at + 1))
    if (at + 1 < text.size() && (text[at + 1] == 'u' || text[at + 1] == 'c'))
      return at;
  return std::string_view::npos;
}

std::optional<std::string> filled(std::string_view pattern,
                                  const grant_subject& subject) {
  std::string text;
  std::size_t from = 0;
  for (auto at = find_placeholder(pattern, 0); at != std::string_view::npos;
       at = find_placeholder(pattern, from)) {
    const auto name = pattern[at + 1] == 'u' ? subject.uid : subject.client;
    if (name.empty())
      return std::nullopt;
    text.append(pattern.substr(from, at - from));
    append_level(text, name);
    from = at + 2;
  }
  return text.append(pattern.substr(from));
}

} // namespace

std::string_view to_string(right what) noexcept {
  switch (what) {
  case right::publish:
    return "publish";
  case right::subscribe:
    return "subscribe";
  case right::post:
    return "post";
  case right::call:
    return "call";
  case right::register_procedure:
    return "register";
  case right::admin:
    return "admin";
  }
  return "?";
}

result<grant> grant::parse(std::string_view text) {
  const auto colon = text.find(':');
  const auto name = text.substr(0, colon);
  for (const auto what : rights_all) {
    if (name != to_string(what) || colon == std::string_view::npos)
      continue;
    grant made{what, std::string{text.substr(colon + 1)}};
    if (auto failure = made.check(); failure.code != errc::ok)
      return failure;
    return made;
  }
  return error{errc::malformed, "'" + std::string{text} +
                                    "' is no grant: wanted is RIGHT:FILTER "
                                    "with publish, subscribe, post, call, "
                                    "register or admin"};
}

error grant::check() const {
  if (filter.size() > grant_bytes_max)
    return {errc::too_large, "grant"};
  // Any name will do, since it becomes a piece of a level.
  const auto sample = filled(filter, {"x", "x"});
  const auto parsed = topic_filter::parse(*sample);
  if (parsed)
    return {};
  return {parsed.error().code, filter};
}

std::optional<topic_filter> grant::expand(const grant_subject& subject) const {
  const auto text = filled(filter, subject);
  if (!text)
    return std::nullopt;
  auto parsed = topic_filter::parse(*text);
  if (!parsed)
    return std::nullopt;
  return std::move(*parsed);
}

bool grant::has_placeholder() const noexcept {
  return find_placeholder(filter, 0) != std::string_view::npos;
}

std::string to_string(const grant& g) {
  return std::string{to_string(g.what)} + ':' + g.filter;
}

} // namespace troupe::core
