// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/grant.hpp"
#include "core/ids.hpp"
#include "core/rights_command.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::core {

/// What a name can prove himself with, and what he may do. There is one as
/// long as it says something; a user needs none.
struct account_record {
  /// A hash that says itself how it was made (PHC string); "": no password.
  std::string password;
  /// Where in the log the password was set: sessions that logged in with an
  /// older one end.
  log_index password_set;
  std::vector<std::string> roles;
  std::vector<grant> grants;
  std::vector<std::string> tokens; ///< ids
  /// Of the same password, for those who prove it by SCRAM: RFC 5803's text;
  /// "": none was made.
  std::string scram{};

  friend bool operator==(const account_record&,
                         const account_record&) = default;
};

/// A name for grants that many have.
struct role_record {
  std::vector<grant> grants;

  friend bool operator==(const role_record&, const role_record&) = default;
};

/// Something random that stands for a user, until it is revoked or expires.
struct token_record {
  std::string realm = "default";
  std::string uid;
  std::string hash; ///< SHA-256 of the secret part
  std::string label;
  timestamp created{};
  std::optional<timestamp> expires;
  /// If there are any, whoever shows the token has these and not the user's.
  std::vector<std::string> roles;
  std::vector<grant> grants;

  friend bool operator==(const token_record&, const token_record&) = default;
};

struct ban_record {
  timestamp since{};
  std::optional<timestamp> until; ///< nothing: until it is lifted
  std::string reason;             ///< for people

  friend bool operator==(const ban_record&, const ban_record&) = default;
};

/// How many there are, over all realms; expired bans count until somebody
/// clears them away.
struct rights_totals {
  std::uint64_t blocks = 0;
  std::uint64_t bans = 0;

  friend bool operator==(const rights_totals&, const rights_totals&) = default;
};

/// Tables of the directory group about credentials and rights; part of
/// directory_store, with its rules.
class rights_store {
public:
  virtual ~rights_store() = default;

  using account_visitor =
      std::function<bool(std::string_view uid, const account_record& record)>;
  using role_visitor =
      std::function<bool(std::string_view role, const role_record& record)>;
  using token_visitor =
      std::function<bool(std::string_view id, const token_record& record)>;
  using ban_visitor =
      std::function<bool(std::string_view name, const ban_record& record)>;
  using block_visitor = std::function<bool(std::string_view blocked)>;

  virtual std::optional<account_record> account(std::string_view realm,
                                                std::string_view uid) const = 0;
  virtual void put_account(std::string_view realm, std::string_view uid,
                           const account_record& record) = 0;
  virtual void erase_account(std::string_view realm, std::string_view uid) = 0;
  virtual void each_account(std::string_view realm, std::string_view after,
                            const account_visitor& visit) const = 0;

  virtual std::optional<role_record> role(std::string_view realm,
                                          std::string_view role) const = 0;
  virtual void put_role(std::string_view realm, std::string_view role,
                        const role_record& record) = 0;
  virtual void erase_role(std::string_view realm, std::string_view role) = 0;
  virtual void each_role(std::string_view realm, std::string_view after,
                         const role_visitor& visit) const = 0;

  /// Ids are unique over all realms: who shows a token names none.
  virtual std::optional<token_record> token(std::string_view id) const = 0;
  virtual void put_token(std::string_view id, const token_record& record) = 0;
  virtual void erase_token(std::string_view id) = 0;
  virtual void each_token(std::string_view after,
                          const token_visitor& visit) const = 0;

  /// Whether `uid` wants nothing from `sender`.
  virtual bool has_block(std::string_view realm, std::string_view uid,
                         std::string_view sender) const = 0;
  virtual void put_block(std::string_view realm, std::string_view uid,
                         std::string_view sender) = 0;
  virtual void erase_block(std::string_view realm, std::string_view uid,
                           std::string_view sender) = 0;
  virtual void each_block(std::string_view realm, std::string_view uid,
                          std::string_view after,
                          const block_visitor& visit) const = 0;

  /// Bans of addresses are for all realms: the realm is "" then.
  virtual std::optional<ban_record> ban(ban_kind kind, std::string_view realm,
                                        std::string_view name) const = 0;
  virtual void put_ban(ban_kind kind, std::string_view realm,
                       std::string_view name, const ban_record& record) = 0;
  virtual void erase_ban(ban_kind kind, std::string_view realm,
                         std::string_view name) = 0;
  virtual void each_ban(ban_kind kind, std::string_view realm,
                        std::string_view after,
                        const ban_visitor& visit) const = 0;

  /// All zero at first.
  virtual rights_totals totals_of_rights() const = 0;
  virtual void put_totals_of_rights(const rights_totals& totals) = 0;
};

} // namespace troupe::core
