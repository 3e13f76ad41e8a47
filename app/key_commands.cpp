// SPDX-License-Identifier: Apache-2.0
#include "app/admin_client.hpp"
#include "app/admin_report.hpp"
#include "app/cli.hpp"
#include "app/commands.hpp"
#include "app/message_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <iostream>
#include <iterator>
#include <string>

namespace troupe::app {
namespace {

namespace json = boost::json;

/// By the query: a path can't have every topic.
std::string key_target(const std::string& topic, const std::string& realm) {
  return "/keys?topic=" + percent_encoded(topic) +
         "&realm=" + percent_encoded(realm);
}

/// As many as are wanted, over all pages; the last one says what is missing.
core::result<json::value> fetch_keys(const admin_client& admin,
                                     const key_list_options& options) {
  json::array all;
  std::int64_t unread = 0;
  std::string after;
  bool more = true;
  bool left_out = false;
  while (more) {
    auto page =
        admin.get("/keys?limit=1000&filter=" + percent_encoded(options.filter) +
                  "&realm=" + percent_encoded(options.realm) +
                  "&after=" + percent_encoded(after));
    if (!page)
      return page.error();
    unread += number_at(*page, "unread_shards").value_or(0);
    for (const auto& each : array_at(*page, "keys"))
      if (options.limit == 0 || all.size() < options.limit)
        all.push_back(each);
      else
        left_out = true;
    const auto next = text_at(*page, "next");
    more = !next.empty() && next != after &&
           (options.limit == 0 || all.size() < options.limit);
    after = next;
  }
  return json::value{{"keys", std::move(all)},
                     {"unread_shards", unread},
                     {"more", left_out || !after.empty()}};
}

std::string value_of(const key_set_options& options) {
  if (options.text)
    return *options.text;
  return {std::istreambuf_iterator<char>{std::cin}, {}};
}

} // namespace

int run(const key_list_options& options, terminal& screen) {
  const auto found = fetch_keys(admin_client{options.admin}, options);
  const auto shown = report(
      "key list", found, options.admin, screen, [&](const json::value& value) {
        std::vector<std::vector<std::string>> rows{
            {"TOPIC", "BYTES", "QOS", "SET", "EXPIRES", "BY", "TYPE"}};
        for (const auto& each : array_at(value, "keys"))
          rows.push_back({visible(text_at(each, "topic")),
                          text_at(each, "bytes"), text_at(each, "qos"),
                          time_at(each, "set_ms"), time_at(each, "expires_ms"),
                          visible(text_at(each, "sender")),
                          visible(text_at(each, "content_type"))});
        print_table(rows, screen.out);
      });
  if (found && number_at(*found, "unread_shards").value_or(0) > 0)
    screen.err << "Some are missing: a shard had no leader\n";
  if (found && text_at(*found, "more") == "true")
    screen.err << "There are more than " << options.limit << "; see --limit\n";
  return shown;
}

int run(const key_get_options& options, terminal& screen) {
  return report(
      "key get",
      admin_client{options.admin}.get(key_target(options.topic, options.realm)),
      options.admin, screen, [&](const json::value& value) {
        const auto* data = value.get_object().if_contains("data");
        screen.out << (data == nullptr ? text_at(value, "data_base64")
                                       : text_of(*data))
                   << '\n';
      });
}

int run(const key_set_options& options, terminal& screen) {
  json::object body{{"data", value_of(options)}, {"qos", options.qos}};
  if (!options.content_type.empty())
    body["content_type"] = options.content_type;
  if (options.ttl)
    body["ttl_ms"] = options.ttl->count();
  return report("key set",
                admin_client{options.admin}.post(
                    key_target(options.topic, options.realm), body),
                options.admin, screen, [&](const json::value& value) {
                  screen.out << "revision " << text_at(value, "revision")
                             << '\n';
                });
}

int run(const key_clear_options& options, terminal& screen) {
  return report("key clear",
                admin_client{options.admin}.remove(
                    key_target(options.topic, options.realm)),
                options.admin, screen, [&](const json::value& value) {
                  screen.out << "cleared " << visible(text_at(value, "cleared"))
                             << '\n';
                });
}

} // namespace troupe::app
