// SPDX-License-Identifier: Apache-2.0
#include "app/admin_client.hpp"
#include "app/admin_report.hpp"
#include "app/channel_client.hpp"
#include "app/channel_stream.hpp"
#include "app/cli.hpp"
#include "app/commands.hpp"

#include <ostream>
#include <sstream>
#include <variant>

namespace troupe::app {
namespace {

client_options client_of(const channel_peer& peer) {
  return {peer.server, peer.user, peer.device, peer.create, peer.timeout};
}

/// Prints what is published as it comes.
class listening {
public:
  listening(const sub_options& options, terminal& screen)
      : options_(options), client_(options.peer), screen_(screen) {
    if (options.door == via::msgbus)
      reader_.emplace<multipart_reader>();
  }

  core::result<void> run() {
    if (auto up = client_.subscribe(options_.channel, query(), accept()); !up)
      return up;
    for (;;) {
      const auto bytes = client_.read();
      if (!bytes)
        return bytes.error();
      std::vector<channel_message> came;
      const auto read = std::visit(
          [&](auto& reader) { return reader.feed(*bytes, came); }, reader_);
      for (auto& message : came)
        if (auto shown = show(message); !shown || done())
          return shown;
      if (!read)
        return read;
    }
  }

private:
  bool done() const { return options_.count != 0 && shown_ >= options_.count; }

  std::string accept() const {
    return options_.door == via::sse ? "text/event-stream"
                                     : "multipart/x-mixed-replace";
  }

  std::string query() const {
    std::string out;
    const auto put = [&out](std::string_view key, const std::string& value) {
      out.append(out.empty() ? "" : "&").append(key).append("=");
      out += percent_encoded(value);
    };
    if (options_.door == via::sse)
      put("format", "json");
    if (options_.types)
      put("type", *options_.types);
    if (options_.senders)
      put("sender", *options_.senders);
    if (!options_.since.empty())
      put("since", options_.since);
    return out;
  }

  core::result<void> show(channel_message& message) {
    if (message.channel.empty()) // the root alone says it
      message.channel = options_.channel;
    screen_.out << (options_.json ? json_line(message) : text_line(message))
                << '\n'
                << std::flush;
    ++shown_;
    if (!screen_.out)
      return core::error{core::errc::io_error, "the output is closed"};
    return {};
  }

  const sub_options& options_;
  channel_client client_;
  terminal& screen_;
  std::variant<event_reader, multipart_reader> reader_;
  std::uint64_t shown_ = 0;
};

} // namespace

int run(const pub_options& options, terminal& screen) {
  if (options.door == via::mq) {
    post_options post;
    post.client = client_of(options.peer);
    post.to = {options.target};
    post.text = options.text;
    return run(post, screen);
  }
  std::string data;
  if (options.text) {
    data = *options.text;
  } else {
    std::ostringstream all;
    all << screen.in.rdbuf();
    data = all.str();
  }
  channel_client client{options.peer};
  if (auto sent = client.publish(options.target, options.type, data); !sent)
    return fail("pub", sent.error(), screen);
  screen.out << "ok\n";
  return exit_ok;
}

int run(const sub_options& options, terminal& screen) {
  if (options.door == via::mq) {
    inbox_tail_options tail;
    tail.client = client_of(options.peer);
    tail.json = options.json;
    tail.count = options.count;
    return run(tail, screen);
  }
  if (auto ended = listening{options, screen}.run(); !ended)
    return fail("sub", ended.error(), screen);
  return exit_ok;
}

} // namespace troupe::app
