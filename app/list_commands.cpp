// SPDX-License-Identifier: Apache-2.0
#include "app/admin_client.hpp"
#include "app/admin_report.hpp"
#include "app/commands.hpp"
#include "core/name_path.hpp"

#include <ostream>
#include <string>

namespace troupe::app {
namespace {

namespace json = boost::json;

std::string list_path(const std::string& list) {
  return "/lists/" + percent_encoded(list);
}

/// The rows of all pages under `key`, with what the first one has beside them.
core::result<json::value> fetch_all(const admin_client& admin,
                                    const std::string& path, const char* key) {
  auto all = admin.get(path);
  if (!all || !all->is_object())
    return all;
  auto& answer = all->get_object();
  auto after = text_at(*all, "next");
  while (!after.empty()) {
    const auto page =
        admin.get(path + "?after=" + core::encode_path_segment(after));
    if (!page)
      return page.error();
    for (const auto& each : array_at(*page, key))
      answer[key].as_array().push_back(each);
    after = text_at(*page, "next");
  }
  answer.erase("next");
  return all;
}

int edit(const char* name, const char* op, const admin_options& options,
         const std::string& list, const std::string& uid, terminal& screen) {
  const json::value body{{"op", op}, {"member", uid}};
  return report(
      name, admin_client{options}.post(list_path(list) + "/members", body),
      options, screen,
      [&](const json::value&) { screen.out << op << ' ' << uid << ": ok\n"; });
}

} // namespace

int run(const list_show_options& options, terminal& screen) {
  return report(
      "list show",
      fetch_all(admin_client{options.admin}, list_path(options.list),
                "members"),
      options.admin, screen, [&](const json::value& value) {
        std::vector<std::vector<std::string>> rows{{"UID", "INVITED AS"}};
        for (const auto& each : array_at(value, "members"))
          rows.push_back({text_at(each, "uid"), text_at(each, "invited_as")});
        print_table(rows, screen.out);
      });
}

int run(const list_ls_options& options, terminal& screen) {
  return report(
      "list ls", fetch_all(admin_client{options.admin}, "/lists", "lists"),
      options.admin, screen, [&](const json::value& value) {
        std::vector<std::vector<std::string>> rows{{"LIST", "MEMBERS"}};
        for (const auto& each : array_at(value, "lists"))
          rows.push_back({text_at(each, "name"), text_at(each, "members")});
        print_table(rows, screen.out);
      });
}

int run(const list_add_options& options, terminal& screen) {
  return edit("list add", "add", options.admin, options.list, options.uid,
              screen);
}

int run(const list_remove_options& options, terminal& screen) {
  return edit("list remove", "remove", options.admin, options.list, options.uid,
              screen);
}

} // namespace troupe::app
