// SPDX-License-Identifier: Apache-2.0
#include "app/admin_client.hpp"
#include "app/admin_report.hpp"
#include "app/channel_client.hpp"
#include "app/channel_stream.hpp"
#include "app/cli.hpp"
#include "app/commands.hpp"
#include "app/json_text.hpp"
#include "app/mqtt_client.hpp"
#include "app/zenconn_client.hpp"

#include <boost/json/parse.hpp>

#include <ostream>
#include <sstream>
#include <variant>

namespace troupe::app {
namespace {

client_options client_of(const channel_peer& peer) {
  return {peer.server, peer.user, peer.device, peer.create, peer.timeout};
}

core::result<void> show(const channel_message& message, bool json,
                        terminal& screen) {
  screen.out << (json ? json_line(message) : text_line(message)) << '\n'
             << std::flush;
  if (!screen.out)
    return core::error{core::errc::io_error, "the output is closed"};
  return {};
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
      for (auto& message : came) {
        if (message.channel.empty()) // the root alone says it
          message.channel = options_.channel;
        ++shown_;
        if (auto shown = show(message, options_.json, screen_);
            !shown || done())
          return shown;
      }
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

  const sub_options& options_;
  channel_client client_;
  terminal& screen_;
  std::variant<event_reader, multipart_reader> reader_;
  std::uint64_t shown_ = 0;
};

bool is_json(const std::string& text) {
  boost::system::error_code no_json;
  static_cast<void>(
      boost::json::parse(boost::json::string_view{text}, no_json));
  return !no_json;
}

/// Until as many came as were asked for, or the connection ends.
template <class Client>
core::result<void> show_what_comes(Client& client, const sub_options& options,
                                   terminal& screen) {
  for (std::uint64_t shown = 0; options.count == 0 || shown < options.count;
       ++shown) {
    const auto message = client.next();
    if (!message)
      return message.error();
    if (auto written = show(*message, options.json, screen); !written)
      return written;
  }
  client.close();
  return {};
}

core::result<void> listen_zenconn(const sub_options& options,
                                  terminal& screen) {
  zenconn_client client{options.peer};
  if (auto up = client.open(); !up)
    return up;
  // What is said to everybody comes to every session.
  if (options.channel != zenconn_client::everybody)
    if (auto joined = client.join(options.channel); !joined)
      return joined;
  return show_what_comes(client, options, screen);
}

core::result<void> listen_mqtt(const sub_options& options, terminal& screen) {
  mqtt_client client{options.peer};
  if (auto up = client.open(); !up)
    return up;
  if (auto listens = client.subscribe(options.channel); !listens)
    return listens;
  return show_what_comes(client, options, screen);
}

core::result<std::string> publish_mqtt(const pub_options& options,
                                       const std::string& data) {
  mqtt_client client{options.peer};
  if (auto up = client.open(); !up)
    return up.error();
  if (auto sent = client.publish(options.target, options.type, data); !sent)
    return sent.error();
  client.close();
  return std::string{"ok"};
}

/// Returns what is to be said.
core::result<std::string> publish_zenconn(const pub_options& options,
                                          const std::string& text) {
  auto data = text;
  if (options.type == json_type) {
    if (!is_json(data))
      return core::error{core::errc::malformed, "this is no JSON"};
  } else {
    if (!is_utf8(text))
      return core::error{core::errc::malformed,
                         "zenconn has no bytes that are no UTF-8"};
    data.clear();
    append_json(data, text);
  }
  zenconn_client client{options.peer};
  if (auto up = client.open(); !up)
    return up.error();
  if (options.target != zenconn_client::everybody)
    if (auto joined = client.join(options.target); !joined)
      return joined.error();
  const auto count = client.broadcast(options.target, data);
  if (!count)
    return count.error();
  client.close();
  return "ok " + std::to_string(*count);
}

core::result<std::string> publish_http(const pub_options& options,
                                       const std::string& data) {
  channel_client client{options.peer};
  if (auto sent = client.publish(options.target, options.type, data); !sent)
    return sent.error();
  return std::string{"ok"};
}

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
  const auto said = options.door == via::zenconn
                        ? publish_zenconn(options, data)
                    : options.door == via::mqtt ? publish_mqtt(options, data)
                                                : publish_http(options, data);
  if (!said)
    return fail("pub", said.error(), screen);
  screen.out << *said << '\n';
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
  const auto ended =
      options.door == via::zenconn ? listen_zenconn(options, screen)
      : options.door == via::mqtt  ? listen_mqtt(options, screen)
                                   : listening{options, screen}.run();
  if (!ended)
    return fail("sub", ended.error(), screen);
  return exit_ok;
}

} // namespace troupe::app
