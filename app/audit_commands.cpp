// SPDX-License-Identifier: Apache-2.0
#include "app/admin_client.hpp"
#include "app/admin_report.hpp"
#include "app/audit_json.hpp"
#include "app/cli.hpp"
#include "app/commands.hpp"
#include "core/clock.hpp"
#include "storage/file_system.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <ostream>
#include <string>

namespace troupe::app {
namespace {

namespace json = boost::json;
namespace audit = storage::audit;
using core::result;

constexpr std::uint64_t page_rows = 1000;

/// False: no more are wanted.
using row_visitor = std::function<bool(const json::value&)>;

std::vector<std::pair<std::string, std::string>>
terms_of(const audit_query_options& options) {
  auto terms = options.terms;
  if (options.since.count() != 0)
    terms.emplace_back("from",
                       std::to_string(core::to_millis(
                           core::system_clock{}.wall() - options.since)));
  return terms;
}

/// Page after page.
result<void> ask_node(const audit_query_options& options, std::uint64_t wanted,
                      const row_visitor& visit) {
  const admin_client admin{options.admin};
  std::string query;
  for (const auto& [name, value] : terms_of(options))
    query += "&" + name + "=" + percent_encoded(value);
  std::int64_t after = 0;
  for (;;) {
    const auto limit = std::min(wanted, page_rows);
    const auto page = admin.get(
        "/audit?limit=" + std::to_string(limit) +
        (after == 0 ? std::string{} : "&after=" + std::to_string(after)) +
        query);
    if (!page)
      return page.error();
    const auto rows = array_at(*page, "records");
    for (const auto& row : rows)
      if (!visit(row))
        return {};
    wanted -= rows.size();
    const auto next = number_at(*page, "next").value_or(0);
    // A node that leads in a circle must not keep us here.
    if (wanted == 0 || next <= after)
      return {};
    after = next;
  }
}

result<void> read_folder(const audit_query_options& options,
                         std::uint64_t wanted, const row_visitor& visit,
                         terminal& screen) {
  net::http_request request;
  request.query = terms_of(options);
  auto terms = read_search(request);
  if (!terms)
    return terms.error();
  terms->scan_bytes_max = std::numeric_limits<std::uint64_t>::max();
  auto& files = storage::posix_file_system();
  const auto view = audit::look_at(files, options.folder);
  if (!view)
    return view.error();
  const auto end = audit::search(
      files, options.folder, *view, *terms,
      [&](const audit::record& what, const audit::digest& chain) {
        return wanted-- != 0 && visit(view_of(what, view->node, chain));
      });
  if (!end)
    return end.error();
  if (end->damaged != 0)
    screen.err << "troupe audit: " << end->damaged
               << " segments are damaged and were read in part; see 'troupe "
                  "audit verify'\n";
  return {};
}

std::vector<std::string> columns_of(const json::value& row) {
  auto where = text_at(row, "target");
  if (where.empty())
    where = joined(array_at(row, "to"));
  const auto reason = text_at(row, "reason");
  return {text_at(row, "sequence"),
          text_at(row, "time"),
          text_at(row, "kind"),
          text_at(row, "user"),
          where,
          text_at(row, "type"),
          text_at(row, "size"),
          text_at(row, "accepted") == "true"
              ? (reason.empty() ? "ok" : "ok (" + reason + ")")
              : "no: " + reason};
}

result<std::string> read_key(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in)
    return core::error{core::errc::io_error, path + " cannot be read"};
  std::string key{std::istreambuf_iterator<char>{in}, {}};
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r'))
    key.pop_back();
  if (key.empty())
    return core::error{core::errc::invalid_config, path + " is empty"};
  return key;
}

json::object describe(const audit::verdict& found) {
  json::object body{{"whole", !found.broken.has_value()},
                    {"segments", found.segments},
                    {"sealed_segments", found.sealed},
                    {"records", found.records},
                    {"first_sequence", found.first},
                    {"last_sequence", found.last},
                    {"last_hash", audit::to_hex(found.last_hash)},
                    {"torn_bytes", found.torn_bytes},
                    {"broken", nullptr}};
  if (found.broken)
    body["broken"] = json::object{{"file", found.broken->file},
                                  {"offset", found.broken->offset},
                                  {"last_right", found.broken->behind},
                                  {"why", found.broken->why}};
  return body;
}

void print(const audit::verdict& found, std::ostream& out) {
  out << found.records << " records in " << found.segments << " segments";
  if (found.first != 0)
    out << ", " << found.first << " to " << found.last;
  out << '\n';
  if (found.torn_bytes != 0)
    out << found.torn_bytes
        << " bytes at the end are half a record: a node writes it, or died "
           "while it did\n";
  if (found.broken) {
    out << "BROKEN";
    if (!found.broken->file.empty())
      out << " at " << found.broken->file << ", byte " << found.broken->offset;
    out << ": " << found.broken->why << "\nRight up to record "
        << found.broken->behind << '\n';
    return;
  }
  if (found.last != 0)
    out << "The chain is whole. Anchor: " << found.last << ':'
        << audit::to_hex(found.last_hash) << '\n';
}

} // namespace

int run(const audit_query_options& options, terminal& screen) {
  constexpr const char* name = "audit query";
  const auto wanted = options.limit == 0
                          ? std::numeric_limits<std::uint64_t>::max()
                          : options.limit;
  std::vector<std::vector<std::string>> rows{
      {"SEQUENCE", "TIME", "KIND", "USER", "TARGET", "TYPE", "SIZE", "DONE"}};
  const bool lines = options.lines || options.admin.json;
  const auto visit = [&](const json::value& row) {
    if (lines)
      screen.out << json::serialize(row) << '\n';
    else
      rows.push_back(columns_of(row));
    return screen.out.good();
  };
  const auto done = options.folder.empty()
                        ? ask_node(options, wanted, visit)
                        : read_folder(options, wanted, visit, screen);
  if (!done)
    return fail(name, done.error(), screen);
  if (!lines)
    print_table(rows, screen.out);
  return exit_ok;
}

int run(const audit_state_options& options, terminal& screen) {
  return report("audit state", admin_client{options.admin}.get("/audit/state"),
                options.admin, screen, [&](const json::value& state) {
                  screen.out << "records " << text_at(state, "first_sequence")
                             << " to " << text_at(state, "last_sequence")
                             << " in " << text_at(state, "segments")
                             << " segments, " << text_at(state, "bytes")
                             << " bytes\nanchor " << text_at(state, "anchor")
                             << '\n';
                });
}

int run(const audit_verify_options& options, terminal& screen) {
  constexpr const char* name = "audit verify";
  audit::verify_terms terms;
  if (!options.key_file.empty()) {
    auto key = read_key(options.key_file);
    if (!key)
      return fail(name, key.error(), screen);
    terms.key = std::move(*key);
  }
  if (!options.anchor.empty()) {
    const auto anchor = parse_anchor(options.anchor);
    if (!anchor)
      return fail(name, anchor.error(), screen);
    terms.anchor = *anchor;
  }
  const auto found =
      audit::verify(storage::posix_file_system(), options.folder, terms);
  if (!found)
    return fail(name, found.error(), screen);
  if (found->segments == 0 && !found->broken)
    return fail(name,
                {core::errc::not_found,
                 options.folder + " holds no segment of an audit log"},
                screen);
  if (options.json)
    screen.out << json::serialize(describe(*found)) << '\n';
  else
    print(*found, screen.out);
  return found->broken ? exit_failed : exit_ok;
}

} // namespace troupe::app
