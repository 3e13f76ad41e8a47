// SPDX-License-Identifier: Apache-2.0
// MQTT's clients, on the command line.
#include "app/cli_builder.hpp"

namespace troupe::app {

namespace {

void add_explain_command(cli_builder& to) {
  auto& explain = to.add_admin_command<explain_options>(
      &to.root(), "explain",
      "Show what would become of a publication of MQTT, without making it");
  auto* at = to.last();
  at->add_option("TOPIC", explain.topic, "Where it would be published")
      ->required();
  at->add_option("--as", explain.user, "Whose it is; by default nobody's")
      ->type_name("UID");
  at->add_option("--client", explain.client,
                 "The client identifier; of a connected one with its rights")
      ->type_name("ID");
  at->add_option("--address", explain.address, "Where he is")
      ->type_name("ADDRESS");
  at->add_option("--qos", explain.qos, "0, 1 or 2")
      ->check(CLI::Range(0, 2))
      ->capture_default_str();
  at->add_flag("--retain", explain.retain, "It is to be retained");
  at->add_option("--bytes", explain.bytes, "Size of its payload")
      ->type_name("N")
      ->capture_default_str();
  at->add_option("--type", explain.type, "Its content type");
  at->add_option("--property", explain.properties,
                 "A user property; may be said several times")
      ->type_name("NAME=VALUE");
  at->add_option("--node", explain.node,
                 "Where it is published; by default at the node that is asked")
      ->type_name("ID");
  at->add_option("--limit", explain.limit, "Most lines of each sort")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  at->footer("A client that is connected elsewhere is explained there.");
}

} // namespace

void add_mqtt_commands(cli_builder& to) {
  add_explain_command(to);
  auto* group = to.add_group("mqtt", "Look at MQTT's clients, and end them");

  auto& sessions = to.add_admin_command<mqtt_sessions_options>(
      group, "sessions",
      "Show MQTT's sessions: who is connected, and who is away and may come "
      "back");
  to.last()
      ->add_option("--user", sessions.user, "Only those of this user")
      ->type_name("UID");
  to.last()->add_flag("--connected", sessions.connected,
                      "Only those that are connected");
  to.last()->add_flag("--kept", sessions.kept,
                      "Only those that outlive their connections");
  to.last()
      ->add_option("--limit", sessions.limit, "Most to list; 0 = all")
      ->capture_default_str();

  auto& kick = to.add_admin_command<mqtt_kick_options>(
      group, "kick",
      "End a client's session, wherever it is; the client may come again");
  to.last()
      ->add_option("CLIENT", kick.client, "Its client identifier")
      ->required();

  auto& trace = to.add_admin_command<mqtt_trace_options>(
      group, "trace",
      "Show what one client says and is told, packet by packet, as it happens");
  to.last()
      ->add_option("CLIENT", trace.client,
                   "Its client identifier; it may connect later")
      ->required();
  to.last()
      ->add_option("--count", trace.count, "End after N lines")
      ->type_name("N");
  to.last()->footer(
      "Payloads and passwords are not shown. At most 200 lines a second.");
}

} // namespace troupe::app
