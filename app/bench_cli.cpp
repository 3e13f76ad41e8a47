// SPDX-License-Identifier: Apache-2.0
#include "app/bench_cli.hpp"

#include "app/cli.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <optional>
#include <random>
#include <sstream>

namespace troupe::app {
namespace {

/// Large enough for what is measured, small enough for a typing error.
constexpr std::uint64_t connections_max = 1'000'000;
constexpr std::uint64_t users_max = 10'000'000;
constexpr std::uint64_t window_max = 1024;
constexpr std::uint64_t body_bytes_max = 16ULL << 20;
constexpr std::uint64_t seconds_max = 3600;
constexpr std::uint64_t threads_max = 64;
constexpr std::uint64_t recipients_max = 1000; // fits a header

/// Users of one run are none of another.
std::string random_prefix() {
  std::random_device random;
  std::ostringstream text;
  text << "bench-" << std::hex << random() << '-';
  return text.str();
}

/// The tree of modes. Lives as long as one parse.
class bench_tree {
public:
  bench_tree() {
    root_.require_subcommand(0, 1);
    root_.get_formatter()->column_width(34);
    add_post();
    add_deliver();
    add_idle();
    add_users();
    add_sync();
  }
  bench_tree(const bench_tree&) = delete;
  bench_tree& operator=(const bench_tree&) = delete;

  std::variant<bench_request, bench_text>
  parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end()); // as CLI11 wants them
    try {
      root_.parse(arguments);
    } catch (const CLI::Success& wanted) {
      std::ostringstream text;
      root_.exit(wanted, text, text);
      return bench_text{exit_ok, text.str()};
    } catch (const CLI::ParseError& failure) {
      return bench_text{exit_usage,
                        std::string{"troupe bench: "} + failure.what() + '\n'};
    }
    if (!load_)
      return bench_text{exit_usage, root_.help()};
    return bench_request{*load_, json_};
  }

private:
  template <class Load>
  std::pair<CLI::App*, Load*> add_mode(const char* name, const char* help) {
    auto* at = root_.add_subcommand(name, help);
    auto load = std::make_shared<Load>();
    at->final_callback([this, load] { load_ = *load; });
    at->add_flag("--json", json_, "One line of JSON instead of a table");
    return {at, load.get()};
  }

  template <class Number>
  static void add_number(CLI::App* at, const std::string& name, Number& target,
                         std::uint64_t min, std::uint64_t max,
                         const std::string& help) {
    at->add_option(name, target, help)
        ->check(CLI::Range(min, max))
        ->capture_default_str()
        ->type_name("N");
  }

  static void add_endpoint(CLI::App* at, const std::string& name,
                           endpoint& target, const std::string& help) {
    at->add_option_function<std::string>(
          name,
          [&target, name](const std::string& text) {
            const auto value = parse_endpoint(text);
            if (!value)
              throw CLI::ValidationError(name, value.error().detail);
            if (!is_loopback(*value))
              throw CLI::ValidationError(name, "not on this machine");
            target = *value;
          },
          help + " [" + to_string(target) + "]")
        ->type_name("HOST:PORT");
  }

  static void add_target(CLI::App* at, bench_target& target) {
    target.prefix = random_prefix();
    target.admin.timeout = std::chrono::minutes{2};
    add_endpoint(at, "--server", target.server, "Node, on this machine");
    add_endpoint(at, "--admin", target.admin.address, "Its admin address");
    at->add_option("--token", target.admin.token, "Its admin token")
        ->envname("TROUPE_ADMIN_TOKEN")
        ->type_name("TOKEN");
    at->add_option("--prefix", target.prefix,
                   "How the users of the run begin; by default never the same")
        ->type_name("TEXT");
  }

  void add_post() {
    auto [at, load] = add_mode<post_load>(
        "post", "From a post to its durable acknowledgement");
    add_target(at, load->target);
    add_number(at, "--connections", load->connections, 1, connections_max,
               "Senders");
    add_number(at, "--window", load->window, 1, window_max,
               "Posts of a sender without an answer");
    add_number(at, "--size", load->body_bytes, 0, body_bytes_max,
               "Bytes of a message");
    add_number(at, "--seconds", load->seconds, 1, seconds_max, "Duration");
    add_number(at, "--users", load->users, 1, users_max, "Recipients");
    add_number(at, "--threads", load->threads, 1, threads_max, "Own threads");
    at->add_flag("--consume", load->consume,
                 "Log the recipients in; else the messages stay queued");
  }

  void add_deliver() {
    auto [at, load] = add_mode<deliver_load>(
        "deliver", "Queued messages to devices that come all at once");
    add_target(at, load->target);
    add_number(at, "--connections", load->connections, 1, connections_max,
               "Devices, each of another user");
    add_number(at, "--messages", load->messages, 1, users_max,
               "Messages queued for each");
    add_number(at, "--window", load->window, 1, window_max,
               "Deliveries of a device without an acknowledgement");
    add_number(at, "--size", load->body_bytes, 0, body_bytes_max,
               "Bytes of a message");
    add_number(at, "--threads", load->threads, 1, threads_max, "Own threads");
  }

  void add_idle() {
    auto [at, load] = add_mode<idle_load>(
        "idle", "Resident memory of logged in WebSocket connections");
    add_target(at, load->target);
    add_number(at, "--connections", load->connections, 1, connections_max,
               "Connections");
    add_number(at, "--settle", load->settle_seconds, 0, seconds_max,
               "Seconds of rest before memory is read");
  }

  void add_users() {
    auto [at, load] =
        add_mode<users_load>("users", "Many users with one message each");
    add_target(at, load->target);
    add_number(at, "--count", load->count, 1, users_max, "Users");
    add_number(at, "--recipients", load->recipients_per_post, 1, recipients_max,
               "Recipients of one post");
    add_number(at, "--size", load->body_bytes, 0, body_bytes_max,
               "Bytes of a message");
    add_number(at, "--check", load->check, 0, users_max,
               "Users to log in afterwards, to see their message");
    at->add_flag(
        "!--check-only", load->fill,
        "Only check what a run with the same --prefix and --count has left");
  }

  void add_sync() {
    auto [at, load] = add_mode<sync_load>(
        "sync", "The yardstick: write 4 KiB and fdatasync, in a loop");
    at->add_option("--data", load->data, "Folder on the disk in question")
        ->type_name("DIR");
    add_number(at, "--seconds", load->seconds, 1, seconds_max, "Duration");
  }

  CLI::App root_{"Puts load on a node of this machine and measures",
                 "troupe bench"};
  std::optional<bench_load> load_;
  bool json_ = false;
};

} // namespace

std::variant<bench_request, bench_text>
parse_bench(std::vector<std::string> arguments) {
  return bench_tree{}.parse(std::move(arguments));
}

} // namespace troupe::app
