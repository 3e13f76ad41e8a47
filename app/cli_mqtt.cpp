// SPDX-License-Identifier: Apache-2.0
// MQTT's clients, on the command line.
#include "app/cli_builder.hpp"

namespace troupe::app {

void add_mqtt_commands(cli_builder& to) {
  auto* group = to.add_group("mqtt", "Look at MQTT's clients, and end them");

  auto& sessions = to.add_admin_command<mqtt_sessions_options>(
      group, "sessions", "Show who is connected by MQTT, on all nodes");
  to.last()
      ->add_option("--user", sessions.user, "Only those of this user")
      ->type_name("UID");
  to.last()
      ->add_option("--limit", sessions.limit, "Most to list; 0 = all")
      ->capture_default_str();

  auto& kick = to.add_admin_command<mqtt_kick_options>(
      group, "kick",
      "End a client's connection to the node that is asked; it may come again");
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
