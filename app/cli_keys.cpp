// SPDX-License-Identifier: Apache-2.0
// Retained keys on the command line.
#include "app/cli_builder.hpp"
#include "app/cli_flags.hpp"

#include <chrono>
#include <string>

namespace troupe::app {
namespace {

void add_realm(CLI::App* to, std::string& target) {
  to->add_option("--realm", target, "Of the topics")
      ->type_name("NAME")
      ->capture_default_str();
}

void add_topic(CLI::App* to, std::string& target) {
  to->add_option("TOPIC", target, "Levels with / between")->required();
}

} // namespace

void add_key_commands(cli_builder& to) {
  auto* group = to.add_group("key", "Retained keys: topics that have a value");

  auto& list =
      to.add_admin_command<key_list_options>(group, "list", "Show keys");
  to.last()
      ->add_option("FILTER", list.filter, "Only topics that this matches")
      ->capture_default_str();
  add_realm(to.last(), list.realm);
  to.last()
      ->add_option("--limit", list.limit, "Most keys to list; 0 = all")
      ->capture_default_str();

  auto& get = to.add_admin_command<key_get_options>(
      group, "get", "Write the value of a key to standard output");
  add_topic(to.last(), get.topic);
  add_realm(to.last(), get.realm);

  auto& set = to.add_admin_command<key_set_options>(
      group, "set", "Give a key a value, and publish it");
  add_topic(to.last(), set.topic);
  to.last()->add_option("TEXT", set.text,
                        "The value, not empty [standard input]");
  add_realm(to.last(), set.realm);
  to.last()
      ->add_option("--type", set.content_type, "Content type")
      ->type_name("TYPE");
  to.last()
      ->add_option("--qos", set.qos, "As MQTT has it: 0, 1 or 2")
      ->check(CLI::Range(0, 2))
      ->capture_default_str();
  to.last()
      ->add_option_function<std::string>(
          "--ttl",
          [&set](const std::string& text) {
            const auto value = parse_duration(text);
            if (!value || *value < std::chrono::seconds{1})
              throw CLI::ValidationError("--ttl", value ? "must be 1s or more"
                                                        : value.error().detail);
            set.ttl = std::chrono::duration_cast<milliseconds>(*value);
          },
          "It goes after this, in whole seconds")
      ->type_name("TIME");

  auto& clear = to.add_admin_command<key_clear_options>(
      group, "clear", "Take a key away, and publish that");
  add_topic(to.last(), clear.topic);
  add_realm(to.last(), clear.realm);
}

} // namespace troupe::app
