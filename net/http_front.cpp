// SPDX-License-Identifier: Apache-2.0
#include "net/http_front.hpp"

#include "actors/runtime/loop.hpp"
#include "net/websocket_handshake.hpp"

#include <utility>
#include <variant>

namespace troupe::net {

namespace {

/// For a client that did not wait for its answer; nginx's word for it.
constexpr unsigned client_gone = 499;

// Sets a pointer for the length of a call.
class scoped_effects {
public:
  scoped_effects(effects*& slot, effects& out) : slot_(slot) { slot_ = &out; }
  ~scoped_effects() { slot_ = nullptr; }
  scoped_effects(const scoped_effects&) = delete;
  scoped_effects& operator=(const scoped_effects&) = delete;

private:
  effects*& slot_;
};

} // namespace

http_front::http_front(protocol_host& host,
                       std::shared_ptr<const http_router> router,
                       std::shared_ptr<const http_options> options)
    : host_(host), router_(std::move(router)), options_(std::move(options)) {}

http_front::~http_front() { drop_ticket(); }

void http_front::on_open(core::steady_time now, effects&) {
  deadline_ = now + options_->head_time;
}

std::size_t http_front::on_bytes(const input& in, core::steady_time now,
                                 effects& out) {
  scoped_effects scope{current_, out};
  auto bytes = core::as_text(in.bytes);
  std::size_t used = 0;
  while (used < bytes.size()) {
    if (doing_ == doing::streaming || out.close)
      return bytes.size();
    if (doing_ == doing::handling || doing_ == doing::done)
      break;
    auto step = read(bytes.substr(used), now, out);
    used += step;
    // A whole head is used at once, so no use means: more bytes are needed.
    if (step == 0)
      break;
  }
  return used;
}

std::size_t http_front::read(std::string_view bytes, core::steady_time now,
                             effects& out) {
  if (doing_ == doing::idle) {
    // Robustness (RFC 9112 2.2): an empty line before a request is skipped.
    if (bytes.starts_with("\r\n"))
      return 2;
    doing_ = doing::reading;
    deadline_ = now + options_->head_time;
    continue_sent_ = false;
    parser_ = std::make_unique<http_parser>(options_->limits);
  }
  auto was = parser_->at();
  auto used = parser_->put(bytes);
  switch (parser_->at()) {
  case http_parser::state::head:
    break;
  case http_parser::state::body:
    if (was == http_parser::state::head)
      deadline_ = now + options_->body_time;
    if (parser_->wants_continue() && !std::exchange(continue_sent_, true))
      out.output.append("HTTP/1.1 100 Continue\r\n\r\n");
    break;
  case http_parser::state::complete:
    dispatch(now, out);
    break;
  case http_parser::state::failed:
    refuse(parser_->error_status(), parser_->error_text(), out);
    break;
  }
  return used;
}

void http_front::dispatch(core::steady_time now, effects& out) {
  auto request = parser_->take();
  parser_.reset();
  version_ = request.version;
  head_only_ = request.method == "HEAD";
  keep_alive_ = request.keep_alive;
  doing_ = doing::handling;
  deadline_ = now + options_->handler_time;
  if (options_->access != nullptr)
    entry_ = std::make_unique<access_entry>(
        access_entry_of(request, host_.info().peer.address.to_string()));
  if (options_->authorize)
    if (auto refused = options_->authorize(request, host_.info()))
      return respond(*refused, out);
  auto found = router_->find(request);
  if (!found.websockets.empty()) {
    auto answer = answer_handshake(request, found.websockets);
    if (auto* refused = std::get_if<http_response>(&answer))
      return respond(*refused, out);
    auto& accepted = std::get<websocket_accepted>(answer);
    if (accepted.route->starter) {
      ticket_ = make_ticket();
      return accepted.route->starter(
          accepted.terms, std::move(accepted.response), responder{ticket_});
    }
    out.successor = accepted.route->factory(accepted.terms, host_);
    if (!out.successor)
      return respond(http_error(503, "not served now"), out);
    log_at_end(status_in(accepted.response), out);
    out.output.append(accepted.response);
    doing_ = doing::done;
    deadline_.reset();
    return;
  }
  if (found.handler != nullptr) {
    ticket_ = make_ticket();
    return found.handler->handle(request, responder{ticket_});
  }
  http_response answer;
  if (found.upgrade_only && request.method == "GET") {
    answer = http_error(426, "this path speaks WebSocket");
    answer.headers.emplace_back("Upgrade", "websocket");
  } else if (found.upgrade_only || !found.allowed.empty()) {
    answer = http_error(405, "method not allowed");
    answer.headers.emplace_back("Allow",
                                found.allowed.empty() ? "GET" : found.allowed);
  } else {
    answer = http_error(404, "no such path");
  }
  respond(answer, out);
}

void http_front::respond(const http_response& response, effects& out) {
  auto close = !keep_alive_ || draining_;
  out.output.append(
      serialize(response, close ? http_after::close : http_after::keep_alive,
                head_only_, version_));
  log(response.status, head_only_ ? 0 : response.body.size());
  answered(close, out);
}

void http_front::answered(bool close, effects& out) {
  drop_ticket();
  if (close)
    return finish("answered, as the client asked", out);
  doing_ = doing::idle;
  deadline_ = host_.home().clock().now() + options_->idle_time;
}

void http_front::refuse(unsigned status, std::string_view text, effects& out) {
  keep_alive_ = false;
  head_only_ = false;
  auto answer = http_error(status, text); // the text may be the parser's
  if (options_->access != nullptr) {
    entry_ = std::make_unique<access_entry>();
    entry_->address = host_.info().peer.address.to_string();
    entry_->request = parser_ ? parser_->line() : std::string{};
  }
  parser_.reset();
  respond(answer, out);
}

void http_front::finish(std::string_view why, effects& out) {
  drop_ticket();
  doing_ = doing::done;
  deadline_.reset();
  out.close = std::string{why};
}

std::shared_ptr<http_ticket> http_front::make_ticket() {
  auto ticket = std::make_shared<http_ticket>();
  ticket->exchange = this;
  ticket->home = &host_.home();
  return ticket;
}

access_entry http_front::finished_entry(unsigned status) {
  auto entry = std::move(*entry_);
  entry_.reset();
  entry.status = status;
  if (ticket_)
    entry.user = ticket_->user;
  return entry;
}

void http_front::log(unsigned status, std::uint64_t bytes) {
  if (!entry_)
    return;
  auto entry = finished_entry(status);
  entry.bytes = bytes;
  options_->access->write(entry);
}

/// What goes on until the connection ends has its line then.
void http_front::log_at_end(unsigned status, effects& out) {
  if (!entry_)
    return;
  out.at_end = [to = options_->access,
                entry = finished_entry(status)](std::uint64_t sent) mutable {
    entry.bytes = sent;
    to->write(entry);
  };
}

void http_front::drop_ticket() {
  if (auto ticket = std::exchange(ticket_, nullptr))
    ticket->exchange = nullptr;
}

template <class Work>
void http_front::with_effects(Work&& work) {
  if (current_ != nullptr)
    return work(*current_);
  host_.run([&](effects& out) {
    scoped_effects scope{current_, out};
    work(out);
  });
}

void http_front::answer(http_response response) {
  with_effects([&](effects& out) {
    if (doing_ == doing::handling)
      respond(response, out);
  });
}

void http_front::answer_verbatim(std::string bytes, http_after after) {
  with_effects([&](effects& out) {
    if (doing_ != doing::handling)
      return;
    out.output.append(bytes);
    const auto head = bytes.find("\r\n\r\n");
    log(status_in(bytes),
        head == std::string::npos ? 0 : bytes.size() - head - 4);
    answered(after == http_after::close || draining_, out);
  });
}

void http_front::hand_over(std::unique_ptr<protocol> successor,
                           std::string head) {
  with_effects([&](effects& out) {
    if (doing_ != doing::handling)
      return;
    log_at_end(status_in(head), out);
    drop_ticket();
    out.output.append(head);
    out.successor = std::move(successor);
    doing_ = doing::done;
    deadline_.reset();
  });
}

void http_front::begin_stream(http_response head) {
  with_effects([&](effects& out) {
    if (doing_ != doing::handling)
      return;
    doing_ = doing::streaming;
    deadline_.reset();
    log_at_end(head.status, out);
    out.output.append(serialize_stream_head(head));
    if (head_only_)
      finish("answered HEAD", out);
  });
}

bool http_front::stream(std::string_view bytes) {
  // The connection, and this with it, may end on the way.
  auto ticket = ticket_;
  with_effects([&](effects& out) {
    if (doing_ != doing::streaming)
      return;
    out.output.append(bytes);
    if (out.output.size() <= options_->stream_bytes_max)
      return;
    finish("the client does not keep up", out);
    out.abort = true;
  });
  return ticket && ticket->exchange != nullptr;
}

void http_front::end_stream() {
  with_effects([&](effects& out) {
    if (doing_ == doing::streaming)
      finish("stream ended", out);
  });
}

void http_front::on_event(core::session_event event, core::steady_time,
                          effects& out) {
  if (!std::holds_alternative<core::session_ended>(event))
    return;
  draining_ = true;
  if (doing_ != doing::handling)
    finish("the node shuts down", out);
}

void http_front::on_tick(core::steady_time now, effects& out) {
  scoped_effects scope{current_, out};
  if (!deadline_ || now < *deadline_)
    return;
  deadline_.reset();
  if (doing_ == doing::reading) {
    out.refused = refusal::request_timeout;
    refuse(408, "the request did not come in time", out);
  } else if (doing_ == doing::handling)
    respond(http_error(503, "no answer in time"), out);
  else if (doing_ == doing::idle)
    finish("idle", out);
}

void http_front::on_closed(effects&) {
  if (doing_ == doing::handling)
    log(client_gone, 0);
  drop_ticket();
  doing_ = doing::done;
  deadline_.reset();
}

protocol_factory make_http(std::shared_ptr<const http_router> router,
                           http_options options) {
  auto shared = std::make_shared<const http_options>(std::move(options));
  return [router = std::move(router), shared](protocol_host& host) {
    return std::make_unique<http_front>(host, router, shared);
  };
}

} // namespace troupe::net
