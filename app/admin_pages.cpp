// SPDX-License-Identifier: Apache-2.0
// The dashboard: files without secrets, which ask the other routes.
#include "app/admin.hpp"
#include "app/web_pages.hpp"

#include <string>

namespace troupe::app {
namespace {

/// Nothing from elsewhere, no text that becomes markup or code, no frame around
/// a page with buttons.
constexpr std::string_view policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'";

net::http_response response_of(const web_page& page,
                               const net::http_request& request) {
  net::http_response response;
  response.content_type = page.type;
  response.headers = {{"ETag", std::string{page.etag}},
                      {"Cache-Control", "no-cache"},
                      {"Content-Security-Policy", std::string{policy}},
                      {"Referrer-Policy", "no-referrer"},
                      {"X-Content-Type-Options", "nosniff"}};
  if (request.header_has("If-None-Match", page.etag))
    response.status = 304;
  else
    response.body = page.bytes;
  return response;
}

} // namespace

void admin::add_page_routes() {
  for (const auto& page : web_pages())
    route("GET", std::string{page.path}.c_str(),
          [&page](const net::http_request& request, net::responder answer) {
            answer.send(response_of(page, request));
          });
}

} // namespace troupe::app
