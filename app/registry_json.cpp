// SPDX-License-Identifier: Apache-2.0
#include "app/registry_json.hpp"

#include "core/directory_machine.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace troupe::app {
namespace {

namespace json = boost::json;

std::string_view to_view(json::string_view text) {
  return {text.data(), text.size()};
}

core::error malformed(std::string detail) {
  return {core::errc::malformed, std::move(detail)};
}

// ------------------------------------------------------------------ import

/// An object of the document, or nullptr if it is absent; false if it is
/// something else.
bool find_object(const json::object& in, std::string_view name,
                 const json::object*& found) {
  const auto* value = in.if_contains({name.data(), name.size()});
  found = value == nullptr ? nullptr : value->if_object();
  return value == nullptr || found != nullptr;
}

/// A number that is no offset becomes one that the directory refuses.
std::optional<core::device_offset> to_offset(const json::value& value) {
  const auto* number = value.if_int64();
  if (number == nullptr)
    return std::nullopt;
  constexpr auto impossible = std::numeric_limits<std::uint8_t>::max();
  const bool in_range =
      *number >= 0 &&
      *number < static_cast<std::int64_t>(core::devices_per_user_max);
  return core::device_offset{in_range ? static_cast<std::uint8_t>(*number)
                                      : impossible};
}

core::result<core::imported_user> parse_user(std::string_view uid,
                                             const json::value& value) {
  const auto place = "uid \"" + std::string{uid} + '"';
  core::imported_user user;
  user.uid = uid;
  const auto* object = value.if_object();
  if (object == nullptr)
    return malformed(place + " is not an object");
  const json::object* nodes = nullptr;
  if (!find_object(*object, "nodes", nodes))
    return malformed(place + ": \"nodes\" is not an object");
  if (nodes != nullptr)
    for (const auto& [name, number] : *nodes) {
      const auto offset = to_offset(number);
      if (!offset)
        return malformed(place + ": the offset of a node is not a number");
      user.devices.emplace_back(to_view(name), *offset);
    }
  const auto* aliases = object->if_contains("aliases");
  if (aliases == nullptr)
    return user;
  if (!aliases->is_array())
    return malformed(place + ": \"aliases\" is not an array");
  for (const auto& alias : aliases->get_array()) {
    if (!alias.is_string())
      return malformed(place + ": an alias is not a string");
    user.aliases.emplace_back(to_view(alias.get_string()));
  }
  return user;
}

core::result<core::imported_list> parse_list(std::string_view name,
                                             const json::value& value) {
  const auto place = "list \"" + std::string{name} + '"';
  core::imported_list list;
  list.name = name;
  const auto* members = value.if_object();
  if (members == nullptr)
    return malformed(place + " is not an object");
  if (members->size() > core::list_members_max)
    return core::error{core::errc::too_many, place};
  for (const auto& [uid, how] : *members) {
    if (!how.is_string() && !how.is_number())
      return malformed(place + ": a member is neither 1 nor an alias");
    list.members.emplace_back(to_view(uid), how.is_string()
                                                ? to_view(how.get_string())
                                                : std::string_view{});
  }
  return list;
}

using alias_map = std::map<std::string, std::string, std::less<>>;

core::result<alias_map> parse_aliases(const json::object* aliases) {
  alias_map holders;
  if (aliases != nullptr)
    for (const auto& [alias, uid] : *aliases) {
      if (!uid.is_string())
        return malformed("alias \"" + std::string{to_view(alias)} +
                         "\" is not a string");
      holders.emplace(to_view(alias), to_view(uid.get_string()));
    }
  return holders;
}

/// Leaves each user the aliases that "alias" gives him; those that only
/// "alias" knows come last, in order.
void settle_aliases(std::vector<core::imported_user>& users,
                    const alias_map& holders) {
  std::map<std::string_view, std::vector<std::string>> held;
  for (const auto& [alias, uid] : holders)
    held[uid].push_back(alias);
  for (auto& user : users) {
    auto& aliases = user.aliases;
    std::erase_if(aliases, [&](const std::string& alias) {
      const auto holder = holders.find(alias);
      return holder != holders.end() && holder->second != user.uid;
    });
    const auto own = held.find(user.uid);
    if (own == held.end())
      continue;
    for (const auto& alias : own->second)
      if (std::find(aliases.begin(), aliases.end(), alias) == aliases.end())
        aliases.push_back(alias);
  }
}

std::vector<core::import_directory>
to_batches(std::vector<core::imported_user> users,
           std::vector<core::imported_list> lists, std::string_view realm) {
  std::vector<core::import_directory> batches;
  const auto begin_batch = [&]() -> core::import_directory& {
    return batches.emplace_back(
        core::import_directory{std::string{realm}, {}, {}});
  };
  for (auto& user : users) {
    const bool full =
        batches.empty() || batches.back().users.size() == users_per_import;
    (full ? begin_batch() : batches.back()).users.push_back(std::move(user));
  }
  // A list needs its members, so none shares a batch with later users.
  std::size_t members = members_per_import + 1;
  for (auto& list : lists) {
    const bool full = members + list.members.size() > members_per_import ||
                      batches.back().lists.size() == users_per_import;
    if (full) {
      begin_batch();
      members = 0;
    }
    // An empty list still takes its place in the log.
    members += list.members.size() + 1;
    batches.back().lists.push_back(std::move(list));
  }
  return batches;
}

// ------------------------------------------------------------------ export

/// Gathers text and passes it on in pieces.
class piece_writer {
public:
  explicit piece_writer(const std::function<bool(std::string_view)>& write)
      : write_(write) {}

  piece_writer& raw(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= piece_bytes)
      flush();
    return *this;
  }
  piece_writer& quoted(std::string_view text) {
    return raw(json::serialize(json::string_view{text.data(), text.size()}));
  }
  /// A member of an object, with a comma if it is not the first.
  piece_writer& key(std::string_view name, bool& first) {
    if (!std::exchange(first, false))
      raw(",");
    return quoted(name).raw(":");
  }
  void flush() {
    if (wanted_ && !buffer_.empty())
      wanted_ = write_(buffer_);
    buffer_.clear();
  }
  [[nodiscard]] bool wanted() const noexcept { return wanted_; }

private:
  static constexpr std::size_t piece_bytes = 64 * 1024;

  const std::function<bool(std::string_view)>& write_;
  std::string buffer_;
  bool wanted_ = true;
};

void write_user(piece_writer& out, const core::user_record& user) {
  out.raw(R"({"nodes":{)");
  bool first = true;
  for (const auto& device : user.devices)
    out.key(device.name, first).raw(std::to_string(device.offset.value()));
  out.raw(R"(},"aliases":[)");
  first = true;
  for (const auto& alias : user.aliases) {
    if (!std::exchange(first, false))
      out.raw(",");
    out.quoted(alias);
  }
  out.raw("]}");
}

/// Calls `page(after)` with the last name of the page before until one adds
/// nothing. `page` returns its last name, "" for none.
template <class Page>
void each_page(const piece_writer& out, const Page& page) {
  std::string after;
  do
    after = page(after);
  while (!after.empty() && out.wanted());
}

/// Users or members read at once; nothing is written while reading.
constexpr std::size_t page_size = 256;

template <class Visit>
void each_user(const core::directory& directory, std::string_view realm,
               const piece_writer& out, const Visit& visit) {
  each_page(out, [&](const std::string& after) {
    std::vector<std::pair<std::string, core::user_record>> users;
    directory.each_user(
        realm, after, [&](std::string_view uid, const core::user_record& user) {
          users.emplace_back(uid, user);
          return users.size() < page_size;
        });
    for (const auto& [uid, user] : users)
      visit(uid, user);
    return users.empty() ? std::string{} : users.back().first;
  });
}

void write_members(piece_writer& out, const core::directory& directory,
                   std::string_view realm, std::string_view list) {
  bool first = true;
  each_page(out, [&](const std::string& after) {
    std::vector<std::pair<std::string, core::list_member>> members;
    directory.each_member(
        realm, list,
        [&](std::string_view uid, const core::list_member& member) {
          members.emplace_back(uid, member);
          return members.size() < page_size;
        },
        after);
    for (const auto& [uid, member] : members) {
      out.key(uid, first);
      if (member.state == core::membership::invited)
        out.quoted(member.alias);
      else
        out.raw("1");
    }
    return members.empty() ? std::string{} : members.back().first;
  });
}

void write_lists(piece_writer& out, const core::directory& directory,
                 std::string_view realm) {
  bool first = true;
  each_page(out, [&](const std::string& after) {
    std::vector<std::string> lists;
    directory.each_list(realm, after,
                        [&](std::string_view list, const core::list_record&) {
                          lists.emplace_back(list);
                          return lists.size() < page_size;
                        });
    for (const auto& list : lists) {
      out.key(list, first).raw("{");
      write_members(out, directory, realm, list);
      out.raw("}");
    }
    return lists.empty() ? std::string{} : lists.back();
  });
}

} // namespace

core::result<std::vector<core::import_directory>>
parse_registry(std::string_view text, std::string_view realm) {
  json::parse_options options;
  options.max_depth = 8;
  options.allow_invalid_utf8 = true; // names are bytes
  json::error_code failure;
  const auto document =
      json::parse({text.data(), text.size()}, failure, {}, options);
  if (failure)
    return malformed("JSON: " + failure.message());
  const auto* root = document.if_object();
  const json::object* users_in = nullptr;
  const json::object* aliases_in = nullptr;
  const json::object* lists_in = nullptr;
  if (root == nullptr || !find_object(*root, "uid", users_in) ||
      !find_object(*root, "alias", aliases_in) ||
      !find_object(*root, "list", lists_in))
    return malformed("not a registry: \"uid\", \"alias\" and \"list\" are "
                     "objects in one object");

  std::vector<core::imported_user> users;
  if (users_in != nullptr)
    for (const auto& [uid, value] : *users_in) {
      auto user = parse_user(to_view(uid), value);
      if (!user)
        return user.error();
      users.push_back(*std::move(user));
    }
  const auto holders = parse_aliases(aliases_in);
  if (!holders)
    return holders.error();
  settle_aliases(users, *holders);
  std::vector<core::imported_list> lists;
  if (lists_in != nullptr)
    for (const auto& [name, value] : *lists_in) {
      auto list = parse_list(to_view(name), value);
      if (!list)
        return list.error();
      lists.push_back(*std::move(list));
    }
  return to_batches(std::move(users), std::move(lists), realm);
}

void export_registry(const core::directory& directory, std::string_view realm,
                     const std::function<bool(std::string_view)>& write) {
  piece_writer out{write};
  out.raw(R"({"uid":{)");
  bool first = true;
  each_user(directory, realm, out,
            [&](const std::string& uid, const core::user_record& user) {
              out.key(uid, first);
              write_user(out, user);
            });
  out.raw(R"(},"alias":{)");
  first = true;
  each_user(directory, realm, out,
            [&](const std::string& uid, const core::user_record& user) {
              for (const auto& alias : user.aliases)
                out.key(alias, first).quoted(uid);
            });
  out.raw(R"(},"list":{)");
  write_lists(out, directory, realm);
  out.raw("}}\n");
  out.flush();
}

} // namespace troupe::app
