// SPDX-License-Identifier: Apache-2.0
#include "app/channel_rows.hpp"

#include "actors/channels/channel_book.hpp"
#include "app/admin_query.hpp"
#include "app/json_text.hpp"
#include "core/name_path.hpp"
#include "core/topic.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace troupe::app {
namespace {

namespace json = boost::json;

/// By what rows are sorted: the figure downwards, then the name.
using place = std::tuple<std::uint64_t, std::string_view, std::string_view>;

std::uint64_t figure_of(const channel_row& row, channel_order order) {
  switch (order) {
  case channel_order::listeners:
    return row.listeners;
  case channel_order::rate:
    return row.rate;
  case channel_order::name:
    break;
  }
  return 0;
}

place place_of(const channel_row& row, channel_order order) {
  return {~figure_of(row, order), row.realm, row.topic};
}

/// "FIGURE.REALM/TOPIC"; realms have no '/'.
std::string mark_of(const channel_row& row, channel_order order) {
  return std::to_string(figure_of(row, order)) + "." + row.realm + "/" +
         row.topic;
}

std::optional<place> place_at(std::string_view mark) {
  const auto dot = mark.find('.');
  const auto slash = mark.find('/', dot);
  if (dot == std::string_view::npos || slash == std::string_view::npos)
    return std::nullopt;
  const auto figure = number_of<std::uint64_t>(mark.substr(0, dot));
  if (!figure)
    return std::nullopt;
  return place{~*figure, mark.substr(dot + 1, slash - dot - 1),
               mark.substr(slash + 1)};
}

std::optional<channel_order> order_of(std::string_view text) {
  if (text == "listeners")
    return channel_order::listeners;
  if (text == "rate")
    return channel_order::rate;
  if (text == "name")
    return channel_order::name;
  return std::nullopt;
}

bool wants(const channel_question& wanted, const channel_row& row) {
  return (!wanted.realm || row.realm == *wanted.realm) &&
         (!wanted.topic || row.topic == *wanted.topic) &&
         row.topic.starts_with(wanted.prefix);
}

json::object to_json(const channel_row& row) {
  std::string path = "/channels/" + core::encode_path_segment(row.realm);
  for (core::level_reader levels{row.topic}; !levels.done();)
    path += "/" + core::encode_path_segment(levels.next());
  json::object out{{"realm", row.realm},
                   // Bytes that are no text are shown as a path has them.
                   {"topic", is_utf8(row.topic)
                                 ? row.topic
                                 : core::encode_path_segment(row.topic)},
                   {"path", path},
                   {"listeners", row.listeners},
                   {"users", row.users},
                   {"private", row.restricted},
                   {"published", row.published},
                   {"received", row.received},
                   {"delivered", row.delivered},
                   {"dropped", row.dropped},
                   {"rate", static_cast<double>(row.rate) / 1000},
                   {"last_published_ms", nullptr}};
  if (row.last_published_ms > 0)
    out["last_published_ms"] = row.last_published_ms;
  if (row.nodes.empty())
    return out;
  json::array nodes;
  for (const auto& [node, listeners] : row.nodes)
    nodes.push_back(
        json::object{{"node", node.value()}, {"listeners", listeners}});
  out["nodes"] = std::move(nodes);
  return out;
}

/// Members of an object that came from elsewhere; what is not there, or
/// something else, makes the whole one nonsense.
class reader {
public:
  explicit reader(const json::value& from) : from_(from.if_object()) {}

  std::string text(std::string_view key) {
    const auto* value = at(key);
    if (value != nullptr && value->is_string())
      return std::string{value->as_string()};
    bad_ = true;
    return {};
  }
  std::uint64_t number(std::string_view key) {
    const auto* value = at(key);
    if (value != nullptr && value->is_null())
      return 0;
    if (value != nullptr && value->is_int64() && value->as_int64() >= 0)
      return static_cast<std::uint64_t>(value->as_int64());
    if (value != nullptr && value->is_uint64())
      return value->as_uint64();
    bad_ = true;
    return 0;
  }
  double real(std::string_view key) {
    const auto* value = at(key);
    boost::system::error_code none;
    if (value != nullptr && value->is_number())
      if (const auto found = value->to_number<double>(none);
          !none && found >= 0 && found < 1e15)
        return found;
    bad_ = true;
    return 0;
  }
  bool flag(std::string_view key) {
    const auto* value = at(key);
    if (value != nullptr && value->is_bool())
      return value->as_bool();
    bad_ = true;
    return false;
  }
  [[nodiscard]] bool bad() const { return bad_; }

private:
  [[nodiscard]] const json::value* at(std::string_view key) const {
    return from_ == nullptr ? nullptr : from_->if_contains(key);
  }

  const json::object* from_;
  bool bad_ = false;
};

std::optional<channel_row> row_of(const json::value& from) {
  reader in{from};
  channel_row row;
  row.realm = in.text("realm");
  row.topic = in.text("topic");
  row.listeners = in.number("listeners");
  row.users = in.number("users");
  row.published = in.number("published");
  row.received = in.number("received");
  row.delivered = in.number("delivered");
  row.dropped = in.number("dropped");
  row.last_published_ms = in.number("last_published_ms");
  row.rate = static_cast<std::uint64_t>(std::llround(in.real("rate") * 1000));
  row.restricted = in.flag("private");
  if (in.bad())
    return std::nullopt;
  return row;
}

} // namespace

std::optional<channel_question>
channel_question::of(const net::http_request& request) {
  const auto limit = limit_of(request, limit_default, limit_max);
  const auto order =
      order_of(request.query_value("sort").value_or("listeners"));
  if (!limit || !order)
    return std::nullopt;
  channel_question question;
  question.limit = *limit;
  question.order = *order;
  if (const auto realm = request.query_value("realm"))
    question.realm = std::string{*realm};
  if (const auto topic = request.query_value("topic"))
    question.topic = std::string{*topic};
  question.prefix = request.query_value("prefix").value_or("");
  if (const auto after = request.query_value("after"); after && !after->empty())
    question.after = std::string{*after};
  if (question.after && !place_at(*question.after))
    return std::nullopt;
  return question;
}

channel_row row_of(const actors::channels::channel_summary& from,
                   core::steady_time now) {
  constexpr auto relaxed = std::memory_order_relaxed;
  channel_row row;
  row.realm = from.realm;
  row.topic = from.topic;
  row.listeners = from.listeners.load(relaxed);
  row.users = from.users.load(relaxed);
  row.published = from.published.load(relaxed);
  row.received = from.received.load(relaxed);
  row.delivered = from.delivered.load(relaxed);
  row.dropped = from.dropped.load(relaxed);
  row.last_published_ms = from.last.load(relaxed) / 1000;
  row.restricted = from.restricted.load(relaxed);
  const core::steady_time then{
      core::steady_time::duration{from.rate_at.load(relaxed)}};
  row.rate = static_cast<std::uint64_t>(
      std::llround(1000 * actors::channels::event_rate::faded(
                              from.rate.load(relaxed), now - then)));
  return row;
}

channel_page page_of(std::vector<channel_row> all,
                     const channel_question& wanted) {
  const auto order = wanted.order;
  const auto after =
      wanted.after ? place_at(*wanted.after) : std::optional<place>{};
  std::erase_if(all, [&](const auto& row) {
    return !wants(wanted, row) || (after && place_of(row, order) <= *after);
  });
  const auto shown = std::min(all.size(), wanted.limit);
  std::partial_sort(all.begin(),
                    all.begin() + static_cast<std::ptrdiff_t>(shown), all.end(),
                    [&](const auto& a, const auto& b) {
                      return place_of(a, order) < place_of(b, order);
                    });
  channel_page page;
  if (all.size() > shown)
    page.next = mark_of(all[shown - 1], order);
  all.resize(shown);
  page.rows = std::move(all);
  return page;
}

json::object to_json(const channel_page& page) {
  json::array rows;
  for (const auto& row : page.rows)
    rows.push_back(to_json(row));
  json::object all{{"channels", std::move(rows)}, {"next", nullptr}};
  // Behind a topic of bytes that are no text nobody can ask to go on.
  if (!page.next.empty() && is_utf8(page.next))
    all["next"] = page.next;
  return all;
}

std::optional<channel_page> channel_page_of(std::string_view text) {
  boost::system::error_code bad;
  const auto parsed = json::parse(text, bad);
  const auto* fields = bad ? nullptr : parsed.if_object();
  const auto* rows = fields ? fields->if_contains("channels") : nullptr;
  const auto* next = fields ? fields->if_contains("next") : nullptr;
  if (rows == nullptr || !rows->is_array() || next == nullptr)
    return std::nullopt;
  channel_page page;
  if (next->is_string())
    page.next = next->as_string();
  for (const auto& each : rows->as_array())
    if (auto row = row_of(each))
      page.rows.push_back(std::move(*row));
    else
      return std::nullopt;
  return page;
}

void channel_sums::add(core::node_id node, const channel_page& page) {
  for (const auto& row : page.rows) {
    auto [at, fresh] =
        places_.try_emplace(row.realm + '\0' + row.topic, rows_.size());
    if (fresh) {
      rows_.emplace_back();
      rows_.back().realm = row.realm;
      rows_.back().topic = row.topic;
    }
    auto& sum = rows_[at->second];
    sum.listeners += row.listeners;
    sum.users += row.users;
    sum.published += row.published;
    sum.received += row.received;
    sum.delivered += row.delivered;
    sum.dropped += row.dropped;
    sum.last_published_ms =
        std::max(sum.last_published_ms, row.last_published_ms);
    sum.rate = std::max(sum.rate, row.rate);
    sum.restricted = sum.restricted || row.restricted;
    // Answers come in any order; who reads wants that of the nodes.
    const std::pair place{node, row.listeners};
    sum.nodes.insert(
        std::upper_bound(sum.nodes.begin(), sum.nodes.end(), place), place);
  }
}

} // namespace troupe::app
