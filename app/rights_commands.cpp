// SPDX-License-Identifier: Apache-2.0
#include "app/admin_client.hpp"
#include "app/admin_report.hpp"
#include "app/commands.hpp"

#include <boost/json/value_from.hpp>

#include <fstream>
#include <istream>
#include <ostream>
#include <string>
#include <vector>

namespace troupe::app {
namespace {

namespace json = boost::json;

/// All rows of a list that comes in pages.
core::result<json::value> fetch_all(const admin_options& options,
                                    const std::string& path,
                                    std::string_view what,
                                    const std::string& query = {}) {
  const admin_client admin{options};
  json::array all;
  std::string after;
  for (;;) {
    const auto page =
        admin.get(path + "?limit=1000&after=" + percent_encoded(after) + query);
    if (!page)
      return page.error();
    for (const auto& each : array_at(*page, what))
      all.push_back(each);
    const auto next = text_at(*page, "next");
    // A node that leads in a circle must not keep us here.
    if (next.empty() || next <= after)
      return json::value{{what, std::move(all)}};
    after = next;
  }
}

int post_and_say(std::string_view name, const admin_options& options,
                 const std::string& path, const json::value& body,
                 terminal& screen, const std::string& done) {
  return report(name, admin_client{options}.post(path, body), options, screen,
                [&](const json::value&) { screen.out << done << '\n'; });
}

int remove_and_say(std::string_view name, const admin_options& options,
                   const std::string& path, terminal& screen,
                   const std::string& done) {
  return report(name, admin_client{options}.remove(path), options, screen,
                [&](const json::value&) { screen.out << done << '\n'; });
}

core::result<std::string> first_line_of(const std::string& path,
                                        terminal& screen) {
  std::string line;
  if (path == "-") {
    std::getline(screen.in, line);
  } else {
    std::ifstream in{path};
    if (!in)
      return core::error{core::errc::io_error, path + " cannot be read"};
    std::getline(in, line);
  }
  if (!line.empty() && line.back() == '\r')
    line.pop_back();
  if (line.empty())
    return core::error{core::errc::malformed, "there is no password"};
  return line;
}

std::string ban_path(const std::string& uid, const std::string& address) {
  return uid.empty() ? "/rights/bans/addresses/" + percent_encoded(address)
                     : "/rights/bans/users/" + percent_encoded(uid);
}

} // namespace

int run(const user_passwd_options& options, terminal& screen) {
  json::value password;
  if (!options.remove) {
    const auto line = first_line_of(options.file, screen);
    if (!line)
      return fail("user passwd", line.error(), screen);
    password = *line;
  }
  return post_and_say(
      "user passwd", options.admin, "/rights/passwords",
      json::value{{"uid", options.uid}, {"password", password}}, screen,
      options.uid + (options.remove ? " has no password any more"
                                    : " has a new password"));
}

int run(const token_add_options& options, terminal& screen) {
  json::object body{{"uid", options.uid},
                    {"label", options.label},
                    {"roles", json::value_from(options.roles)},
                    {"grants", json::value_from(options.grants)}};
  if (options.expires_in.count() > 0)
    body["expires_in_ms"] = options.expires_in.count();
  // Alone on its line, so that it can be taken up by a script.
  return report("token add",
                admin_client{options.admin}.post("/rights/tokens", body),
                options.admin, screen, [&](const json::value& value) {
                  screen.out << text_at(value, "token") << '\n';
                  screen.err << "This is shown only now; revoke it by its id, "
                             << text_at(value, "id") << '\n';
                });
}

int run(const token_list_options& options, terminal& screen) {
  return report("token list",
                fetch_all(options.admin, "/rights/tokens", "tokens",
                          "&uid=" + percent_encoded(options.uid)),
                options.admin, screen, [&](const json::value& value) {
                  std::vector<std::vector<std::string>> rows{
                      {"ID", "USER", "LABEL", "EXPIRES", "ROLES", "GRANTS"}};
                  for (const auto& each : array_at(value, "tokens"))
                    rows.push_back({text_at(each, "id"), text_at(each, "uid"),
                                    text_at(each, "label"),
                                    number_at(each, "expires_ms")
                                        ? time_at(each, "expires_ms")
                                        : "never",
                                    joined(array_at(each, "roles")),
                                    joined(array_at(each, "grants"))});
                  print_table(rows, screen.out);
                });
}

int run(const token_revoke_options& options, terminal& screen) {
  return remove_and_say("token revoke", options.admin,
                        "/rights/tokens/" + percent_encoded(options.id), screen,
                        "revoked " + options.id);
}

int run(const grant_change_options& options, terminal& screen) {
  const bool user = !options.uid.empty();
  return post_and_say(
      options.give ? "grant add" : "grant remove", options.admin,
      user ? "/rights/accounts" : "/rights/roles",
      json::value{{user ? "uid" : "role", user ? options.uid : options.role},
                  {"op", options.give ? "give" : "take"},
                  {"grants", json::value_from(options.grants)}},
      screen, options.give ? "granted" : "taken away");
}

int run(const grant_list_options& options, terminal& screen) {
  const auto accounts =
      fetch_all(options.admin, "/rights/accounts", "accounts");
  const auto roles =
      accounts ? fetch_all(options.admin, "/rights/roles", "roles") : accounts;
  const auto answer = roles ? core::result<json::value>{json::value{
                                  {"accounts", array_at(*accounts, "accounts")},
                                  {"roles", array_at(*roles, "roles")}}}
                            : core::result<json::value>{roles.error()};
  return report("grant list", answer, options.admin, screen,
                [&](const json::value& value) {
                  std::vector<std::vector<std::string>> rows{
                      {"HOLDER", "PASSWORD", "ROLES", "GRANTS"}};
                  for (const auto& each : array_at(value, "roles"))
                    rows.push_back({"role " + text_at(each, "role"), "-", "-",
                                    joined(array_at(each, "grants"))});
                  for (const auto& each : array_at(value, "accounts"))
                    rows.push_back(
                        {"user " + text_at(each, "uid"),
                         text_at(each, "password") == "true" ? "yes" : "no",
                         joined(array_at(each, "roles")),
                         joined(array_at(each, "grants"))});
                  print_table(rows, screen.out);
                });
}

int run(const role_change_options& options, terminal& screen) {
  return post_and_say(
      options.give ? "role give" : "role take", options.admin,
      "/rights/accounts",
      json::value{{"uid", options.uid},
                  {"op", options.give ? "give" : "take"},
                  {"roles", json::value_from(std::vector{options.role})}},
      screen,
      options.uid + (options.give ? " has role " : " has no more role ") +
          options.role);
}

int run(const role_list_options& options, terminal& screen) {
  return report(
      "role list", fetch_all(options.admin, "/rights/roles", "roles"),
      options.admin, screen, [&](const json::value& value) {
        std::vector<std::vector<std::string>> rows{{"ROLE", "GRANTS"}};
        for (const auto& each : array_at(value, "roles"))
          rows.push_back(
              {text_at(each, "role"), joined(array_at(each, "grants"))});
        print_table(rows, screen.out);
      });
}

int run(const role_remove_options& options, terminal& screen) {
  return remove_and_say("role remove", options.admin,
                        "/rights/roles/" + percent_encoded(options.role),
                        screen, "removed role " + options.role);
}

int run(const block_change_options& options, terminal& screen) {
  return post_and_say(
      options.give ? "block add" : "block remove", options.admin,
      "/rights/blocks",
      json::value{{"uid", options.uid},
                  {"op", options.give ? "give" : "take"},
                  {"blocked", json::value_from(options.blocked)}},
      screen,
      options.uid +
          (options.give ? " gets nothing from them" : " hears them again"));
}

int run(const block_list_options& options, terminal& screen) {
  return report("block list",
                admin_client{options.admin}.get("/rights/accounts/" +
                                                percent_encoded(options.uid)),
                options.admin, screen, [&](const json::value& value) {
                  for (const auto& each : array_at(value, "blocked"))
                    screen.out << text_of(each) << '\n';
                });
}

int run(const ban_add_options& options, terminal& screen) {
  const bool user = !options.uid.empty();
  const auto& name = user ? options.uid : options.address;
  json::object body{{user ? "uid" : "address", name},
                    {"reason", options.reason}};
  if (options.lasts.count() > 0)
    body["for_ms"] = options.lasts.count();
  return post_and_say("ban add", options.admin, "/rights/bans", body, screen,
                      "banned " + name);
}

int run(const ban_lift_options& options, terminal& screen) {
  return remove_and_say("ban lift", options.admin,
                        ban_path(options.uid, options.address), screen,
                        "lifted");
}

int run(const ban_list_options& options, terminal& screen) {
  const auto users = fetch_all(options.admin, "/rights/bans/users", "bans");
  const auto addresses =
      users ? fetch_all(options.admin, "/rights/bans/addresses", "bans")
            : users;
  const auto answer = addresses
                          ? core::result<json::value>{json::value{
                                {"users", array_at(*users, "bans")},
                                {"addresses", array_at(*addresses, "bans")}}}
                          : core::result<json::value>{addresses.error()};
  return report(
      "ban list", answer, options.admin, screen, [&](const json::value& value) {
        std::vector<std::vector<std::string>> rows{
            {"KIND", "NAME", "UNTIL", "REASON"}};
        for (const auto& [list, kind] :
             {std::pair{"users", "user"}, std::pair{"addresses", "address"}})
          for (const auto& each : array_at(value, list))
            rows.push_back({kind, text_at(each, "name"),
                            number_at(each, "until_ms")
                                ? time_at(each, "until_ms")
                                : "lifted",
                            text_at(each, "reason")});
        print_table(rows, screen.out);
      });
}

} // namespace troupe::app
