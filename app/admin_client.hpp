// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/options.hpp"
#include "core/result.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace troupe::app {

/// Asks the admin interface of a node. One connection a request; blocking.
///
/// A refusal is {"error": "code", "detail": "text"} with a status of 400 or
/// more; it comes back as an error with these texts as its detail.
class admin_client {
public:
  explicit admin_client(const admin_options& options) : options_(options) {}

  [[nodiscard]] core::result<boost::json::value>
  get(const std::string& target) const {
    return exchange("GET", target, {});
  }
  /// The body as it came.
  [[nodiscard]] core::result<std::string>
  get_text(const std::string& target) const {
    return exchange_text("GET", target, {});
  }
  [[nodiscard]] core::result<boost::json::value>
  post(const std::string& target, const boost::json::value& body) const;
  /// For a body that is JSON already.
  [[nodiscard]] core::result<boost::json::value>
  post_text(const std::string& target, const std::string& body) const {
    return exchange("POST", target, body);
  }
  [[nodiscard]] core::result<boost::json::value>
  remove(const std::string& target) const {
    return exchange("DELETE", target, {});
  }

private:
  core::result<boost::json::value> exchange(std::string_view method,
                                            const std::string& target,
                                            const std::string& body) const;

  core::result<std::string> exchange_text(std::string_view method,
                                          const std::string& target,
                                          const std::string& body) const;

  const admin_options& options_;
};

/// For one segment of a path or one value of a query: all but the unreserved
/// characters of RFC 3986 become %XX.
[[nodiscard]] std::string percent_encoded(std::string_view text);

} // namespace troupe::app
