// SPDX-License-Identifier: Apache-2.0
// troupe explain: what would become of a publication.
#include "app/admin_client.hpp"
#include "app/admin_report.hpp"
#include "app/admin_walk.hpp"
#include "app/commands.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace troupe::app {
namespace {

namespace json = boost::json;

std::string target_of(const explain_options& asked) {
  std::string target = at_node(asked.node) + "/explain?";
  const auto say = [&](const char* key, const std::string& value) {
    if (target.back() != '?')
      target += '&';
    target += std::string{key} + '=' + percent_encoded(value);
  };
  say("topic", asked.topic);
  say("qos", std::to_string(asked.qos));
  if (asked.retain)
    say("retain", "true");
  say("bytes", std::to_string(asked.bytes));
  if (!asked.type.empty())
    say("content_type", asked.type);
  for (const auto& each : asked.properties)
    say("property", each);
  if (asked.user)
    say("user", *asked.user);
  if (!asked.client.empty())
    say("client", asked.client);
  if (!asked.address.empty())
    say("address", asked.address);
  say("limit", std::to_string(asked.limit));
  return target;
}

json::value member(const json::value& of, std::string_view key) {
  const auto* object = of.if_object();
  const auto* found = object == nullptr ? nullptr : object->if_contains(key);
  return found == nullptr ? json::value{} : *found;
}

/// Indented, and not at all without rows.
void print_rows(std::vector<std::vector<std::string>> rows, std::ostream& out) {
  if (rows.size() < 2)
    return;
  for (auto& each : rows)
    each.front() = "  " + each.front();
  print_table(rows, out);
}

void print_publisher(const json::value& answer, std::ostream& out) {
  const auto who = member(answer, "publisher");
  const auto user = text_at(who, "user");
  const auto client = text_at(who, "client");
  out << text_at(answer, "topic") << ", QoS " << text_at(answer, "qos")
      << (text_at(answer, "retain") == "true" ? ", to be retained" : "")
      << ", by " << (user.empty() ? "nobody in particular" : user)
      << (client.empty() ? "" : " as client " + client) << " at node "
      << text_at(answer, "node")
      << (member(who, "connection").is_null() && !client.empty()
              ? " (not connected)"
              : "")
      << '\n';
  const bool published = text_at(answer, "published") == "true";
  const auto by = text_at(who, "granted_by");
  const auto why = text_at(answer, "why");
  out << (published ? "It is published" : "It is not published")
      << (by.empty() ? "" : ": " + by + " is granted")
      << (why.empty() ? "" : ": " + why) << ".\n";
  if (const auto ban = member(who, "ban"); ban.is_object())
    out << text_at(ban, "of") << " is banned until "
        << (member(ban, "until_ms").is_null() ? "that is lifted"
                                              : time_at(ban, "until_ms"))
        << (text_at(ban, "reason").empty() ? "" : ": ")
        << text_at(ban, "reason") << ".\n";
  std::vector<std::vector<std::string>> rows{{"GRANT", "FROM", "PERMITS"}};
  for (const auto& each : array_at(who, "grants"))
    rows.push_back({text_at(each, "grant"), text_at(each, "from"),
                    text_at(each, "permits") == "true" ? "yes" : "no"});
  print_rows(std::move(rows), out);
}

void print_key(const json::value& key, std::ostream& out) {
  if (!key.is_object())
    return;
  const auto revision = text_at(key, "revision");
  out << "Its key would be " << text_at(key, "becomes") << " in shard "
      << text_at(key, "shard") << ", led by node " << text_at(key, "leader")
      << (text_at(key, "said") != "true" ? "; the shard has not answered"
          : revision.empty()             ? "; there is none now"
                             : "; revision " + revision + " is there now")
      << ".\n";
}

void print_listeners(const json::value& list, const std::string& where,
                     std::ostream& out) {
  out << "Listeners at " << where << ": " << text_at(list, "total");
  std::string sorts;
  for (const auto* sort :
       {"given", "waits", "inbox", "queued", "dropped", "unknown"})
    if (number_at(list, sort).value_or(0) > 0)
      sorts += (sorts.empty() ? " (" : ", ") + text_at(list, sort) + ' ' + sort;
  out << sorts << (sorts.empty() ? "" : ")") << '\n';
  std::vector<std::vector<std::string>> rows{
      {"DOOR", "SESSION", "CLIENT", "USER", "BECOMES", "QOS", "FILTER", "WHY"}};
  for (const auto& each : array_at(list, "rows")) {
    const auto share = text_at(each, "share");
    auto filters = joined(array_at(each, "filters"));
    if (!share.empty())
      filters = "$share/" + share + '/' + filters;
    rows.push_back({text_at(each, "door"), text_at(each, "session"),
                    text_at(each, "client"), text_at(each, "user"),
                    text_at(each, "becomes"), text_at(each, "qos"), filters,
                    text_at(each, "why")});
  }
  print_rows(std::move(rows), out);
}

void print_sessions(const json::value& list, std::ostream& out) {
  if (number_at(list, "total").value_or(0) == 0)
    return;
  out << "Sessions that stay: " << text_at(list, "total") << ", queued for "
      << text_at(list, "queued") << '\n';
  std::vector<std::vector<std::string>> rows{{"CLIENT", "USER", "STATE",
                                              "WAITING", "UNTIL", "SHARD",
                                              "BECOMES", "QOS", "WHY"}};
  for (const auto& each : array_at(list, "rows")) {
    const bool said = text_at(each, "said") == "true";
    rows.push_back({text_at(each, "client"), text_at(each, "user"),
                    !said                                  ? "?"
                    : text_at(each, "connected") == "true" ? "connected"
                                                           : "away",
                    text_at(each, "queued"), time_at(each, "ends_ms"),
                    text_at(each, "shard"), text_at(each, "becomes"),
                    text_at(each, "qos"), text_at(each, "why")});
  }
  print_rows(std::move(rows), out);
}

void print_shares(const json::array& shares, std::ostream& out) {
  if (shares.empty())
    return;
  out << "Shared subscriptions:\n";
  std::vector<std::vector<std::string>> rows{
      {"SHARE", "FILTER", "SHARED BY", "MEMBERS", "NEXT"}};
  for (const auto& each : shares) {
    const auto next = member(each, "next");
    rows.push_back({text_at(each, "share"), text_at(each, "filter"),
                    text_at(each, "by"), text_at(each, "total"),
                    next.is_object() ? "node " + text_at(next, "node") + ", " +
                                           text_at(next, "which")
                                     : text_of(next)});
  }
  print_rows(std::move(rows), out);
}

void print_explanation(const json::value& answer, std::ostream& out) {
  print_publisher(answer, out);
  if (text_at(answer, "published") != "true")
    return;
  print_key(member(answer, "key"), out);
  print_listeners(member(answer, "listeners"),
                  "node " + text_at(answer, "node"), out);
  for (const auto& each : array_at(answer, "nodes")) {
    const auto name = "node " + text_at(each, "node");
    if (text_at(each, "said") == "true")
      print_listeners(member(each, "listeners"), name, out);
    else
      out << "Listeners at " << name << ": " << text_at(each, "why") << '\n';
  }
  print_shares(array_at(answer, "shares"), out);
  print_sessions(member(answer, "sessions"), out);
}

} // namespace

int run(const explain_options& options, terminal& screen) {
  const admin_client admin{options.admin};
  return report("explain", admin.get(target_of(options)), options.admin, screen,
                [&](const json::value& answer) {
                  print_explanation(answer, screen.out);
                });
}

} // namespace troupe::app
