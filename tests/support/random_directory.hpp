// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

/// Directory commands over a few names, so that they meet often. The same seed
/// gives the same commands on every machine (no std distributions).
class random_directory {
public:
  explicit random_directory(std::uint64_t seed, bool with_rights = false)
      : random_(seed), with_rights_(with_rights) {}

  core::logged_directory_command next() {
    core::logged_directory_command command;
    time_ += core::milliseconds{below(1000)};
    command.time = time_;
    if (below(3) != 0)
      command.key = {1 + below(3), 1 + below(60)};
    command.command = body();
    return command;
  }

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

private:
  core::directory_command body() {
    if (with_rights_ && below(3) == 0)
      return core::change_rights{realm(), rights()};
    switch (below(16)) {
    case 0:
    case 1:
    case 2:
      return core::create_user{realm(), uid(), device(), aliases()};
    case 3:
    case 4:
      return core::replace_aliases{realm(), uid(), aliases()};
    case 5:
    case 6:
      return core::create_device{realm(), uid(), device(), device()};
    case 7:
      return core::remove_user{realm(), uid()};
    case 8:
      return import();
    default:
      return edit();
    }
  }
  core::change_list edit() {
    const auto kind = static_cast<core::list_edit_kind>(below(3));
    return {realm(), list(), kind, below(8) == 0 ? std::string{} : uid(),
            kind == core::list_edit_kind::invite ? alias() : uid()};
  }
  core::rights_command rights() {
    const auto how = static_cast<core::give_or_take>(below(2));
    const auto ban = static_cast<core::ban_kind>(1 + below(2));
    switch (below(9)) {
    case 0:
      return core::set_password{uid(), below(3) == 0 ? "" : "hash",
                                below(2) == 0 ? "" : "scram"};
    case 1:
      return core::change_account{uid(), how, roles(), grants()};
    case 2:
      return core::change_role{role(), how, grants()};
    case 3:
      return core::remove_role{role()};
    case 4:
      return core::add_token{token(), uid(),   "hash",  "",
                             end(),   roles(), grants()};
    case 5:
      return core::revoke_token{token()};
    case 6:
      return core::change_blocks{uid(), how, {uid(), uid()}};
    case 7:
      return core::set_ban{ban, uid(), end(), ""};
    default:
      return core::lift_ban{ban, uid()};
    }
  }
  std::string role() { return pick({"r", "s", "\x01"}); }
  std::string token() { return pick({"t1", "t2", "t3", "t4", ""}); }
  std::vector<std::string> roles() {
    return below(2) == 0 ? std::vector<std::string>{} : std::vector{role()};
  }
  std::vector<core::grant> grants() {
    std::vector<core::grant> all;
    for (auto i = below(3); i != 0; --i)
      all.push_back({static_cast<core::right>(1 + below(6)),
                     pick({"a/#", "b/%u", "+", "#/#"})});
    return all;
  }
  std::optional<core::timestamp> end() {
    if (below(2) == 0)
      return std::nullopt;
    return time_ + core::milliseconds{below(5000)};
  }
  core::import_directory import() {
    core::import_directory command;
    command.realm = realm();
    for (auto i = below(3); i != 0; --i) {
      core::imported_user user{uid(), {}, aliases()};
      for (auto d = below(3); d != 0; --d)
        user.devices.push_back(
            {device(),
             core::device_offset{static_cast<std::uint8_t>(below(3))}});
      command.users.push_back(std::move(user));
    }
    for (auto i = below(2); i != 0; --i) {
      core::imported_list imported{list(), {}};
      for (auto m = below(3); m != 0; --m)
        imported.members.push_back(
            {uid(), below(2) == 0 ? std::string{} : alias()});
      command.lists.push_back(std::move(imported));
    }
    return command;
  }
  std::string realm() { return below(8) == 0 ? "other" : "default"; }
  std::string uid() { return pick({"ann", "bob", "Bob", "../x", "u,1", ""}); }
  std::string device() { return pick({"n0", "n1", "n2", ""}); }
  std::string alias() { return pick({"a", "b", "c", "d", "", "\x01"}); }
  std::string list() { return pick({"l", "m", "n"}); }
  std::vector<std::string> aliases() {
    std::vector<std::string> result;
    for (auto i = below(4); i != 0; --i)
      result.push_back(alias());
    return result;
  }
  std::string pick(std::vector<const char*> names) {
    // The last one, which is mostly invalid, comes up less often.
    auto i = below(2 * names.size() - 1) / 2;
    return names[i];
  }

  std::mt19937_64 random_;
  bool with_rights_;
  core::timestamp time_ = core::from_millis(1'700'000'000'000);
};

} // namespace troupe::test
