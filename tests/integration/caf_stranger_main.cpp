// SPDX-License-Identifier: Apache-2.0
// A program of the same actor framework that is no Troupe: tries everything
// the framework offers a peer, against the port it is given. Prints one line a
// try; exit code 0 if nothing worked. With "listen" it waits to be called
// instead, prints its port, and ends with standard input.
#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <set>
#include <string>

namespace {

struct config : caf::actor_system_config {
  config() {
    load<caf::io::middleman>();
    set("middleman.workers", std::size_t{0});
  }
};

int wait_for_callers(caf::actor_system& system) {
  auto echo = system.spawn([](caf::event_based_actor*) -> caf::behavior {
    return {[](const std::string& text) { return text; }};
  });
  const auto port = system.middleman().publish(echo, 0, "127.0.0.1");
  if (!port)
    return EXIT_FAILURE;
  std::cout << *port << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  caf::anon_send_exit(echo, caf::exit_reason::user_shutdown);
  return EXIT_SUCCESS;
}

int tell(const char* what, bool worked) {
  std::cout << what << ": " << (worked ? "WORKED" : "refused") << std::endl;
  return worked ? 1 : 0;
}

int try_everything(caf::actor_system& system, std::uint16_t port) {
  const std::string host = "127.0.0.1";
  auto& middleman = system.middleman();
  int worked = 0;
  worked += tell("remote_actor",
                 static_cast<bool>(middleman.remote_actor(host, port)));
  const auto node = middleman.connect(host, port);
  worked += tell("connect", static_cast<bool>(node));

  if (node) { // all that a peer is given
    caf::scoped_actor self{system};
    const auto limit = std::chrono::seconds{5};
    worked += tell("remote_spawn",
                   static_cast<bool>(middleman.remote_spawn<caf::actor>(
                       *node, "anything", caf::make_message(), limit)));
    for (const auto* name : {"ConfigServ", "SpawnServ"}) {
      const auto found =
          middleman.remote_lookup(caf::atom_from_string(name), *node);
      worked += tell(name, static_cast<bool>(found));
      if (found)
        self->send_exit(caf::actor_cast<caf::actor>(found),
                        caf::exit_reason::kill);
    }
  }
  return worked == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

int main(int argc, char** argv) {
  const std::string what = argc == 2 ? argv[1] : "";
  config settings;
  caf::actor_system system{settings};
  if (what == "listen")
    return wait_for_callers(system);
  const auto port = std::strtoul(what.c_str(), nullptr, 10);
  return port == 0 ? 2
                   : try_everything(system, static_cast<std::uint16_t>(port));
}
