// SPDX-License-Identifier: Apache-2.0
// The audit log: show, and say how far it goes.
#include "app/admin.hpp"
#include "app/admin_query.hpp"
#include "app/audit_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <string>
#include <utility>

namespace troupe::app {
namespace {

namespace json = boost::json;
namespace audit = storage::audit;

constexpr std::size_t page_default = 100;
constexpr std::size_t page_max = 1000;
constexpr std::size_t page_bytes_max = std::size_t{8} << 20U;
/// One request goes through so much; the next one goes on from there.
constexpr std::uint64_t scan_bytes_max = std::uint64_t{64} << 20U;

net::http_response page(const audit_parts& parts,
                        const audit::search_terms& terms, std::size_t limit) {
  json::array rows;
  std::size_t bytes = 0;
  const auto view = parts.log.view();
  const auto end =
      audit::search(parts.files, parts.folder, view, terms,
                    [&](const audit::record& what, const audit::digest& chain) {
                      if (rows.size() == limit || bytes > page_bytes_max)
                        return false;
                      // Of the payload twice: it may have to be escaped.
                      bytes += 512 + what.target.size() + what.detail.size() +
                               (what.payload ? 2 * what.payload->size() : 0);
                      rows.push_back(view_of(what, view.node, chain));
                      return true;
                    });
  if (!end)
    return error_response(end.error());
  json::object body{{"records", std::move(rows)},
                    {"next", nullptr},
                    {"damaged_segments", end->damaged}};
  if (end->next != 0)
    body["next"] = end->next;
  return json_response(body);
}

} // namespace

void admin::add_audit_routes() {
  const auto none = [](const net::responder& answer) {
    answer.send(net::http_error(404, "this node has no audit log "
                                     "(audit.enabled)"));
  };
  route("GET", "/audit",
        [this, none](const net::http_request& r, net::responder a) {
          if (!parts_.audit)
            return none(a);
          const auto limit = limit_of(r, page_default, page_max);
          if (!limit)
            return a.send(net::http_error(400, "limit is a number, 1 to 1000"));
          auto terms = read_search(r);
          if (!terms)
            return a.send(net::http_error(400, terms.error().detail));
          terms->scan_bytes_max = scan_bytes_max;
          in_background(a, [this, terms = std::move(*terms), limit = *limit] {
            return page(*parts_.audit, terms, limit);
          });
        });
  route("GET", "/audit/state",
        [this, none](const net::http_request&, net::responder a) {
          if (!parts_.audit)
            return none(a);
          a.send(json_response(view_of(parts_.audit->log.view())));
        });
}

} // namespace troupe::app
