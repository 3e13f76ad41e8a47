// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/inbox_store.hpp"
#include "core/node_store.hpp"
#include "core/rights_store.hpp"
#include "core/route_store.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::core {

/// One device of a user.
struct user_device {
  device_offset offset;
  std::string name;
  timestamp created{};
  /// The device whose inbox state it began with.
  std::optional<device_offset> inherits;

  friend bool operator==(const user_device&, const user_device&) = default;
};

/// A user, all but the lists he is in.
struct user_record {
  timestamp created{};
  std::vector<user_device> devices; ///< by offset, ascending
  std::vector<std::string> aliases; ///< as accepted, in the order given

  friend bool operator==(const user_record&, const user_record&) = default;
};

/// How a user stands to a list. Numbers are stable (stored).
enum class membership : std::uint8_t {
  none = 0,
  full = 1,
  invited = 2, ///< may post and edit, gets no list mail yet
};

struct list_member {
  membership state = membership::full;
  std::string alias; ///< the one invited by; "" for a full member
  timestamp since{};

  friend bool operator==(const list_member&, const list_member&) = default;
};

struct list_record {
  timestamp created{};
  std::uint64_t members = 0; ///< full and invited ones

  friend bool operator==(const list_record&, const list_record&) = default;
};

/// How much there is in one realm.
struct realm_totals {
  std::uint64_t users = 0;
  std::uint64_t devices = 0;
  std::uint64_t aliases = 0;
  std::uint64_t lists = 0;

  friend bool operator==(const realm_totals&, const realm_totals&) = default;
};

/// Typed tables of the directory group, as the directory machine needs them.
/// One writer; the const functions may be called by several threads if the
/// implementation says so. Implemented over a state_space in schema/, in
/// plain memory in tests.
///
/// Names order by their bytes. A visitor returns false to stop; `after` is
/// the name to continue behind, "" to begin (no name is empty). A visitor must
/// not change the store.
class directory_store : public node_store,
                        public rights_store,
                        public route_store {
public:
  using name_visitor = std::function<bool(std::string_view name)>;
  using user_visitor =
      std::function<bool(std::string_view uid, const user_record& user)>;
  using list_visitor =
      std::function<bool(std::string_view list, const list_record& record)>;
  using member_visitor =
      std::function<bool(std::string_view uid, const list_member& member)>;

  virtual std::optional<user_record> user(std::string_view realm,
                                          std::string_view uid) const = 0;
  virtual void put_user(std::string_view realm, std::string_view uid,
                        const user_record& user) = 0;
  virtual void erase_user(std::string_view realm, std::string_view uid) = 0;
  virtual void each_user(std::string_view realm, std::string_view after,
                         const user_visitor& visit) const = 0;

  /// Uid of whoever has the alias.
  virtual std::optional<std::string> alias(std::string_view realm,
                                           std::string_view alias) const = 0;
  virtual void put_alias(std::string_view realm, std::string_view alias,
                         std::string_view uid) = 0;
  virtual void erase_alias(std::string_view realm, std::string_view alias) = 0;

  virtual std::optional<list_record> list(std::string_view realm,
                                          std::string_view list) const = 0;
  virtual void put_list(std::string_view realm, std::string_view list,
                        const list_record& record) = 0;
  virtual void erase_list(std::string_view realm, std::string_view list) = 0;
  virtual void each_list(std::string_view realm, std::string_view after,
                         const list_visitor& visit) const = 0;

  /// One record a member, so that a big list is edited cheaply. The store
  /// keeps the lists of a user (each_membership) in step.
  virtual std::optional<list_member> member(std::string_view realm,
                                            std::string_view list,
                                            std::string_view uid) const = 0;
  virtual void put_member(std::string_view realm, std::string_view list,
                          std::string_view uid, const list_member& member) = 0;
  virtual void erase_member(std::string_view realm, std::string_view list,
                            std::string_view uid) = 0;
  virtual void each_member(std::string_view realm, std::string_view list,
                           std::string_view after,
                           const member_visitor& visit) const = 0;
  /// Names of the lists the user is in.
  virtual void each_membership(std::string_view realm, std::string_view uid,
                               std::string_view after,
                               const name_visitor& visit) const = 0;

  /// All zero for a realm that nothing is in.
  virtual realm_totals totals(std::string_view realm) const = 0;
  /// All zero removes the realm.
  virtual void put_totals(std::string_view realm,
                          const realm_totals& totals) = 0;
  virtual void each_realm(const name_visitor& visit) const = 0;

  virtual std::optional<origin_record> origin(std::uint64_t id) const = 0;
  virtual void put_origin(std::uint64_t id, const origin_record& record) = 0;
  virtual void erase_origin(std::uint64_t id) = 0;
  virtual std::vector<std::pair<std::uint64_t, origin_record>>
  origins() const = 0;
};

} // namespace troupe::core
