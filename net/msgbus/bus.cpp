// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/bus.hpp"

#include "core/errc.hpp"
#include "core/principal.hpp"
#include "net/msgbus/answers.hpp"
#include "net/msgbus/channel_name.hpp"
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

/// A request between the question to the gatekeeper and his answer.
struct bus::work {
  responder answer;
  answer_terms terms;
  deed what = deed::other;
  target where;
  framing how = framing::parts_chunked;
  std::string type;
  core::shared_bytes body;
  std::optional<message_mark> since{};
};

namespace {

bool turned_away(bus_context& shared, const verdict& found,
                 const answer_terms& terms, const responder& answer) {
  switch (found.what) {
  case verdict::kind::admitted:
    return false;
  case verdict::kind::unknown:
    count(shared.stats.refused_unknown);
    answer.send_verbatim(unauthorized(terms), after(terms));
    return true;
  case verdict::kind::denied:
    count(shared.stats.refused_denied);
    send_page(answer, terms, 403, "Forbidden");
    return true;
  case verdict::kind::hasty:
    count(shared.stats.refused_busy);
    send_page(answer, terms, 429, "Too Many Requests", "Retry-After: 1\r\n");
    return true;
  }
  return true;
}

class guarded final : public http_handler {
public:
  guarded(std::shared_ptr<bus_context> shared,
          std::shared_ptr<http_handler> inner)
      : shared_(std::move(shared)), inner_(std::move(inner)) {}
  void handle(const http_request& request, responder answer) override {
    // The request ends with this call, the gatekeeper may take longer.
    const auto kept = std::make_shared<const http_request>(request);
    const auto& info = answer.host().info();
    shared_->keeper->decide(
        {*kept, info, deed::read_file},
        [shared = shared_, inner = inner_, kept, answer](const verdict& found) {
          const auto terms = answer_terms::of(*kept);
          if (!answer.open() || turned_away(*shared, found, terms, answer))
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
  work asked{std::move(answer),
             answer_terms::of(request),
             deed_of(request),
             std::move(*where),
             framing::parts_chunked,
             std::string{request.header("Content-Type")},
             core::shared_bytes::copy_of(request.body)};
  asked.how = framing_of(request, asked.where);
  // A browser's EventSource says by itself where it was.
  if (const auto last = request.header("Last-Event-ID"); !last.empty())
    asked.since = message_mark::parse(last);
  else if (asked.where.since)
    asked.since = message_mark::parse(*asked.where.since);
  const auto& info = asked.answer.host().info();
  const auto channel = asked.where.channel;
  const auto what = asked.what;
  shared_->keeper->decide({request, info, what, channel},
                          [self = shared_from_this(),
                           asked = std::move(asked)](const verdict& found) {
                            if (asked.answer.open())
                              self->go_on(asked, found);
                          });
}

void bus::go_on(const work& what, const verdict& found) {
  if (found.what != verdict::kind::admitted)
    note(what, found, core::to_string(found.why));
  if (turned_away(*shared_, found, what.terms, what.answer))
    return;
  if (what.what == deed::other) {
    count(shared_->stats.refused_bad);
    return send_page(what.answer, what.terms, 501, "Not Implemented");
  }
  if (shared_->topics == nullptr) {
    count(shared_->stats.refused_busy);
    return send_page(what.answer, what.terms, 503,
                     "Channels Are Not Served Here");
  }
  if (!shared_->audit.has_room())
    return refuse(what, found, core::errc::overloaded);
  if (what.what == deed::publish)
    publish(what, found);
  else
    subscribe(what, found);
}

/// Tells the client no, and the audit why.
void bus::refuse(const work& what, const verdict& found, core::errc why) {
  note(what, found, core::to_string(why));
  switch (why) {
  case core::errc::malformed:
    count(shared_->stats.refused_bad);
    return send_page(what.answer, last(what.terms), 400, "Bad Request");
  case core::errc::name_invalid:
    count(shared_->stats.refused_bad);
    return send_page(what.answer, what.terms, 414, "URI Too Long");
  case core::errc::too_large:
    count(shared_->stats.refused_bad);
    return send_page(what.answer, last(what.terms), 413, "Payload Too Large");
  default:
    count(shared_->stats.refused_busy);
    return send_page(what.answer, what.terms, 503, "Service Unavailable");
  }
}

void bus::subscribe(const work& what, const verdict& found) {
  subscription_terms terms;
  terms.channel = what.where.channel;
  if (what.where.type)
    terms.types = pattern_list{*what.where.type};
  if (what.where.sender)
    terms.senders = pattern_list{*what.where.sender};
  terms.how = what.how;
  terms.user = found.sender;
  terms.rights = found.rights;
  terms.poll = what.where.poll && *what.where.poll != "0";
  terms.since = what.since;
  auto fresh = std::make_unique<subscriber>(shared_, what.answer.host(),
                                            std::move(terms));
  if (auto begun = fresh->begin(); !begun) {
    const bool too_long = begun.error().code == core::errc::too_large;
    return refuse(what, found,
                  too_long ? core::errc::name_invalid : begun.error().code);
  }
  const auto head = fresh->is_poll()
                        ? std::string{}
                        : stream_head(what.how) + opening(what.how);
  what.answer.hand_over(std::move(fresh), head);
}

void bus::publish(const work& what, const verdict& found) {
  const auto limit = shared_->options.field_bytes_max;
  if (what.type.empty() || what.type.size() > limit ||
      found.sender.size() > limit)
    return refuse(what, found, core::errc::malformed);
  auto name = topic_of(what.where.channel);
  if (!name)
    return refuse(what, found, core::errc::name_invalid);
  core::publication message;
  message.realm = shared_->options.realm;
  message.topic = std::move(*name);
  message.publisher = what.answer.host().info().id.value();
  message.sender = found.sender;
  message.content_type = what.type;
  message.payload = what.body;
  if (auto done = shared_->topics->publish(std::move(message)); !done)
    return refuse(what, found, core::errc::too_large);
  const auto ticket = note(what, found, {});
  count(shared_->stats.published);
  count(shared_->stats.published_bytes, what.body.size());
  if (shared_->log->wants_debug())
    shared_->log->debug("PUB " +
                        client_text(what.answer.host().info(), found.sender) +
                        ": " + what.where.channel + " " + what.type + " (" +
                        std::to_string(what.body.size()) + ")");
  shared_->audit.answer(ticket, what.answer,
                        [terms = what.terms](const responder& to) {
                          to.send_verbatim(published(terms), after(terms));
                        });
}

/// What was asked, and why it was refused, if it was. Before the answer: with
/// that the connection may go.
core::audit_ticket bus::note(const work& what, const verdict& found,
                             std::string_view reason) const {
  door_note noted;
  noted.kind = what.what == deed::publish ? core::audit_kind::publish
                                          : core::audit_kind::join;
  noted.user = found.sender;
  noted.target = what.where.channel;
  noted.type = what.type;
  noted.reason = reason;
  noted.payload = what.body;
  return shared_->audit.note(what.answer.host().info(), noted);
}

} // namespace troupe::net::msgbus
