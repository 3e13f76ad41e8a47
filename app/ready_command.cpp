// SPDX-License-Identifier: Apache-2.0
#include "app/admin_client.hpp"
#include "app/admin_report.hpp"
#include "app/cli.hpp"
#include "app/commands.hpp"

#include <chrono>
#include <ostream>
#include <thread>

namespace troupe::app {
namespace {

constexpr std::chrono::milliseconds ask_every{100};

} // namespace

int run(const ready_options& options, terminal& screen) {
  const auto end = std::chrono::steady_clock::now() + options.wait;
  const admin_client admin{options.admin};
  auto answer = admin.get("/readyz");
  while (!answer && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(ask_every);
    answer = admin.get("/readyz");
  }
  return report("ready", answer, options.admin, screen,
                [&](const boost::json::value&) { screen.out << "ready\n"; });
}

} // namespace troupe::app
