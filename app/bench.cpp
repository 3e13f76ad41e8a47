// SPDX-License-Identifier: Apache-2.0
#include "app/bench.hpp"

#include "app/admin_report.hpp"
#include "app/bench_cli.hpp"
#include "app/cli.hpp"

#include <ostream>
#include <sys/resource.h>

namespace troupe::app {
namespace {

/// What the tool took from the node on a machine they share.
double own_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

} // namespace

int run_bench(const bench_options& options, terminal& screen) {
  const auto parsed = parse_bench(options.arguments);
  if (const auto* text = std::get_if<bench_text>(&parsed)) {
    (text->exit_code == exit_ok ? screen.out : screen.err) << text->text;
    return text->exit_code;
  }
  const auto& request = std::get<bench_request>(parsed);
  auto report =
      std::visit([](const auto& load) { return measure(load); }, request.load);
  if (!report)
    return fail("bench", report.error(), screen);
  report->number("own_cpu_seconds", own_cpu_seconds());
  screen.out << (request.json ? report->json() : report->table());
  return exit_ok;
}

} // namespace troupe::app
