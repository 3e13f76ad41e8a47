// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/topics/publication_wire.hpp"
#include "core/publication.hpp"
#include "core/result.hpp"
#include "net/http_message.hpp"
#include "net/mqtt/packets.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::app {

/// A publication of MQTT that is not made, and what is asked about it: the
/// query of GET /explain (docs/admin.md).
struct explain_question {
  static constexpr std::size_t rows_default = 20;
  static constexpr std::size_t rows_max = 1000;
  static constexpr std::size_t bytes_max = std::size_t{20} << 20U;
  // Together they fit into a question to another node.
  static constexpr std::size_t properties_max = 16;
  static constexpr std::size_t turns_max = 24;

  std::string realm;
  std::string topic; ///< as the broker spells it
  net::mqtt::qos level = net::mqtt::qos::at_most_once;
  bool retain = false;
  std::size_t bytes = 0; ///< of the payload
  std::string content_type;
  std::optional<std::uint32_t> expiry; ///< s
  std::vector<std::pair<std::string, std::string>> properties;
  // As whom.
  std::optional<std::string> user;
  std::string client;
  std::string address;
  /// 404 unless the client is connected to the node that is asked.
  bool only_here = false;
  std::size_t rows = rows_default; ///< of each sort

  /// What another node would send to the one that is asked.
  struct relayed {
    std::uint32_t from = 0;
    std::uint64_t as_of = 0; ///< see publication::queued_as_of
    std::string sender;
    bool for_all = true;
    std::vector<actors::topics::share_turn> turns;
  };
  std::optional<relayed> received;

  /// malformed: what is wrong with it.
  static core::result<explain_question> of(const net::http_request& request);
  /// The same question, for another node.
  [[nodiscard]] net::http_request request() const;
  /// As a client of MQTT publishes it; its payload is zeros. malformed.
  [[nodiscard]] core::result<core::publication> publication() const;
};

} // namespace troupe::app
