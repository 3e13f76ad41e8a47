// SPDX-License-Identifier: Apache-2.0
#include "net/responder.hpp"

#include "net/protocol.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace troupe::net {

bool http_stream::write(std::string_view bytes) {
  return open() && ticket_->exchange->stream(bytes);
}

bool http_stream::write_event(std::string_view data, std::string_view name) {
  std::string event;
  if (!name.empty())
    event.append("event: ").append(name).append("\n");
  for (;;) {
    auto end = std::min(data.find('\n'), data.size());
    event.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == data.size())
      break;
    data.remove_prefix(end + 1);
  }
  event.append("\n");
  return write(event);
}

void http_stream::end() {
  if (open())
    ticket_->exchange->end_stream();
}

void responder::send(http_response response) const {
  if (open())
    ticket_->exchange->answer(std::move(response));
}

void responder::send_verbatim(std::string bytes, http_after after) const {
  if (open())
    ticket_->exchange->answer_verbatim(std::move(bytes), after);
}

void responder::hand_over(std::unique_ptr<protocol> successor,
                          std::string head) const {
  if (open())
    ticket_->exchange->hand_over(std::move(successor), std::move(head));
}

http_stream responder::stream(std::string content_type) const {
  if (!open())
    return {};
  ticket_->exchange->begin_stream({200, std::move(content_type), {}, {}});
  return http_stream{ticket_};
}

} // namespace troupe::net
