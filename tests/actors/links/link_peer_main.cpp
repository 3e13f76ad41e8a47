// SPDX-License-Identifier: Apache-2.0
// A node with links and nothing else, for tests that stop or kill a process:
//   link_peer ID OTHER_ID OTHER_ADDRESS [PORT]
// Echoes every message of kind raft as kind publish. Prints its address; ends
// with its standard input.
#include "actors/links/link_network.hpp"
#include "actors/links/node_links.hpp"
#include "actors/runtime/runtime_config.hpp"

#include <caf/actor_system.hpp>

#include <cstdlib>
#include <iostream>
#include <string>

int main(int count, char** words) {
  using namespace troupe;
  using namespace troupe::actors::links;
  if (count < 4)
    return EXIT_FAILURE;
  actors::runtime::runtime_options runtime;
  runtime.loops = 1;
  actors::runtime::runtime_config config{runtime};
  if (!enable_links(config, {}))
    return EXIT_FAILURE;
  caf::actor_system system{config};
  link_options options;
  options.cluster.fill(std::byte{7});
  options.self = core::node_id{static_cast<std::uint32_t>(std::atoi(words[1]))};
  options.secret = "a secret of the tests";
  options.listen = "127.0.0.1:" + std::string{count > 4 ? words[4] : "0"};
  if (std::getenv("TROUPE_TEST_LOG") != nullptr)
    options.log = [](auto level, auto, auto text) {
      std::cerr << level << ' ' << text << std::endl;
    };
  auto links = node_links::open(system, options);
  if (!links)
    return EXIT_FAILURE;
  links.value()->on_message(kind::raft, [&](const received& message) {
    static_cast<void>(links.value()->send(message.from, kind::publish,
                                          message.key, message.body));
  });
  links.value()->start();
  links.value()->set_peer(
      core::node_id{static_cast<std::uint32_t>(std::atoi(words[2]))},
      {words[3]});
  std::cout << links.value()->listen_address() << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  links.value()->stop();
  return EXIT_SUCCESS;
}
