// SPDX-License-Identifier: Apache-2.0
#include "app/program.hpp"

#include "app/cli.hpp"
#include "app/serve.hpp"
#include "app/workers/worker_process.hpp"

#include <exception>
#include <ostream>

namespace troupe::app {
namespace {

struct runner {
  const program_parts& parts;
  terminal& screen;

  int operator()(const serve_options& options) const {
    if (!parts.make_service)
      return missing("serve");
    return run_serve(options, process_environment(), parts.make_service,
                     screen);
  }
  int operator()(const bench_options& options) const {
    return parts.bench ? parts.bench(options, screen) : missing("bench");
  }
  int operator()(const worker_options& options) const {
    return workers::run_worker(options, screen);
  }
  template <class Options>
  int operator()(const Options& options) const {
    return run(options, screen);
  }

  int missing(const char* name) const {
    screen.err << "troupe: this build has no '" << name << "'\n";
    return exit_failed;
  }
};

} // namespace

int run_program(const std::vector<std::string>& arguments,
                const program_parts& parts, terminal& screen) {
  // Allocation failure and broken invariants end the process by themselves;
  // what libraries throw on top of that is reported, not dumped.
  try {
    const auto outcome = parse_command_line(arguments);
    if (const auto* text = std::get_if<cli_text>(&outcome)) {
      (text->exit_code == exit_ok ? screen.out : screen.err) << text->text;
      return text->exit_code;
    }
    return std::visit(runner{parts, screen}, std::get<command>(outcome));
  } catch (const std::exception& failure) {
    screen.err << "troupe: " << failure.what() << '\n';
    return exit_failed;
  }
}

} // namespace troupe::app
