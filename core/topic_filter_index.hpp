// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/topic.hpp"
#include "core/topic_filter.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::core {

/// A set of topic filters that finds those which match a topic. Each filter
/// has a place, a small number by which the owner keeps what belongs to it;
/// places of removed filters are used again.
///
/// A look-up costs one hash of the topic's text for all filters without a
/// wildcard, and beside it a walk over those levels for which there are
/// filters with wildcards: filters that have nothing to do with a topic cost
/// nothing. One thread at a time, or many that only look.
class topic_filter_index {
public:
  using place = std::uint32_t;

  topic_filter_index();

  /// Its place, and whether it was not there before.
  std::pair<place, bool> add(const topic_filter& filter);
  /// REQUIRES: a filter has this place.
  void remove(place at);
  [[nodiscard]] std::optional<place> find(std::string_view filter) const;
  /// Appends the places of all filters that match, each once.
  void match(const topic& name, std::vector<place>& found) const;

  /// The text of the filter at a place, null if there is none.
  [[nodiscard]] const std::string* at(place where) const {
    return where < filters_.size() ? filters_[where].text : nullptr;
  }
  [[nodiscard]] std::size_t size() const noexcept { return by_text_.size(); }
  [[nodiscard]] bool empty() const noexcept { return by_text_.empty(); }
  /// Above all places in use.
  [[nodiscard]] place end() const noexcept {
    return static_cast<place>(filters_.size());
  }

private:
  using node_number = std::uint32_t;
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  static constexpr node_number root = 0;

  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  /// From a node by a level, or by the beginning of one.
  struct edge {
    node_number from = 0;
    std::string level;
  };
  struct edge_view {
    node_number from;
    std::string_view level;
  };
  struct edge_hash {
    using is_transparent = void;
    template <class Edge>
    std::size_t operator()(const Edge& e) const noexcept {
      return std::hash<std::string_view>{}(e.level) +
             e.from * std::size_t{0x9E3779B97F4A7C15U};
    }
  };
  struct edge_equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
      return a.from == b.from && std::string_view{a.level} == b.level;
    }
  };
  using edge_map =
      std::unordered_map<edge, std::uint32_t, edge_hash, edge_equal>;

  /// After some parts of filters with wildcards.
  struct node {
    node_number parent = none;
    /// How it is reached: by a level, else `+` or `#`.
    const std::string* level = nullptr;
    bool is_any_levels = false;
    node_number any_level = none;
    node_number any_levels = none;
    place here = none; ///< of the filter that ends here
    std::uint32_t by_level = 0;
    /// Lengths of the prefixes that follow, with how many there are of each.
    std::vector<std::pair<std::uint32_t, std::uint32_t>> prefixes;

    [[nodiscard]] bool is_bare() const {
      return any_level == none && any_levels == none && by_level == 0 &&
             prefixes.empty();
    }
  };
  struct stored_filter {
    const std::string* text = nullptr; ///< in by_text_; null: a free place
    node_number end = none; ///< where it ends, or where its prefix begins
  };
  struct look_up;

  place take_place();
  node_number take_node(node_number parent);
  node_number grow(std::string_view filter);
  node_number step(node_number from, std::string_view part);
  void add_prefix(node_number from, std::string_view prefix, place where);
  void remove_prefix(node_number from, std::string_view prefix);
  void prune(node_number from);
  void walk(look_up& state, node_number from, std::size_t depth) const;
  void match_prefixes(look_up& state, const node& from, node_number number,
                      std::size_t depth) const;

  std::unordered_map<std::string, place, text_hash, std::equal_to<>> by_text_;
  std::vector<stored_filter> filters_; // by place
  std::vector<place> free_places_;
  std::vector<node> nodes_;
  std::vector<node_number> free_nodes_;
  edge_map levels_;   // to nodes
  edge_map prefixes_; // to places
};

} // namespace troupe::core
