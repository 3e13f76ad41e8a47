// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

namespace troupe::app {

/// A file of the dashboard, as it was when the program was built.
struct web_page {
  std::string_view path; ///< of the request, "/" for its first page
  std::string_view type;
  std::string_view etag; ///< of the bytes, with its quotes
  std::string_view bytes;
};

/// All of them (web/dist, by cmake/embed_pages.cmake). For ever.
const std::vector<web_page>& web_pages();

} // namespace troupe::app
