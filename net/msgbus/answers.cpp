// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/answers.hpp"

namespace troupe::net::msgbus {
namespace {

std::string begin(unsigned version, unsigned status, std::string_view phrase) {
  std::string out = version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  out.append(std::to_string(status)).append(" ").append(phrase);
  return out.append("\r\nServer: msgbus\r\n");
}

void append_date(std::string& out, unsigned version) {
  if (version != 10)
    out.append("Date: ").append(http_date()).append("\r\n");
}

/// What is said only if it is not what the version has by itself.
void append_connection(std::string& out, const answer_terms& terms) {
  if (terms.version == 10 && terms.keep_alive)
    out.append("Connection: keep-alive\r\n");
  else if (terms.version != 10 && !terms.keep_alive)
    out.append("Connection: close\r\n");
}

} // namespace

answer_terms answer_terms::of(const http_request& request) {
  return {request.version, request.keep_alive, request.method == "HEAD"};
}

std::string published(const answer_terms& terms) {
  auto out = begin(terms.version, 204, "OK");
  append_date(out, terms.version);
  append_connection(out, terms);
  // Not by the book behind a 204, but what old clients wait for. One of 1.0
  // that closes needs none.
  if (terms.version != 10 || terms.keep_alive)
    out.append("Content-Length: 0\r\n");
  return out.append("\r\n");
}

std::string page(const answer_terms& terms, unsigned status,
                 std::string_view phrase, std::string_view fields) {
  const auto body = "<h1>" + std::string{phrase} + "</h1>";
  auto out = begin(terms.version, status, phrase);
  out.append(fields);
  append_date(out, terms.version);
  append_connection(out, terms);
  out.append("Content-Length: ").append(std::to_string(body.size()));
  out.append("\r\nContent-Type: text/html; charset=ISO-8859-1\r\n\r\n");
  if (!terms.head_only)
    out.append(body);
  return out;
}

std::string unauthorized(const answer_terms& terms) {
  return page(terms, 401, "Unauthorized",
              "WWW-Authenticate: Basic realm=\"msgbus\"\r\n");
}

std::string polled(unsigned version, const part& message) {
  auto out = begin(version, 200, "OK");
  const auto put = [&](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(one_line(value)).append("\r\n");
  };
  if (!message.sender.empty())
    put("From", message.sender);
  if (message.has_location)
    put("Content-Location", "/msgbus/" + std::string{message.location});
  put("Content-Type", message.type);
  put("Content-Length", std::to_string(message.body.size()));
  put("Cache-Control", "no-store");
  put("X-Msgbus-Id", message.id);
  append_date(out, version);
  append_connection(out, {version, false, false});
  return out.append("\r\n").append(core::as_text(message.body));
}

std::string polled_nothing(unsigned version) {
  auto out = begin(version, 204, "No Content");
  append_date(out, version);
  append_connection(out, {version, false, false});
  return out.append("\r\n");
}

std::string stream_head(framing how) {
  const bool chunked = is_chunked(how);
  auto out = begin(chunked ? 11 : 10, 200, "OK");
  if (is_parts(how)) {
    out.append("Content-Type: multipart/x-mixed-replace;boundary=");
    out.append(boundary).append("\r\n");
  } else {
    out.append("Content-Type: text/event-stream\r\n"
               "Cache-Control: no-store\r\n");
  }
  if (chunked)
    out.append("Transfer-Encoding: chunked\r\n");
  append_date(out, chunked ? 11 : 10);
  return out.append("\r\n");
}

} // namespace troupe::net::msgbus
