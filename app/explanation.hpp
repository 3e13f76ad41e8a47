// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/explain_question.hpp"
#include "app/topic_gateway.hpp"
#include "core/authorizer.hpp"
#include "core/principal.hpp"
#include "net/mqtt/options.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstddef>
#include <string>
#include <string_view>

/// How an explanation of a publication is put into words (docs/admin.md).
namespace troupe::app {

/// What the publisher's part of a publication comes to.
struct publisher_verdict {
  bool published = false;
  std::string why; ///< why not, or what is different from what was asked
  boost::json::object said;
};

/// By the rules of the door, with no message counted.
[[nodiscard]] publisher_verdict
verdict_on(const core::authorizer& judge, const core::principal& who,
           const core::publication& what, const explain_question& asked,
           const net::mqtt::mqtt_options& options,
           const core::publication_limits& limits, bool keeps);

/// {"total": 3, "given": 2, …, "rows": […]}.
[[nodiscard]] boost::json::object to_json(const core::fate_list& list);
/// Filters with how many hold them here and which other nodes do.
[[nodiscard]] boost::json::array
filters_of(const actors::topics::publish_forecast& live, std::size_t most);

/// What would be queued, session by session, as far as routes say it: the
/// rows of "sessions". Those of a share are in shares_of().
[[nodiscard]] boost::json::object sessions_of(const topic_forecast& found,
                                              net::mqtt::qos level,
                                              std::size_t most);
/// Who shares what, and whose turn it is.
[[nodiscard]] boost::json::array
shares_of(const topic_forecast& found, core::node_id self, std::size_t most);

/// Adds to a row of a session what its shard says of it: `told` is a row of
/// /shards/N/sessions.
void add_record(boost::json::object& row, const boost::json::object& told);

} // namespace troupe::app
