// SPDX-License-Identifier: Apache-2.0
#include "net/identity/jwt_scopes.hpp"

#include "core/topic_filter.hpp"

#include <algorithm>
#include <optional>

namespace troupe::net::identity {
namespace {

struct scope {
  std::string_view permission;
  std::string_view vhost;
  std::string_view name;
  std::string_view key = "*";
};

/// Without the server.
std::optional<scope> parse(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  scope found;
  found.permission = text.substr(0, colon);
  text.remove_prefix(colon + 1);
  const auto first = text.find('/');
  if (first == std::string_view::npos)
    return std::nullopt;
  found.vhost = text.substr(0, first);
  text.remove_prefix(first + 1);
  const auto second = text.find('/');
  found.name = text.substr(0, second);
  if (second != std::string_view::npos)
    found.key = text.substr(second + 1);
  return found;
}

std::string_view rest_of(std::string_view text, std::string_view server) {
  if (!text.starts_with(server) || text.size() <= server.size() ||
      text[server.size()] != '.')
    return {};
  return text.substr(server.size() + 1);
}

bool is_about(const scope& of, std::string_view realm) {
  const bool here = of.vhost == "*" || of.vhost == realm ||
                    (of.vhost == "%2F" && realm == "default");
  return here && (of.name == "*" || of.name == "amq.topic");
}

/// Nothing: it can't be said.
std::optional<core::topic_filter> filter_of(std::string_view key) {
  core::topic_filter_builder made;
  for (;;) {
    const auto end = key.find('.');
    const auto level = key.substr(0, end);
    const bool last = end == std::string_view::npos;
    const auto star = level.find('*');
    if (star == std::string_view::npos)
      made.level(level);
    else if (last && star + 1 == level.size())
      made.begins_with(level.substr(0, star));
    else if (!last && level == "*")
      made.any_level();
    else
      return std::nullopt;
    if (last)
      break;
    key.remove_prefix(end + 1);
  }
  auto built = made.build();
  if (!built)
    return std::nullopt;
  return std::move(*built);
}

} // namespace

bool any_scope_of(std::span<const std::string> scopes,
                  std::string_view server) {
  return std::any_of(scopes.begin(), scopes.end(), [&](const auto& each) {
    return !rest_of(each, server).empty();
  });
}

std::vector<core::grant> grants_of_scopes(std::span<const std::string> scopes,
                                          std::string_view server,
                                          std::string_view realm) {
  std::vector<core::grant> granted;
  bool may_configure = false;
  for (const auto& text : scopes) {
    const auto found = parse(rest_of(text, server));
    if (!found || !is_about(*found, realm))
      continue;
    may_configure |= found->permission == "configure";
    const bool reads = found->permission == "read";
    if (!reads && found->permission != "write")
      continue;
    core::grant made;
    made.what = reads ? core::right::subscribe : core::right::publish;
    if (found->key == "*") {
      made.filter = "#";
    } else {
      const auto filter = filter_of(found->key);
      if (!filter)
        continue;
      made.filter = filter->text();
    }
    granted.push_back(std::move(made));
  }
  if (!may_configure)
    std::erase_if(granted, [](const core::grant& each) {
      return each.what == core::right::subscribe;
    });
  return granted;
}

} // namespace troupe::net::identity
