// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/bus.hpp"

#include "net/msgbus/answers.hpp"
#include "net/msgbus/part_writer.hpp"
#include "net/msgbus/subscriber.hpp"
#include "net/protocol_host.hpp"

#include <utility>

namespace troupe::net::msgbus {
namespace {

http_after after(const answer_terms& terms) {
  return terms.keep_alive ? http_after::keep_alive : http_after::close;
}

/// The connection ends behind the answer: what follows is not understood.
answer_terms last(answer_terms terms) {
  terms.keep_alive = false;
  return terms;
}

void send_page(const responder& answer, const answer_terms& terms,
               unsigned status, std::string_view phrase,
               std::string_view fields = {}) {
  answer.send_verbatim(page(terms, status, phrase, fields), after(terms));
}

deed deed_of(const http_request& request) {
  if (request.method == "GET")
    return deed::subscribe;
  return request.method == "POST" ? deed::publish : deed::other;
}

/// How a subscriber is written to.
framing framing_of(const http_request& request, const target& where) {
  const bool chunked = request.version != 10;
  bool events = false;
  for (const auto& accepted : request.header_list("Accept"))
    events =
        events || equal_ignoring_case(accepted.substr(0, accepted.find(';')),
                                      "text/event-stream");
  if (!events)
    return chunked ? framing::parts_chunked : framing::parts_plain;
  if (where.format && *where.format == "json")
    return chunked ? framing::events_json_chunked : framing::events_json_plain;
  return chunked ? framing::events_chunked : framing::events_plain;
}

} // namespace

/// A request between the question to the desk and its answer.
struct bus::work {
  responder answer;
  answer_terms terms;
  deed what = deed::other;
  framing how = framing::parts_chunked;
  subscription_terms wanted{};
};

namespace {

bool turned_away(const ruling& found, const answer_terms& terms,
                 const responder& answer) {
  switch (found.what) {
  case ruling::kind::granted:
    return false;
  case ruling::kind::unknown:
    answer.send_verbatim(unauthorized(terms), after(terms));
    break;
  case ruling::kind::denied:
    send_page(answer, terms, 403, "Forbidden");
    break;
  case ruling::kind::hasty:
    send_page(answer, terms, 429, "Too Many Requests", "Retry-After: 1\r\n");
    break;
  case ruling::kind::malformed:
    send_page(answer, last(terms), 400, "Bad Request");
    break;
  case ruling::kind::long_name:
    send_page(answer, terms, 414, "URI Too Long");
    break;
  case ruling::kind::large:
    send_page(answer, last(terms), 413, "Payload Too Large");
    break;
  case ruling::kind::busy:
    send_page(answer, terms, 503, "Service Unavailable");
    break;
  }
  return true;
}

class guarded final : public http_handler {
public:
  guarded(std::shared_ptr<bus_context> shared,
          std::shared_ptr<http_handler> inner)
      : shared_(std::move(shared)), inner_(std::move(inner)) {}
  void handle(const http_request& request, responder answer) override {
    if (shared_->desk == nullptr)
      return answer.send(http_error(503, "not served here"));
    // The request ends with this call, the desk may take longer.
    const auto kept = std::make_shared<const http_request>(request);
    wish asked;
    asked.what = deed::read_file;
    asked.authorization = request.header("Authorization");
    const auto& info = answer.host().info();
    shared_->desk->ask(info, std::move(asked),
                       [inner = inner_, kept, answer](const ruling& found) {
                         const auto terms = answer_terms::of(*kept);
                         if (!answer.open() ||
                             turned_away(found, terms, answer))
                           return;
                         if (inner)
                           return inner->handle(*kept, answer);
                         send_page(answer, terms, 404, "Not Found");
                       });
  }

private:
  const std::shared_ptr<bus_context> shared_;
  const std::shared_ptr<http_handler> inner_;
};

} // namespace

std::shared_ptr<http_handler>
make_guarded(std::shared_ptr<bus_context> shared,
             std::shared_ptr<http_handler> inner) {
  return std::make_shared<guarded>(std::move(shared), std::move(inner));
}

void bus::handle(const http_request& request, responder answer) {
  auto where = parse_target(request.target);
  if (!where) {
    if (elsewhere_)
      return elsewhere_->handle(request, std::move(answer));
    return answer.send(http_error(404, "no such path"));
  }
  if (shared_->desk == nullptr)
    return answer.send(http_error(503, "channels are not served here"));
  work asked{std::move(answer), answer_terms::of(request), deed_of(request),
             framing_of(request, *where)};
  auto& wanted = asked.wanted;
  wanted.channel = where->channel;
  if (where->type)
    wanted.types = pattern_list{*where->type};
  if (where->sender)
    wanted.senders = pattern_list{*where->sender};
  wanted.how = asked.how;
  wanted.poll = where->poll && *where->poll != "0";
  wish wish = wanted.wish();
  wish.what = asked.what;
  wish.authorization = request.header("Authorization");
  if (asked.what == deed::publish) {
    wish.type = request.header("Content-Type");
    wish.body = core::shared_bytes::copy_of(request.body);
  }
  // A browser's EventSource says by itself where it was.
  if (const auto last = request.header("Last-Event-ID"); !last.empty())
    wish.since = message_mark::parse(last);
  else if (where->since)
    wish.since = message_mark::parse(*where->since);
  const auto& info = asked.answer.host().info();
  shared_->desk->ask(
      info, std::move(wish),
      [self = shared_from_this(), asked = std::move(asked)](ruling found) {
        if (asked.answer.open())
          self->go_on(asked, std::move(found));
      });
}

void bus::go_on(const work& what, ruling found) {
  if (turned_away(found, what.terms, what.answer))
    return;
  switch (what.what) {
  case deed::publish:
    return what.answer.send_verbatim(published(what.terms), after(what.terms));
  case deed::subscribe:
    return seat(what, std::move(found));
  case deed::read_file:
  case deed::other:
    return send_page(what.answer, what.terms, 501, "Not Implemented");
  }
}

void bus::seat(const work& what, ruling found) {
  auto terms = what.wanted;
  terms.user = std::move(found.sender);
  auto fresh = std::make_unique<subscriber>(shared_, what.answer.host(),
                                            std::move(terms));
  fresh->begin(std::move(found.seat), std::move(found.past));
  const auto head = fresh->is_poll()
                        ? std::string{}
                        : stream_head(what.how) + opening(what.how);
  what.answer.hand_over(std::move(fresh), head);
}

} // namespace troupe::net::msgbus
