// SPDX-License-Identifier: Apache-2.0
#include "app/serve.hpp"

#include "app/cli.hpp"
#include "app/signals.hpp"
#include "app/spdlog_ear.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <ostream>
#include <sstream>
#include <string>
#include <system_error>
#include <unistd.h>

namespace troupe::app {
namespace {

constexpr int exit_interrupted = 130; // as shells report it

core::error with_place(const config_problem& problem) {
  return {core::errc::invalid_config, to_string(problem)};
}

/// What a node's threads tell the main thread.
class mailbox {
public:
  explicit mailbox(signal_watch& watch) : watch_(watch) {}

  void fail(core::error why) {
    {
      const std::lock_guard lock{mutex_};
      failure_ = std::move(why);
    }
    watch_.wake();
  }
  void drained() {
    drained_ = true;
    watch_.wake();
  }

  [[nodiscard]] bool is_drained() const { return drained_; }
  [[nodiscard]] std::optional<core::error> failure() {
    const std::lock_guard lock{mutex_};
    return failure_;
  }

private:
  signal_watch& watch_;
  std::mutex mutex_;
  std::optional<core::error> failure_;
  std::atomic<bool> drained_ = false;
};

/// The main thread of a running node.
class main_loop {
public:
  main_loop(const config_sources& sources, const settings& values,
            service& node, logger& log, signal_watch& watch, mailbox& mail)
      : sources_(sources), in_force_(values), node_(node), log_(log),
        watch_(watch), mail_(mail) {}

  int run() {
    for (;;) {
      const auto event = watch_.wait();
      if (event == process_event::stop)
        return drain();
      if (event == process_event::reload)
        reload();
      else if (event == process_event::reopen)
        reopen();
      else if (const auto failure = mail_.failure())
        return fail(*failure);
    }
  }

private:
  int fail(const core::error& why) {
    log_.write(log_level::error, "app", "the node can't go on",
               {{"error", core::to_string(why)}});
    return exit_failed;
  }

  int drain() {
    log_.write(log_level::info, "app",
               "draining; a second signal ends the node at once",
               {{"timeout", static_cast<std::int64_t>(
                                in_force_.node.drain_timeout.count())}});
    node_.drain([this] { mail_.drained(); });
    const auto end =
        std::chrono::steady_clock::now() + in_force_.node.drain_timeout;
    while (!mail_.is_drained()) {
      const auto left = std::chrono::ceil<milliseconds>(
          end - std::chrono::steady_clock::now());
      const auto event = watch_.wait(std::max(left, milliseconds{0}));
      if (event == process_event::stop) {
        log_.write(log_level::warn, "app", "ended without draining");
        log_.flush();
        ::_exit(exit_interrupted);
      }
      if (const auto failure = mail_.failure())
        return fail(*failure);
      if (!event) {
        log_.write(log_level::warn, "app", "gave up draining, time is up");
        return exit_ok;
      }
    }
    log_.write(log_level::info, "app", "drained");
    return exit_ok;
  }

  void reopen() {
    auto opened = log_.reopen();
    if (opened)
      opened = node_.reopen_logs();
    if (!opened)
      log_.write(log_level::error, "app", "log files not opened again",
                 {{"error", core::to_string(opened.error())}});
  }

  void reload() {
    if (auto opened = log_.reopen(); !opened)
      return refuse_reload(opened.error());
    auto fresh = load_config(sources_);
    if (!fresh.ok())
      return refuse_reload(with_place(fresh.problems.front()));
    const auto rows = differences(in_force_, fresh.values);
    if (auto taken = node_.reload(fresh.values); !taken)
      return refuse_reload(taken.error());
    log_.set_level(fresh.values.log.level);
    for (const auto* row : rows) {
      if (row->traits.effect == takes_effect::at_reload)
        take_over(*row, fresh.values);
      else
        log_.write(log_level::warn, "app", "a changed setting needs a restart",
                   {{"setting", name_of(*row)}});
    }
    log_.write(log_level::info, "app", "reloaded");
  }

  void take_over(const setting& row, const settings& fresh) {
    // A row's own text is always valid.
    [[maybe_unused]] const auto stored =
        assign(row, in_force_, print(row, fresh));
    log_.write(log_level::info, "app", "setting changed",
               {{"setting", name_of(row)},
                {"value", row.traits.secret ? "(secret)" : print(row, fresh)}});
  }

  void refuse_reload(const core::error& why) {
    log_.write(log_level::error, "app", "not reloaded, all is as before",
               {{"error", why.detail}});
  }

  const config_sources& sources_;
  settings in_force_;
  service& node_;
  logger& log_;
  signal_watch& watch_;
  mailbox& mail_;
};

int refuse_config(const configuration& config, terminal& screen) {
  for (const auto& problem : config.problems)
    screen.err << to_string(problem) << '\n';
  screen.err << "troupe serve: the configuration is not valid; 'troupe config "
                "explain' shows it\n";
  return exit_usage;
}

/// The bare name if the shell finds this binary by it, else its path, as seen
/// from the working directory if it is below.
std::string own_command() {
  namespace fs = std::filesystem;
  const std::string name = "troupe";
  std::error_code failed;
  const auto self = fs::read_symlink("/proc/self/exe", failed);
  if (failed)
    return name;
  const auto* path = std::getenv("PATH"); // NOLINT(concurrency-mt-unsafe)
  std::istringstream folders{path == nullptr ? "" : path};
  for (std::string folder; std::getline(folders, folder, ':');)
    if (fs::equivalent(fs::path{folder} / name, self, failed))
      return name;
  const auto here = fs::current_path(failed);
  const auto below = self.lexically_relative(here);
  if (failed || below.empty() || *below.begin() == "..")
    return self.string();
  return below.string();
}

} // namespace

int run_serve(const serve_options& options, const environment_list& environment,
              const service_factory& make_service, terminal& screen) {
  const config_sources sources{options.config.file, environment,
                               options.config.flags};
  const auto config = load_config(sources);
  if (!config.ok())
    return refuse_config(config, screen);
  auto token = admin_token(config.values);
  if (!token) {
    screen.err << "troupe serve: " << token.error().detail << '\n';
    return exit_usage;
  }
  const auto secret = cluster_secret(config.values);
  if (!secret) {
    screen.err << "troupe serve: " << secret.error().detail << '\n';
    return exit_usage;
  }
  auto log = logger::open(config.values.log);
  if (!log) {
    screen.err << "troupe serve: log.file: " << log.error().detail << '\n';
    return exit_failed;
  }
  const spdlog_ear net_lines{(*log)->hook("net")};

  signal_watch watch;
  mailbox mail{watch};
  const bool asks = !token->empty();
  const auto node = make_service(
      {config.values, *token, **log,
       [&mail](core::error why) { mail.fail(std::move(why)); }, *secret,
       [&watch](milliseconds time) {
         return watch.wait(time) == process_event::stop;
       }});
  const auto bound = node->start();
  if (!bound && bound.error().code == core::errc::shutting_down) {
    (*log)->write(log_level::info, "app", bound.error().detail);
    return exit_ok;
  }
  if (!bound) {
    screen.err << "troupe serve: " << core::to_string(bound.error()) << '\n';
    return exit_failed;
  }
  auto facts = node->facts();
  facts.asks_for_admin_token = asks;
  facts.command = own_command();
  for (const auto& notice : security_notices(config.values, *bound))
    (*log)->write(log_level::warn, "app", notice);
  screen.out << banner_text(config.values, *bound, facts) << std::flush;
  return main_loop{sources, config.values, *node, **log, watch, mail}.run();
}

} // namespace troupe::app
