// SPDX-License-Identifier: Apache-2.0
// ZenConn's sessions: who is here, and who was.
#include "app/admin.hpp"
#include "app/admin_query.hpp"
#include "app/json_text.hpp"
#include "storage/file_system.hpp"
#include "storage/line_journal.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace troupe::app {
namespace {

constexpr std::size_t page_default = 100;
constexpr std::size_t page_max = 10'000;
constexpr const char* limit_rule = "limit is a number from 1 to 10000";

net::http_response of_rows(std::string_view name,
                           const std::vector<std::string>& rows,
                           const std::string& next, std::size_t total) {
  net::http_response response;
  auto& body = response.body;
  body = R"({")" + std::string{name} + R"(":[)";
  for (const auto& row : rows) {
    body += row;
    body += ',';
  }
  if (!rows.empty())
    body.pop_back();
  body += R"(],"next":)";
  if (next.empty())
    body += "null";
  else
    append_json(body, next);
  body += R"(,"live":)" + std::to_string(total) + "}";
  return response;
}

/// The id in a row of session_records::live().
std::string id_of(std::string_view row) {
  constexpr std::string_view before = R"({"session":")";
  constexpr std::size_t uuid_chars = 36;
  return std::string{row.substr(before.size(), uuid_chars)};
}

} // namespace

void admin::add_record_routes() {
  route("GET", "/zenconn/sessions",
        [this](const net::http_request& r, net::responder a) {
          list_live(r, std::move(a));
        });
  route("GET", "/zenconn/records",
        [this](const net::http_request& r, net::responder a) {
          list_records(r, std::move(a));
        });
}

void admin::list_live(const net::http_request& request, net::responder answer) {
  const auto limit = limit_of(request, page_default, page_max);
  if (!limit)
    return answer.send(net::http_error(400, limit_rule));
  if (parts_.records == nullptr)
    return answer.send(of_rows("sessions", {}, {}, 0));
  const auto& records = *parts_.records;
  const auto rows =
      records.live(request.query_value("after").value_or(""), *limit);
  answer.send(of_rows("sessions", rows,
                      rows.size() < *limit ? "" : id_of(rows.back()),
                      records.live_count()));
}

void admin::list_records(const net::http_request& request,
                         net::responder answer) {
  const auto limit = limit_of(request, page_default, page_max);
  if (!limit)
    return answer.send(net::http_error(400, limit_rule));
  if (parts_.records == nullptr || parts_.records->folder().empty())
    return answer.send(error_response(
        {core::errc::not_found, "sessions are not recorded here"}));
  std::string after{request.query_value("after").value_or("")};
  in_background(answer, [this, limit = *limit, after = std::move(after)] {
    std::vector<std::string> rows;
    const auto next = storage::read_lines(storage::posix_file_system(),
                                          parts_.records->folder(), after,
                                          [&](std::string_view line) {
                                            rows.emplace_back(line);
                                            return rows.size() < limit;
                                          });
    if (!next)
      return error_response(next.error());
    return of_rows("records", rows, *next, parts_.records->live_count());
  });
}

} // namespace troupe::app
