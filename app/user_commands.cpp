// SPDX-License-Identifier: Apache-2.0
#include "app/admin_client.hpp"
#include "app/admin_report.hpp"
#include "app/cli.hpp"
#include "app/commands.hpp"
#include "core/ids.hpp"
#include "core/name_path.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

#include <fstream>
#include <iostream>
#include <sstream>

namespace troupe::app {
namespace {

namespace json = boost::json;

/// Users one request asks for.
constexpr std::uint64_t page_users = 1000;

std::string user_path(const std::string& uid) {
  return "/users/" + percent_encoded(uid);
}

/// Users in pages; stops at `limit` if it is not 0.
core::result<json::array> fetch_users(const admin_client& admin,
                                      const user_list_options& options) {
  json::array all;
  std::string after;
  for (;;) {
    const auto wanted =
        options.limit == 0
            ? page_users
            : std::min<std::uint64_t>(page_users, options.limit - all.size());
    const auto page =
        admin.get("/users?prefix=" + percent_encoded(options.prefix) +
                  "&after=" + percent_encoded(after) +
                  "&limit=" + std::to_string(wanted));
    if (!page)
      return page.error();
    const auto users = array_at(*page, "users");
    all.insert(all.end(), users.begin(), users.end());
    const auto next = text_at(*page, "next");
    // A node that leads in a circle must not keep us here.
    if (next.empty() || next <= after ||
        (options.limit != 0 && all.size() >= options.limit))
      return all;
    after = next;
  }
}

core::result<std::string> read_all(const std::string& path, terminal& screen) {
  std::ostringstream text;
  if (path == "-") {
    text << screen.in.rdbuf();
    return text.str();
  }
  std::ifstream in{path, std::ios::binary};
  if (!in)
    return core::error{core::errc::io_error, path + " cannot be read"};
  text << in.rdbuf();
  return text.str();
}

/// Devices go by number: their names are credentials.
void print_devices(const json::value& user, terminal& screen) {
  std::vector<std::vector<std::string>> rows{
      {"DEVICE", "WAITING", "LAST SEEN"}};
  const auto* fields = user.if_object();
  const auto* inbox = fields ? fields->if_contains("inbox") : nullptr;
  const auto last = inbox ? number_at(*inbox, "last") : std::nullopt;
  for (const auto& each : array_at(user, "devices")) {
    const auto acknowledged = number_at(each, "acknowledged");
    rows.push_back(
        {text_at(each, "offset"),
         last && acknowledged ? std::to_string(*last - *acknowledged) : "0",
         time_at(each, "seen_ms")});
  }
  print_table(rows, screen.out);
}

/// All pages of devices that were not seen.
core::result<json::value> fetch_unseen(const admin_client& admin,
                                       core::milliseconds unseen_for) {
  json::array all;
  const auto first =
      "/users/inactive?unseen_for_ms=" + std::to_string(unseen_for.count());
  std::string after;
  do {
    const auto page = admin.get(
        after.empty() ? first
                      : first + "&after=" + core::encode_path_segment(after));
    if (!page)
      return page.error();
    for (const auto& each : array_at(*page, "users"))
      all.push_back(each);
    after = text_at(*page, "next");
  } while (!after.empty());
  return json::value{{"users", std::move(all)}};
}

/// Asks until there is nobody left, or the rest cannot be removed.
core::result<json::value> purge_all(const admin_client& admin,
                                    core::milliseconds unseen_for) {
  json::array all;
  bool more = true;
  while (more) {
    const auto answer = admin.post(
        "/users/purge", json::value{{"unseen_for_ms", unseen_for.count()}});
    if (!answer)
      return answer.error();
    const auto removed = array_at(*answer, "users");
    for (const auto& each : removed)
      all.push_back(each);
    const auto* flag = answer->is_object()
                           ? answer->get_object().if_contains("more")
                           : nullptr;
    more = flag != nullptr && flag->is_bool() && flag->get_bool() &&
           !removed.empty();
  }
  return json::value{{"users", std::move(all)}};
}

} // namespace

int run(const user_add_options& options, terminal& screen) {
  const json::value body{{"uid", options.uid},
                         {"device", options.device},
                         {"aliases", json::value_from(options.aliases)}};
  return report("user add", admin_client{options.admin}.post("/users", body),
                options.admin, screen, [&](const json::value& value) {
                  screen.out << "added " << options.uid << '\n';
                  const auto taken = array_at(value, "aliases");
                  if (taken.size() < options.aliases.size())
                    screen.out << "aliases: " << joined(taken)
                               << " (the others are taken)\n";
                });
}

int run(const user_show_options& options, terminal& screen) {
  return report("user show",
                admin_client{options.admin}.get(user_path(options.uid)),
                options.admin, screen, [&](const json::value& value) {
                  screen.out << text_at(value, "uid") << "\n  aliases  "
                             << joined(array_at(value, "aliases"))
                             << "\n  lists    "
                             << joined(array_at(value, "lists")) << "\n\n";
                  print_devices(value, screen);
                });
}

int run(const user_list_options& options, terminal& screen) {
  const admin_client admin{options.admin};
  const auto users = fetch_users(admin, options);
  const auto answer =
      users ? core::result<json::value>{json::value{{"users", *users}}}
            : core::result<json::value>{users.error()};
  return report("user list", answer, options.admin, screen,
                [&](const json::value& value) {
                  std::vector<std::vector<std::string>> rows{
                      {"UID", "DEVICES", "ALIASES"}};
                  for (const auto& each : array_at(value, "users"))
                    rows.push_back(
                        {text_at(each, "uid"),
                         std::to_string(array_at(each, "devices").size()),
                         joined(array_at(each, "aliases"))});
                  print_table(rows, screen.out);
                });
}

int run(const user_remove_options& options, terminal& screen) {
  return report("user remove",
                admin_client{options.admin}.remove(user_path(options.uid)),
                options.admin, screen, [&](const json::value&) {
                  screen.out << "removed " << options.uid << '\n';
                });
}

int run(const user_import_options& options, terminal& screen) {
  const auto text = read_all(options.file, screen);
  if (!text)
    return fail("user import", text.error(), screen);
  return report("user import",
                admin_client{options.admin}.post_text("/users/import", *text),
                options.admin, screen, [&](const json::value& value) {
                  if (const auto* counts = value.if_object())
                    for (const auto& each : *counts)
                      screen.out << std::string_view{each.key().data(),
                                                     each.key().size()}
                                 << ' ' << text_of(each.value()) << '\n';
                });
}

int run(const user_export_options& options, terminal& screen) {
  // Names are bytes and need not be UTF-8: passed on unread.
  const auto text = admin_client{options.admin}.get_text("/users/export");
  if (!text)
    return fail("user export", text.error(), screen);
  screen.out << *text;
  return exit_ok;
}

int run(const user_devices_options& options, terminal& screen) {
  return report(
      "user devices", admin_client{options.admin}.get(user_path(options.uid)),
      options.admin, screen,
      [&](const json::value& value) { print_devices(value, screen); });
}

int run(const user_inactive_options& options, terminal& screen) {
  return report("user inactive",
                fetch_unseen(admin_client{options.admin}, options.unseen_for),
                options.admin, screen, [&](const json::value& value) {
                  std::vector<std::vector<std::string>> rows{
                      {"UID", "DEVICE", "LAST SEEN"}};
                  for (const auto& each : array_at(value, "users"))
                    rows.push_back({text_at(each, "uid"),
                                    text_at(each, "device"),
                                    time_at(each, "last_seen")});
                  print_table(rows, screen.out);
                });
}

int run(const user_purge_options& options, terminal& screen) {
  return report("user purge",
                purge_all(admin_client{options.admin}, options.unseen_for),
                options.admin, screen, [&](const json::value& value) {
                  for (const auto& each : array_at(value, "users"))
                    screen.out << "removed " << text_at(each, "uid") << '\n';
                });
}

} // namespace troupe::app
