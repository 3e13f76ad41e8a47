// SPDX-License-Identifier: Apache-2.0
#include "app/admin_walk.hpp"

#include "app/admin_report.hpp"

#include <boost/json/array.hpp>

#include <ostream>
#include <utility>

namespace troupe::app {

namespace json = boost::json;
using core::result;

std::string at_node(std::uint32_t node) {
  return node == 0 ? std::string{} : "/nodes/" + std::to_string(node);
}

result<void> each_row(const admin_client& admin, const std::string& path,
                      std::string_view key, const row_visitor& visit,
                      std::string_view query, const page_visitor& look) {
  std::string after;
  for (;;) {
    const auto page = admin.get(
        path + "?limit=1000" + std::string{query} +
        (after.empty() ? std::string{} : "&after=" + percent_encoded(after)));
    if (!page)
      return page.error();
    if (look)
      look(*page);
    const auto rows = array_at(*page, key);
    for (const auto& row : rows)
      if (row.is_object() && !visit(row.get_object()))
        return {};
    const auto next = text_at(*page, "next");
    // A node that leads in a circle must not keep us here.
    if (next.empty() || next == after || rows.empty())
      return {};
    after = next;
  }
}

result<std::vector<node_place>> all_nodes(const admin_client& admin,
                                          terminal& screen) {
  const auto answer = admin.get("/nodes");
  if (!answer)
    return answer.error();
  const auto self = number_at(*answer, "self");
  std::vector<node_place> all;
  for (const auto& each : array_at(*answer, "nodes")) {
    const auto id =
        static_cast<std::uint32_t>(number_at(each, "id").value_or(0));
    if (text_at(each, "state") == "removed")
      continue;
    if (number_at(each, "id") == self)
      all.push_back({0, id});
    else if (text_at(each, "linked") == "true")
      all.push_back({id, id});
    else
      screen.err << "node " << id << " can't be asked: no link to it\n";
  }
  if (all.empty()) // alone
    all.push_back({0, static_cast<std::uint32_t>(self.value_or(0))});
  return all;
}

} // namespace troupe::app
