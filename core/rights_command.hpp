// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/grant.hpp"
#include "core/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// Commands of the directory about credentials and rights (see
/// rights_store.hpp for what they change, rights_registry.hpp for how they
/// fail). They take what is secret as a hash only.
namespace troupe::core {

/// Numbers are stable (stored).
enum class ban_kind : std::uint8_t { user = 1, address = 2 };

enum class give_or_take : std::uint8_t { give = 0, take = 1 };

/// An empty hash takes the password away, and what else was made of it.
struct set_password {
  std::string uid;
  std::string hash;
  std::string scram{}; ///< see account_record; "" for none

  friend bool operator==(const set_password&, const set_password&) = default;
};

struct change_account {
  std::string uid;
  give_or_take how = give_or_take::give;
  std::vector<std::string> roles;
  std::vector<grant> grants;

  friend bool operator==(const change_account&,
                         const change_account&) = default;
};

/// Giving makes the role if there is none.
struct change_role {
  std::string role;
  give_or_take how = give_or_take::give;
  std::vector<grant> grants;

  friend bool operator==(const change_role&, const change_role&) = default;
};

/// Who has it keeps the name, which says nothing until there is such a role
/// again.
struct remove_role {
  std::string role;

  friend bool operator==(const remove_role&, const remove_role&) = default;
};

struct add_token {
  std::string id;
  std::string uid;
  std::string hash;
  std::string label;
  std::optional<timestamp> expires;
  std::vector<std::string> roles;
  std::vector<grant> grants;

  friend bool operator==(const add_token&, const add_token&) = default;
};

struct revoke_token {
  std::string id;

  friend bool operator==(const revoke_token&, const revoke_token&) = default;
};

/// What those users send to `uid` is accepted and goes nowhere.
struct change_blocks {
  std::string uid;
  give_or_take how = give_or_take::give;
  std::vector<std::string> blocked;

  friend bool operator==(const change_blocks&, const change_blocks&) = default;
};

struct set_ban {
  ban_kind kind = ban_kind::user;
  std::string name; ///< uid, or an address without a port
  std::optional<timestamp> until;
  std::string reason;

  friend bool operator==(const set_ban&, const set_ban&) = default;
};

struct lift_ban {
  ban_kind kind = ban_kind::user;
  std::string name;

  friend bool operator==(const lift_ban&, const lift_ban&) = default;
};

using rights_command =
    std::variant<set_password, change_account, change_role, remove_role,
                 add_token, revoke_token, change_blocks, set_ban, lift_ban>;

} // namespace troupe::core
