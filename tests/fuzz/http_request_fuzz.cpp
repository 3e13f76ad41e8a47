// SPDX-License-Identifier: Apache-2.0
// The first byte says in which pieces the rest arrives: a request must mean
// the same however it was cut.
#include "core/assert.hpp"
#include "net/http_parser.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

using namespace troupe;
using namespace troupe::net;

namespace {

constexpr http_limits limits{4096, 8192, "/raw/"};

struct outcome {
  http_parser::state at = http_parser::state::head;
  unsigned status = 0;
  std::size_t used = 0;
  http_request request;
};

/// What came before the head was whole is offered again, as the front does.
outcome feed(std::string_view bytes, std::size_t piece) {
  http_parser parser{limits};
  outcome result;
  std::size_t end = 0;
  while (end < bytes.size() && (parser.at() == http_parser::state::head ||
                                parser.at() == http_parser::state::body)) {
    end = std::min(bytes.size(), std::max(end, result.used) + piece);
    const auto offered = bytes.substr(result.used, end - result.used);
    const auto used = parser.put(offered);
    TROUPE_ASSERT(used <= offered.size(), "used more than offered");
    result.used += used;
  }
  result.at = parser.at();
  result.status = parser.error_status();
  if (result.at == http_parser::state::failed) {
    TROUPE_ASSERT(result.status >= 400 && result.status < 600, "no status");
    TROUPE_ASSERT(!http_reason(result.status).empty(), "no phrase");
  }
  if (result.at == http_parser::state::complete)
    result.request = parser.take();
  return result;
}

void check(const http_request& request) {
  TROUPE_ASSERT(!request.path.empty(), "no path");
  TROUPE_ASSERT(request.path == "*" || request.path.front() == '/', "path");
  TROUPE_ASSERT(request.path.find('\0') == std::string::npos, "NUL in path");
  if (request.target.empty())
    TROUPE_ASSERT((request.path + '/').find("/../") == std::string::npos,
                  "climbs out");
  else
    TROUPE_ASSERT(request.target.starts_with(limits.raw_prefix) &&
                      request.query.empty() &&
                      request.path ==
                          request.target.substr(0, request.target.find('?')),
                  "a raw target was touched");
  TROUPE_ASSERT(request.body.size() <= limits.body_bytes_max, "body too long");
  TROUPE_ASSERT(request.version == 10 || request.version == 11, "version");
  TROUPE_ASSERT(request.header("Transfer-Encoding").empty() ||
                    request.header("Content-Length").empty(),
                "two lengths");
  for (const auto& [name, value] : request.headers) {
    TROUPE_ASSERT(name.find_first_of("\r\n:") == std::string::npos, "name");
    TROUPE_ASSERT(value.find_first_of("\r\n") == std::string::npos, "value");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1,
                               size - 1};
  const auto whole = feed(bytes, std::max<std::size_t>(1, bytes.size()));
  const auto cut = feed(bytes, 1 + data[0] % 64);
  if (whole.at != http_parser::state::complete)
    return 0;
  check(whole.request);
  TROUPE_ASSERT(cut.at == http_parser::state::complete, "lost in pieces");
  TROUPE_ASSERT(cut.used == whole.used, "another end");
  TROUPE_ASSERT(cut.request.path == whole.request.path &&
                    cut.request.body == whole.request.body &&
                    cut.request.headers == whole.request.headers &&
                    cut.request.query == whole.request.query &&
                    cut.request.target == whole.request.target,
                "means something else in pieces");
  return 0;
}
