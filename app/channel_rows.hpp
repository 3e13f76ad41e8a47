// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/channels/channel_summary.hpp"
#include "core/clock.hpp"
#include "core/ids.hpp"
#include "net/http_message.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

/// The list of channels, of one node and of all: pages of rows.
namespace troupe::app {

struct channel_row {
  std::string realm;
  std::string topic;
  std::uint64_t listeners = 0;
  std::uint64_t users = 0;
  std::uint64_t published = 0;
  std::uint64_t received = 0;
  std::uint64_t delivered = 0;
  std::uint64_t dropped = 0;
  std::uint64_t last_published_ms = 0; ///< 0: never
  /// Publications in a thousand seconds.
  std::uint64_t rate = 0;
  bool restricted = false;
  /// In a list of the cluster: where, with how many listeners.
  std::vector<std::pair<core::node_id, std::uint64_t>> nodes{};
};

enum class channel_order : std::uint8_t { listeners, rate, name };

/// What a request wants to see.
struct channel_question {
  static constexpr std::size_t limit_default = 100;
  static constexpr std::size_t limit_max = 1000;

  std::size_t limit = limit_default;
  channel_order order = channel_order::listeners;
  std::optional<std::string> realm{};
  std::optional<std::string> topic{};
  std::string prefix{}; ///< of topics
  /// Only rows behind this place; see channel_page::next.
  std::optional<std::string> after{};

  /// Nothing if limit, sort or after make no sense.
  static std::optional<channel_question> of(const net::http_request& request);
};

struct channel_page {
  std::vector<channel_row> rows;
  /// `after` for what follows; "": nothing does. Rows whose figures have
  /// changed meanwhile may be seen twice or not at all.
  std::string next;
};

[[nodiscard]] channel_row row_of(const actors::channels::channel_summary& from,
                                 core::steady_time now);

/// Chooses, sorts and cuts.
[[nodiscard]] channel_page page_of(std::vector<channel_row> all,
                                   const channel_question& wanted);

[[nodiscard]] boost::json::object to_json(const channel_page& page);
/// What another node has answered; nothing if it makes no sense.
[[nodiscard]] std::optional<channel_page>
channel_page_of(std::string_view text);

/// Puts rows of the same channel together: sums, of the rate the largest (each
/// node sees all that is published).
class channel_sums {
public:
  void add(core::node_id node, const channel_page& page);
  [[nodiscard]] std::vector<channel_row> rows() const { return rows_; }

private:
  std::vector<channel_row> rows_;
  std::unordered_map<std::string, std::size_t> places_; // by realm, 0, topic
};

} // namespace troupe::app
