// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace troupe::net::mqtt {

/// The first common name of a certificate's subject (RFC 2253: "CN=a,O=b"),
/// without its escapes; "" if it has none.
[[nodiscard]] std::string common_name_of(std::string_view subject);

} // namespace troupe::net::mqtt
