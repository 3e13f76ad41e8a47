// SPDX-License-Identifier: Apache-2.0
#include "app/channel_client.hpp"
#include "app/cli_builder.hpp"
#include "app/cli_flags.hpp"
#include "app/mqtt_client.hpp"

#include <string>
#include <utility>

namespace troupe::app {
namespace {

/// REQUIRES: one of those that add_door() takes.
via door_of(const std::string& text) {
  if (text == "mq")
    return via::mq;
  if (text == "msgbus")
    return via::msgbus;
  if (text == "mqtt")
    return via::mqtt;
  return text == "sse" ? via::sse : via::zenconn;
}

void add_door(CLI::App* to, via& door, const char* help) {
  to->add_option_function<std::string>(
        "--via", [&door](const std::string& text) { door = door_of(text); },
        help)
      ->check(CLI::IsMember({"mq", "msgbus", "sse", "zenconn", "mqtt"}))
      ->type_name("PROTOCOL");
}

void add_peer_flags(CLI::App* to, channel_peer& peer) {
  add_parsed(to, "--server", peer.server, parse_endpoint, "HOST:PORT",
             "Node to talk to [127.0.0.1:8080]")
      ->envname("TROUPE_SERVER");
  to->add_option("--as", peer.user, "Who you are; needed with mq")
      ->type_name("UID");
  // Other users of the machine can read a flag, but not the environment.
  to->add_option("--password", peer.password,
                 "Password of the channels; better given as TROUPE_PASSWORD")
      ->envname("TROUPE_PASSWORD")
      ->type_name("TEXT");
  to->add_option("--token", peer.token,
                 "Of channels: who you are, instead of both; better given as "
                 "TROUPE_TOKEN")
      ->envname("TROUPE_TOKEN")
      ->type_name("TEXT");
  to->add_option("--device", peer.device,
                 "With mq: name of the user's device, the credential")
      ->type_name("NAME");
  to->add_flag("--create", peer.create,
               "With mq: register the user first if there is none");
  add_duration(to, "--timeout", peer.timeout,
               "How long to wait for an answer [10s]");
}

void check_peer(via door, const channel_peer& peer) {
  if (door == via::mq) {
    if (peer.user.empty() || peer.device.empty())
      throw CLI::ValidationError("--via", "mq needs --as and --device");
    if (!peer.password.empty() || !peer.token.empty())
      throw CLI::ValidationError(peer.token.empty() ? "--password" : "--token",
                                 "is for channels");
    return;
  }
  if (!peer.device.empty() || peer.create)
    throw CLI::ValidationError(peer.create ? "--create" : "--device",
                               "is for --via mq");
  const bool named = !peer.user.empty() || !peer.password.empty();
  if (door == via::zenconn && named)
    throw CLI::ValidationError("--via", "zenconn knows people by --token");
  if (!peer.token.empty() && named)
    throw CLI::ValidationError("--token", "goes without --as and --password");
}

void check_target(via door, const std::string& channel, bool is_filter) {
  if (door == via::mqtt) {
    const auto fine =
        is_filter ? check_mqtt_filter(channel) : check_mqtt_topic(channel);
    if (!fine)
      throw CLI::ValidationError("CHANNEL", fine.error().detail);
    return;
  }
  if (door == via::zenconn) {
    if (channel.empty())
      throw CLI::ValidationError("CHANNEL", "zenconn needs one");
    return;
  }
  if (const auto fine = check_channel(channel); !fine)
    throw CLI::ValidationError("CHANNEL", fine.error().detail);
}

void add_pub_flags(CLI::App* to, pub_options& options) {
  add_door(to, options.door,
           "mq for a user's inbox; msgbus, sse or zenconn for a channel, mqtt "
           "for a topic [msgbus]");
  add_peer_flags(to, options.peer);
  to->add_option("--type", options.type,
                 "Content type, of channels; with zenconn application/json "
                 "or a text")
      ->capture_default_str()
      ->type_name("TYPE");
  to->add_option("TARGET", options.target, "A channel, or with mq a user")
      ->required();
  to->add_option_function<std::string>(
        "TEXT",
        [&options](const std::string& text) {
          if (text != "-")
            options.text = text;
        },
        "The message; - or nothing reads standard input")
      ->type_name("");
  to->parse_complete_callback([&options] {
    check_peer(options.door, options.peer);
    if (options.door != via::mq)
      check_target(options.door, options.target, false);
    if (options.door == via::zenconn && options.type != json_type &&
        options.type != pub_options{}.type)
      throw CLI::ValidationError("--type", "zenconn has JSON and text only");
  });
  to->footer("Answers ok when it is on stable storage (mq), was handed to all "
             "who listen, or,\nwith zenconn, with the number of other clients "
             "in the channel.\n\nTry: troupe sub news\n     troupe pub news "
             "'hello, all'");
}

void add_sub_flags(CLI::App* to, sub_options& options) {
  add_door(to, options.door,
           "mq for your inbox; msgbus, sse or zenconn for a channel, mqtt for "
           "topics, with + and # [sse]");
  add_peer_flags(to, options.peer);
  to->add_option("--type", options.types,
                 "Only content types that match: text/*,!text/html")
      ->type_name("PATTERNS");
  to->add_option("--sender", options.senders, "Only senders that match")
      ->type_name("PATTERNS");
  to->add_option("--since", options.since,
                 "Begin behind the message of that id, 0 with all there is; "
                 "as far as the node keeps a history")
      ->type_name("ID");
  to->add_option("--count", options.count, "End after N messages")
      ->type_name("N");
  to->add_flag("--json", options.json, "One JSON object a message");
  to->add_option("CHANNEL", options.channel, "The channel; nothing for all");
  to->parse_complete_callback([&options] {
    check_peer(options.door, options.peer);
    const bool choosy =
        options.types || options.senders || !options.since.empty();
    if ((options.door == via::zenconn || options.door == via::mqtt) && choosy)
      throw CLI::ValidationError(
          "--via", "this one sends everything: no --type, --sender, --since");
    if (options.door == via::mqtt && options.channel.empty())
      options.channel = "#";
    if (options.door != via::mq)
      return check_target(options.door, options.channel, true);
    if (!options.channel.empty() || choosy)
      throw CLI::ValidationError(
          "--via", "mq reads an inbox: no channel, --type, --sender, --since");
  });
  to->footer("Messages of an inbox (mq) are acknowledged once they are shown; "
             "see\n'troupe inbox tail' for more.");
}

} // namespace

void add_channel_commands(cli_builder& to) {
  auto* pub = to.root().add_subcommand(
      "pub", "Publish to a channel, or send to a user, by any protocol");
  add_pub_flags(pub, to.options_of<pub_options>(pub));
  auto* sub = to.root().add_subcommand(
      "sub", "Print what is published to a channel, or comes to you");
  add_sub_flags(sub, to.options_of<sub_options>(sub));
}

} // namespace troupe::app
