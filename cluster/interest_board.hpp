// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/interest_wire.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/topic.hpp"
#include "core/topic_filter.hpp"
#include "core/topic_filter_index.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace troupe::cluster {

/// Names a filter that somebody on this node holds, for as long as it is held
/// without a break; never used again.
using filter_id = core::strong_id<struct filter_id_tag, std::uint64_t>;

/// A subscription that several share: one of them gets what matches.
struct shared_audience {
  filter_id id; ///< 0: nobody on this node
  std::string share;
  std::string filter;
  /// Loops of this node, ascending, and other nodes, each with how many share
  /// it there.
  std::vector<std::pair<std::uint16_t, std::uint32_t>> loops;
  std::vector<std::pair<core::node_id, std::uint32_t>> peers;

  [[nodiscard]] std::uint64_t here() const;
  [[nodiscard]] std::uint64_t members() const;
};

/// Who wants the messages of a topic.
struct audience {
  /// [i]: filters held on loop i that match.
  std::vector<std::vector<filter_id>> loops;
  /// Other nodes, each once; not those that share a subscription only.
  std::vector<core::node_id> peers;
  std::vector<shared_audience> shares;
  /// The one that is the topic itself, without wildcards: the first of each
  /// loop that has it. 0: no loop does.
  filter_id exact;

  [[nodiscard]] std::size_t filters() const;
  [[nodiscard]] bool empty() const {
    return peers.empty() && shares.empty() && filters() == 0;
  }
  void clear();
};

struct interest_limits {
  /// Different filters held by the subscribers of this node, see filters().
  std::size_t filters_max = 1'000'000;
  /// Filters of one other node. One that has more gets everything.
  std::size_t peer_filters_max = 4'000'000;
};

/// Who is interested in which topics, as far as this node knows: its own loops
/// (counted) and other nodes (a set of filters each, in tables that come and
/// go as a whole). Realms have nothing to do with each other.
///
/// Thread-safe. Look-ups share a lock; changes hold it for microseconds, long
/// ones go in pieces.
class interest_board {
public:
  /// A table of one other node's filters.
  using table_number = std::uint16_t;

  interest_board(interest_limits limits, std::size_t loops)
      : limits_(limits), loops_(loops) {}

  // ------------------------------------------------------------- this node

private:
  struct realm_space;

public:
  /// A filter that a loop holds.
  class claim {
  public:
    claim() = default;
    [[nodiscard]] filter_id id() const { return id_; }

  private:
    friend class interest_board;
    realm_space* where_ = nullptr;
    core::topic_filter_index::place place_{};
    filter_id id_;
  };
  /// `share`: see shared_audience; "" for a subscription of its own. too_many:
  /// the node's limit of different filters. name_invalid: the realm, the share.
  core::result<claim> hold(std::string_view realm,
                           const core::topic_filter& filter, std::size_t loop,
                           std::string_view share = {});
  /// REQUIRES: held on that loop, and released as often as it was held.
  void release(const claim& held, std::size_t loop);

  /// Replaces what `found` holds.
  void find(std::string_view realm, const core::topic& name,
            audience& found) const;
  /// What of a shared subscription is on this node, if any of it is.
  [[nodiscard]] std::optional<shared_audience>
  find_share(std::string_view realm, std::string_view filter,
             std::string_view share) const;

  /// Different filters held here, and their digest.
  [[nodiscard]] interest_digest own() const;
  /// Of those, without what nodes need among themselves (core/own_topics.hpp).
  [[nodiscard]] std::size_t filters() const;
  struct row {
    std::string realm;
    std::string filter;
    std::string share;
    std::uint64_t held = 0;           ///< by how many on this node
    std::vector<core::node_id> peers; ///< that want it, too
  };
  /// What matches a topic, without shares, each with its id, 0 if it is not
  /// held here.
  [[nodiscard]] std::vector<std::pair<filter_id, row>>
  matching(std::string_view realm, const core::topic& name) const;
  /// A page of what is known, in no order that means something; without what
  /// nodes need among themselves.
  struct page_mark {
    std::string space; ///< opaque
    core::topic_filter_index::place next = 0;
  };
  /// Goes on at `from` and moves it; false: that was the last one. Looks at a
  /// bounded number of filters: a page may be empty.
  bool list(page_mark& from, std::size_t rows_max,
            std::vector<row>& rows) const;

  // ------------------------------------------- for those who tell others

  /// Remembers changes from now on, or no more.
  void watch(bool on);
  /// Told without the lock when the first change since take_changes() is
  /// there. Set once, before watch().
  std::function<void()> on_change;
  /// What has changed, whether it is held now or not.
  struct filter_name {
    std::string realm;
    std::string filter;
    std::string share{};
    friend auto operator<=>(const filter_name&, const filter_name&) = default;
  };
  [[nodiscard]] std::vector<filter_name> take_changes();
  /// Nothing if there are changes not taken yet.
  [[nodiscard]] std::optional<interest_digest> settled_digest() const;
  /// How it stands now.
  [[nodiscard]] interest_change change_of(const filter_name& name) const;
  /// Appends filters held here that cost at most so many bytes; false: these
  /// were the last. May append none and still have more.
  bool scan(page_mark& from, std::size_t bytes_max,
            std::vector<interest_change>& out) const;

  // ----------------------------------------------------------- other nodes

  /// An empty table, in use from now on. A node may have several: it then gets
  /// what one of them wants. Nothing: too many tables.
  std::optional<table_number> open_table(core::node_id peer);
  /// Filters that can't be parsed are passed over: decode_interest() checks.
  void apply(table_number table, const std::vector<interest_change>& changes);
  /// Out of use at once. clean() must be called until it is done.
  void drop_table(table_number table);
  /// Takes apart a piece of what was dropped; false: nothing is left.
  bool clean();
  struct table_info {
    core::node_id peer;
    interest_digest digest;
    bool overflowed = false; ///< gets everything: it has too many filters
  };
  [[nodiscard]] table_info info(table_number table) const;

private:
  using index = core::topic_filter_index;
  struct entry {
    filter_id id; ///< 0: not held here
    std::vector<std::pair<std::uint16_t, std::uint32_t>> loops; ///< counts
    /// With how many share it there.
    std::vector<std::pair<table_number, std::uint32_t>> tables;

    [[nodiscard]] std::uint32_t held() const;
  };
  using spot = std::pair<realm_space*, index::place>;
  /// The filters of one realm, or those of one group that shares them.
  struct realm_space {
    std::string realm;
    std::string share; ///< "": the realm's own
    index filters;
    std::vector<entry> entries; // by place
    /// Of the realm's own space: which groups share a filter.
    index shared_filters;
    std::vector<std::vector<spot>> shared; // by place

    [[nodiscard]] bool unused() const {
      return filters.empty() && shared_filters.empty();
    }
  };
  struct spot_hash {
    std::size_t operator()(const spot& s) const noexcept {
      return std::hash<const void*>{}(s.first) * 31 +
             s.second * std::size_t{0x9E3779B97F4A7C15U};
    }
  };
  struct peer_table {
    core::node_id peer;
    bool in_use = false;
    bool overflowed = false;
    std::unordered_set<spot, spot_hash> filters;
    interest_digest digest;
  };

  realm_space& space_for(std::string_view realm, std::string_view share);
  [[nodiscard]] const realm_space* find_space(std::string_view realm,
                                              std::string_view share) const;
  spot place_for(std::string_view realm, const core::topic_filter& filter,
                 std::string_view share);
  void forget_sharing(const spot& where);
  [[nodiscard]] std::uint64_t hash_of(const spot& where) const;
  [[nodiscard]] shared_audience audience_of(const realm_space& space,
                                            index::place place) const;
  [[nodiscard]] row row_of(const realm_space& space, index::place place) const;
  [[nodiscard]] static interest_change change_at(const realm_space& space,
                                                 index::place place);
  void forget_if_unused(spot where);
  void note_change(const spot& where, bool& first);
  void apply_one(table_number number, const interest_change& change);
  template <class Visit>
  bool walk(page_mark& from, Visit&& visit) const;

  const interest_limits limits_;
  const std::size_t loops_;

  mutable std::shared_mutex mutex_; // guards all below
  /// By realm, or by realm, NUL and share.
  std::map<std::string, realm_space, std::less<>> spaces_;
  std::uint64_t last_id_ = 0;
  interest_digest own_;
  std::size_t among_nodes_ = 0; ///< of own_
  bool watched_ = false;
  std::set<filter_name> changes_;
  std::vector<peer_table> tables_;
  std::vector<table_number> free_tables_;
  std::vector<table_number> dropped_;
  std::vector<core::node_id> want_all_; // of tables in use that overflowed
};

} // namespace troupe::cluster
