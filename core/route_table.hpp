// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/route_command.hpp"
#include "core/route_store.hpp"
#include "core/topic.hpp"
#include "core/topic_filter_index.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::core {

/// A session that gets a publication, and how.
struct route_match {
  std::string session;  ///< owner name of its inbox
  std::uint8_t qos = 0; ///< at most this
  bool retain_as_published = false;
  std::vector<std::uint32_t> subscription_ids; ///< ascending

  friend bool operator==(const route_match&, const route_match&) = default;
};

/// Sessions that share a subscription: one of them gets it.
struct shared_match {
  std::string share;
  std::string filter;
  std::vector<route_match> members; ///< never empty

  friend bool operator==(const shared_match&, const shared_match&) = default;
};

struct route_matches {
  /// See route_table::as_of.
  log_index as_of;
  /// Each session once: of several routes that match, the highest QoS, and all
  /// subscription ids.
  std::vector<route_match> direct;
  std::vector<shared_match> shared;

  friend bool operator==(const route_matches&, const route_matches&) = default;
};

/// The routes of the directory in memory, to match publications against. Every
/// node has one; the directory's machine writes it, any thread may read. It
/// takes about 100 bytes a route, and the filters once.
class route_table {
public:
  /// Forgets all it has and takes what the store has.
  void load(const route_store& store);

  /// REQUIRES: a filter that is one. Replaces the options of a route that is
  /// there.
  void put(std::string_view realm, std::string_view session, const route& what);
  /// That there is none is no error.
  void remove(std::string_view realm, std::string_view session,
              const route_name& name);

  /// Whom a publication is for. Routes of the session `publisher` that want
  /// nothing of their own are left out ("": nobody's). Sessions and groups
  /// come in no particular order.
  [[nodiscard]] route_matches match(std::string_view realm, const topic& name,
                                    std::string_view publisher = {}) const;
  /// Quicker than match: whether that would find anything, no_local aside.
  [[nodiscard]] bool matches(std::string_view realm, const topic& name) const;

  [[nodiscard]] std::size_t size() const;

  /// The directory's log up to here is in the table: a route that was made at
  /// or before it is seen by every match from then on.
  [[nodiscard]] log_index as_of() const;
  /// After the routes of that command.
  void set_as_of(log_index index);

private:
  using session_number = std::uint32_t;
  /// Routes of one filter and share name, by session, ascending.
  using members = std::vector<std::pair<session_number, route_options>>;
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct filter_routes {
    members direct;
    std::map<std::string, members, std::less<>> shared;

    [[nodiscard]] bool empty() const {
      return direct.empty() && shared.empty();
    }
  };
  struct session_entry {
    const std::string* name = nullptr; ///< in `numbers`; null: a free one
    std::uint32_t routes = 0;
  };
  struct realm_routes {
    topic_filter_index filters;
    std::vector<filter_routes> by_place;
    std::unordered_map<std::string, session_number, text_hash, std::equal_to<>>
        numbers;
    std::vector<session_entry> sessions; // by number
    std::vector<session_number> free_numbers;
  };

  void put_unlocked(std::string_view realm, std::string_view session,
                    const route& what);
  static session_number number_of(realm_routes& in, std::string_view session);
  static void release(realm_routes& in, session_number session);
  static std::vector<route_match> merged(const realm_routes& in, members found,
                                         std::string_view publisher);

  mutable std::shared_mutex mutex_;
  std::map<std::string, realm_routes, std::less<>> realms_;
  std::size_t size_ = 0;
  log_index as_of_;
};

} // namespace troupe::core
