// SPDX-License-Identifier: Apache-2.0
#include "app/workers/worker_process.hpp"

#include "actors/runtime/runtime_config.hpp"
#include "actors/runtime/scheduler.hpp"
#include "app/channel_log.hpp"
#include "app/cli.hpp"
#include "app/client_doors.hpp"
#include "app/logging.hpp"
#include "app/settings_table.hpp"
#include "app/signals.hpp"
#include "app/workers/process.hpp"
#include "app/workers/word_codec.hpp"
#include "app/workers/worker_end.hpp"

#include <caf/actor_system.hpp>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <future>
#include <ostream>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::app::workers {
namespace {

using std::chrono::steady_clock;

/// Without a word of the agent a process that somebody started by hand ends.
constexpr milliseconds first_word_time{10'000};
/// What clients have for their goodbyes when the agent is gone.
constexpr milliseconds orphan_time{3'000};
constexpr milliseconds look_interval{500};

/// Reads exactly so much; false at the end, an error or too late.
bool read_all(int fd, std::byte* to, std::size_t size,
              steady_clock::time_point until) {
  while (size > 0) {
    const auto count = ::recv(fd, to, size, 0);
    if (count > 0) {
      to += count;
      size -= static_cast<std::size_t>(count);
      continue;
    }
    if (count == 0 || (errno != EAGAIN && errno != EINTR))
      return false;
    const auto left =
        std::chrono::ceil<milliseconds>(until - steady_clock::now());
    pollfd waits{fd, POLLIN, 0};
    if (left.count() <= 0 ||
        ::poll(&waits, 1, static_cast<int>(left.count())) == 0)
      return false;
  }
  return true;
}

core::result<words::configure> read_configuration(int fd) {
  constexpr std::uint32_t bytes_max = 1U << 20;
  const core::error none{core::errc::malformed,
                         "there is no agent at descriptor 3: workers are "
                         "started by 'troupe serve --workers N'"};
  const auto until = steady_clock::now() + first_word_time;
  std::uint32_t length = 0;
  if (!read_all(fd, reinterpret_cast<std::byte*>(&length), sizeof length,
                until) ||
      length > bytes_max)
    return none;
  std::vector<std::byte> frame(length);
  if (!read_all(fd, frame.data(), frame.size(), until))
    return none;
  auto what = decode(frame, nullptr);
  if (!what)
    return what.error();
  auto* first = std::get_if<words::configure>(&*what);
  if (first == nullptr || first->version != protocol_version)
    return core::error{core::errc::malformed, "an agent of another version"};
  return std::move(*first);
}

core::result<settings> to_settings(const words::configure& from) {
  settings values;
  for (const auto& [name, text] : from.settings) {
    const auto* row = find_setting(name);
    if (row == nullptr)
      return core::error{core::errc::invalid_config, name};
    if (auto taken = assign(*row, values, text); !taken)
      return taken.error();
  }
  return values;
}

actors::runtime::runtime_options one_loop(const settings& values, logger& log) {
  actors::runtime::runtime_options options;
  options.loops = 1;
  options.spin = values.node.spin;
  options.on_error = [&log](std::string_view where, std::string_view what) {
    log.write_limited(log_level::error, "worker",
                      std::string{where} + ": " + std::string{what});
  };
  return options;
}

/// One worker, from its settings to its end.
class worker {
public:
  worker(const words::configure& first, const settings& values, logger& log,
         signal_watch& watch)
      : number_(first.worker), log_(log), watch_(watch), doors_(values),
        config_(one_loop(values, log)), system_(config_),
        home_(actors::runtime::scheduler::of(system_).at(0)),
        seats_({home_, [this](word what) { end_.say(std::move(what)); },
                [this] { return end_.full(); }, values.zenconn.requests_max}),
        channel_log_(log), network_({&home_}),
        end_({home_, network_, seats_, [this] { return counted(); },
              [this] { reload(); },
              [this] {
                finished_ = true;
                watch_.wake();
              },
              [this](std::string why) { on_orphaned(std::move(why)); }}) {}

  core::result<void> start(const std::vector<door_kind>& kinds) {
    if (auto loaded = doors_.load(); !loaded)
      return loaded.error();
    doors_.serve_elsewhere(seats_, seats_, channel_log_);
    on_loop([this] { end_.open(net::owned_fd{line_descriptor}); });
    int descriptor = line_descriptor;
    for (const auto kind : kinds) {
      net::listener_options options;
      options.socket = ++descriptor;
      auto door = doors_.make(kind, {&end_, nullptr, &end_});
      if (!door)
        return door.error();
      options.served = std::move(*door);
      if (auto open = network_.listen(std::move(options)); !open)
        return open.error();
    }
    on_loop([this] { end_.say_ready(); });
    return {};
  }

  /// Until there is nothing left to do.
  int run() {
    steady_clock::time_point cut = steady_clock::time_point::max();
    for (;;) {
      const auto event = watch_.wait(look_interval);
      if (finished_)
        break;
      if (event == process_event::stop)
        home_.post([this] { end_.drain(); });
      // Not left to the loop, which may hang when the agent dies.
      if (line_is_dead() && cut == steady_clock::time_point::max())
        cut = steady_clock::now() + orphan_time;
      if (steady_clock::now() >= cut) {
        log_.write(log_level::warn, "worker", "ended with clients left",
                   {{"worker", number_}});
        log_.flush();
        ::_exit(exit_failed);
      }
    }
    on_loop([this] { end_.close(); });
    network_.stop();
    return exit_ok;
  }

private:
  void on_loop(const std::function<void()>& work) {
    std::promise<void> done;
    home_.post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  [[nodiscard]] words::writer_counts counted() const {
    const auto& bus = doors_.channel_stats();
    const auto& zenconn = doors_.zenconn_stats();
    words::writer_counts all;
    all.delivered = bus.delivered;
    all.delivered_bytes = bus.delivered_bytes;
    all.filtered = bus.filtered;
    all.dropped_backlog = bus.dropped_backlog;
    all.replayed = bus.replayed;
    all.events = zenconn.delivered;
    all.events_bytes = zenconn.delivered_bytes;
    all.echoed = zenconn.echoed;
    all.ignored = zenconn.ignored;
    all.dropped_slow = zenconn.dropped_slow;
    all.refused_login = zenconn.refused_login;
    return all;
  }

  void reload() {
    if (auto opened = log_.reopen(); !opened)
      log_.write(log_level::error, "worker", opened.error().detail);
    if (auto taken = doors_.reload(); !taken)
      log_.write(log_level::error, "worker", "certificate not reloaded",
                 {{"worker", number_}, {"error", taken.error().detail}});
  }

  void on_orphaned(std::string why) {
    log_.write(log_level::warn, "worker",
               "lost the agent; clients are sent away",
               {{"worker", number_}, {"why", why}});
    orphaned_ = true;
    watch_.wake();
  }

  [[nodiscard]] bool line_is_dead() const {
    if (orphaned_) // the descriptor is closed, or somebody else's
      return true;
    pollfd line{line_descriptor, POLLRDHUP, 0};
    return ::poll(&line, 1, 0) > 0 &&
           (line.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
  }

  const std::uint32_t number_;
  logger& log_;
  signal_watch& watch_;
  std::atomic<bool> finished_{false};
  std::atomic<bool> orphaned_{false};
  client_doors doors_;
  actors::runtime::runtime_config config_;
  caf::actor_system system_;
  actors::runtime::loop& home_;
  worker_seats seats_;
  channel_log channel_log_;
  net::network network_;
  worker_end end_;
};

} // namespace

int run_worker(const worker_options&, terminal& screen) {
  const auto refuse = [&](const core::error& why) {
    screen.err << "troupe worker: " << core::to_string(why) << '\n';
    return exit_failed;
  };
  const auto first = read_configuration(line_descriptor);
  if (!first)
    return refuse(first.error());
  const auto values = to_settings(*first);
  if (!values)
    return refuse(values.error());
  auto log = logger::open(values->log);
  if (!log)
    return refuse(log.error());
  signal_watch watch;
  worker self{*first, *values, **log, watch};
  if (auto started = self.start(first->doors); !started) {
    (*log)->write(log_level::error, "worker", "can't start",
                  {{"worker", first->worker},
                   {"error", core::to_string(started.error())}});
    (*log)->flush();
    ::_exit(exit_failed);
  }
  return self.run();
}

} // namespace troupe::app::workers
