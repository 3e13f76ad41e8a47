// SPDX-License-Identifier: Apache-2.0
// Topics: who listens to what, a way to publish and one to listen.
#include "app/admin.hpp"
#include "app/admin_query.hpp"
#include "app/json_text.hpp"
#include "app/message_text.hpp"
#include "core/topic_filter.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <atomic>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::app {
namespace {

namespace json = boost::json;
namespace topics = actors::topics;
using actors::runtime::loop;

constexpr std::size_t page_default = 100;
constexpr std::size_t page_max = 1000;
/// Pieces of the board that one request looks at.
constexpr std::size_t looks_max = 64;
constexpr std::size_t tail_default = 10;
constexpr std::size_t tail_max = 1000;
constexpr std::size_t tail_bytes_max = std::size_t{8} << 20U;
constexpr std::size_t tail_seconds_default = 5;
constexpr std::size_t tail_seconds_max = 60;
constexpr int tails_max = 32;
/// A tail that streams looks so often whether its client is there still, and
/// gives a sign of life at every so manyth look.
constexpr std::chrono::milliseconds look_time{250};
constexpr unsigned looks_per_beat = 20;

json::object view_of(const core::publication& p) {
  json::object one{{"topic", p.topic.text()},
                   {"node", p.node.value()},
                   {"sender", p.sender},
                   {"content_type", p.content_type}};
  json::object headers;
  for (const auto& [key, value] : p.headers)
    headers[key] = value;
  if (!headers.empty())
    one["headers"] = std::move(headers);
  const auto text = p.payload.text();
  if (is_utf8(text))
    one["data"] = text;
  else
    one["data_base64"] = base64(text);
  return one;
}

core::listener_fate shown_to_an_operator() {
  core::listener_fate one;
  one.door = "admin";
  return one;
}

/// Listens for a request, and answers it when there is enough or it is time.
/// Kept by a timer of its loop.
class topic_tail final : public topics::topic_subscriber,
                         public std::enable_shared_from_this<topic_tail> {
public:
  topic_tail(net::responder answer, std::size_t count)
      : answer_(std::move(answer)), count_(count) {
    alive.fetch_add(1);
  }
  topic_tail(const topic_tail&) = delete;
  topic_tail& operator=(const topic_tail&) = delete;
  ~topic_tail() { alive.fetch_sub(1); }

  core::result<void> begin(topics::topic_router& router, std::string_view realm,
                           const core::topic_filter& filter,
                           std::chrono::seconds patience) {
    topics::subscribe_options options;
    options.about.door = "admin";
    auto made = router.subscribe(realm, filter, *this, options);
    if (!made)
      return made.error();
    subscription_ = std::move(*made);
    auto& home = *loop::current();
    timer_ = home.call_at(home.clock().now() + patience,
                          [self = shared_from_this()] { self->finish(); });
    return {};
  }

  void foretell(const core::publication_ptr&, std::uint64_t,
                core::fate_list& to) override {
    to.add(shown_to_an_operator());
  }
  void deliver(const core::publication_ptr& what, std::uint64_t) override {
    rows_.push_back(view_of(*what));
    bytes_ += core::weight(*what);
    if (rows_.size() < count_ && bytes_ < tail_bytes_max && answer_.open())
      return;
    const auto self = shared_from_this();
    loop::current()->cancel(timer_); // this lives as long as `self` now
    finish();
  }

  static inline std::atomic<int> alive{0};

private:
  void finish() {
    subscription_.end();
    answer_.send(json_response(json::object{{"messages", std::move(rows_)}}));
  }

  net::responder answer_;
  const std::size_t count_;
  std::size_t bytes_ = 0;
  json::array rows_;
  topics::topic_subscription subscription_;
  actors::runtime::timer_handle timer_;
};

/// Tells everything as it comes, as events, until the client goes. Kept by a
/// timer of its loop, which also finds out that the client has gone.
class topic_stream final : public topics::topic_subscriber,
                           public std::enable_shared_from_this<topic_stream> {
public:
  topic_stream() { topic_tail::alive.fetch_add(1); }
  topic_stream(const topic_stream&) = delete;
  topic_stream& operator=(const topic_stream&) = delete;
  ~topic_stream() { topic_tail::alive.fetch_sub(1); }

  core::result<void> begin(topics::topic_router& router, std::string_view realm,
                           const core::topic_filter& filter,
                           const net::responder& answer) {
    topics::subscribe_options options;
    options.about.door = "admin";
    auto made = router.subscribe(realm, filter, *this, options);
    if (!made)
      return made.error();
    subscription_ = std::move(*made);
    stream_ = answer.stream();
    look();
    return {};
  }

  void foretell(const core::publication_ptr&, std::uint64_t,
                core::fate_list& to) override {
    to.add(shown_to_an_operator());
  }
  void deliver(const core::publication_ptr& what, std::uint64_t) override {
    // Too slow a client is cut by the connection.
    if (!stream_.write_event(json::serialize(view_of(*what))))
      subscription_.end();
  }

private:
  void look() {
    const bool beats = looks_++ % looks_per_beat == 0;
    if (!stream_.open() || (beats && !stream_.write(": listening\n\n")))
      return subscription_.end();
    auto& home = *loop::current();
    home.call_at(home.clock().now() + look_time,
                 [self = shared_from_this()] { self->look(); });
  }

  topics::topic_subscription subscription_;
  net::http_stream stream_;
  unsigned looks_ = 0;
};

json::value peers_view(const std::vector<topics::peer_interest>& peers) {
  json::array rows;
  for (const auto& p : peers)
    rows.push_back(json::object{{"node", p.node.value()},
                                {"told", p.told},
                                {"known", p.known},
                                {"gets_all", p.gets_all},
                                {"filters", p.filters},
                                {"changes_waiting", p.changes_waiting},
                                {"frames_sent", p.sent.frames},
                                {"tables_sent", p.sent.tables},
                                {"frames_received", p.received.frames},
                                {"frames_unreadable", p.received.bad_frames},
                                {"gaps", p.received.gaps},
                                {"digests_equal", p.received.digests},
                                {"divergences", p.received.divergences},
                                {"resyncs", p.received.resyncs}});
  return rows;
}

/// Where a page goes on: "NUMBER.SPACE".
std::optional<cluster::interest_board::page_mark>
mark_of(std::string_view text) {
  cluster::interest_board::page_mark mark;
  if (text.empty())
    return mark;
  const auto dot = text.find('.');
  const auto number = number_of<std::uint32_t>(text.substr(0, dot));
  if (!number || dot == std::string_view::npos)
    return std::nullopt;
  mark.next = *number;
  mark.space = text.substr(dot + 1);
  return mark;
}

std::optional<std::size_t> number_in(const net::http_request& request,
                                     std::string_view key,
                                     std::size_t fallback) {
  const auto text = request.query_value(key);
  return text ? number_of<std::size_t>(*text) : fallback;
}

std::string text_in(const json::object& body, std::string_view key) {
  const auto* value = body.if_contains(key);
  return value != nullptr && value->is_string()
             ? std::string{value->as_string()}
             : std::string{};
}

core::result<core::publication> publication_of(const std::string& text) {
  boost::system::error_code bad;
  const auto parsed = json::parse(text, bad);
  const auto* body = bad ? nullptr : parsed.if_object();
  if (body == nullptr || !body->contains("topic"))
    return core::error{core::errc::malformed,
                       R"(wanted is {"topic": …, "data": …})"};
  core::publication p;
  auto name = core::topic::parse(text_in(*body, "topic"));
  if (!name)
    return name.error();
  p.topic = std::move(*name);
  if (auto realm = text_in(*body, "realm"); !realm.empty())
    p.realm = std::move(realm);
  p.content_type = text_in(*body, "content_type");
  p.payload = core::shared_bytes::copy_of(text_in(*body, "data"));
  if (const auto* headers = body->if_contains("headers");
      headers != nullptr && headers->is_object())
    for (const auto& [key, value] : headers->get_object())
      if (value.is_string())
        p.headers.emplace_back(key, value.get_string());
  return p;
}

} // namespace

void admin::add_topic_routes() {
  route("GET", "/interest",
        [this](const net::http_request& r, net::responder a) {
          list_interest(r, std::move(a));
        });
  route("POST", "/topics/publish",
        [this](const net::http_request& r, net::responder a) {
          publish(r, std::move(a));
        });
  route("GET", "/topics/tail",
        [this](const net::http_request& r, net::responder a) {
          tail_topics(r, std::move(a));
        });
}

void admin::list_interest(const net::http_request& request,
                          net::responder answer) {
  const auto limit = limit_of(request, page_default, page_max);
  auto mark = mark_of(request.query_value("after").value_or(""));
  if (!limit || !mark)
    return answer.send(net::http_error(400, "limit or after is none"));
  const auto& router = parts_.engine.topics();
  std::vector<cluster::interest_board::row> rows;
  bool more = true;
  for (std::size_t i = 0; i < looks_max && more && rows.size() < *limit; ++i)
    more = router.board().list(*mark, *limit, rows);
  json::array filters;
  for (const auto& row : rows) {
    json::array nodes;
    for (const auto peer : row.peers)
      nodes.emplace_back(peer.value());
    filters.push_back(json::object{{"realm", row.realm},
                                   {"filter", row.filter},
                                   {"share", row.share},
                                   {"subscriptions", row.held},
                                   {"nodes", std::move(nodes)}});
  }
  json::object all{{"subscriptions", router.stats().subscriptions.load()},
                   {"own_filters", router.board().filters()},
                   {"filters", std::move(filters)},
                   {"peers", json::array{}},
                   {"next", nullptr}};
  if (auto* member = parts_.engine.cluster())
    all["peers"] = peers_view(member->topics().peers());
  if (more)
    all["next"] = std::to_string(mark->next) + "." + mark->space;
  answer.send(json_response(all));
}

void admin::publish(const net::http_request& request, net::responder answer) {
  auto what = publication_of(request.body);
  if (!what)
    return answer.send(error_response(what.error()));
  const auto outcome = parts_.topics->publish_here(std::move(*what));
  if (!outcome)
    return answer.send(error_response(outcome.error()));
  answer.send(json_response(json::object{{"filters", outcome->filters},
                                         {"nodes", outcome->peers},
                                         {"dropped", outcome->dropped}}));
}

void admin::tail_topics(const net::http_request& request,
                        net::responder answer) {
  const auto count = number_in(request, "count", tail_default);
  const auto seconds = number_in(request, "seconds", tail_seconds_default);
  if (!count || *count == 0 || *count > tail_max || !seconds ||
      *seconds > tail_seconds_max)
    return answer.send(net::http_error(
        400, "count is 1 to " + std::to_string(tail_max) + ", seconds 0 to " +
                 std::to_string(tail_seconds_max)));
  const auto filter =
      core::topic_filter::parse(request.query_value("filter").value_or("#"));
  if (!filter)
    return answer.send(error_response(filter.error()));
  if (topic_tail::alive.load() >= tails_max)
    return answer.send(error_response(
        {core::errc::overloaded, "too many requests listen already"}));
  const auto realm = request.query_value("realm").value_or(admin_realm);
  if (request.header_has("Accept", "text/event-stream")) {
    const auto stream = std::make_shared<topic_stream>();
    const auto begun =
        stream->begin(parts_.engine.topics(), realm, *filter, answer);
    if (!begun)
      answer.send(error_response(begun.error()));
    return;
  }
  const auto tail = std::make_shared<topic_tail>(answer, *count);
  const auto begun = tail->begin(parts_.engine.topics(), realm, *filter,
                                 std::chrono::seconds{*seconds});
  if (!begun)
    answer.send(error_response(begun.error()));
}

} // namespace troupe::app
