// SPDX-License-Identifier: Apache-2.0
//
// What do actors cost in a fan-out? The same server twice, with actors on our
// runtime and with nothing but Asio, under the same load over real loopback
// connections, in turns; medians and their ratio.
//
// Each run forks a server (its loops are threads of that process) and loads
// it from the one thread of the parent. Nothing is bound to a core.
#include "bench/fanout_load.hpp"
#include "bench/fanout_server.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace troupe::bench {

namespace {

load_result run_once(const server_options& server, load_options load) {
  int ready[2];
  if (::pipe(ready) != 0)
    std::abort();
  const auto child = ::fork();
  if (child == 0) {
    ::close(ready[0]);
    serve(server, ready[1]);
  }
  ::close(ready[1]);
  if (::read(ready[0], &load.port, sizeof load.port) != sizeof load.port)
    std::abort();
  ::close(ready[0]);
  load.server = child;
  const auto result = run_load(load);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return result;
}

double median_of(const std::vector<load_result>& results,
                 double load_result::*field) {
  std::vector<double> values;
  for (const auto& each : results)
    values.push_back(each.*field);
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle]
                                : (values[middle - 1] + values[middle]) / 2;
}

load_result median(const std::vector<load_result>& results) {
  load_result m;
  for (const auto field :
       {&load_result::deliveries_per_second,
        &load_result::server_microseconds_per_delivery,
        &load_result::server_cores, &load_result::latency_p50_microseconds,
        &load_result::latency_p99_microseconds})
    m.*field = median_of(results, field);
  return m;
}

void print_text(const char* name, const load_result& r) {
  std::printf("%-8s %10.0f deliveries/s  %.3f us CPU each  %.2f cores  "
              "p50 %.0f us  p99 %.0f us\n",
              name, r.deliveries_per_second, r.server_microseconds_per_delivery,
              r.server_cores, r.latency_p50_microseconds,
              r.latency_p99_microseconds);
}

std::string json_of(const load_result& r) {
  char text[256];
  std::snprintf(text, sizeof text,
                "{\"deliveries_per_second\":%.0f,\"cpu_us_per_delivery\":%.4f,"
                "\"server_cores\":%.3f,\"p50_us\":%.1f,\"p99_us\":%.1f}",
                r.deliveries_per_second, r.server_microseconds_per_delivery,
                r.server_cores, r.latency_p50_microseconds,
                r.latency_p99_microseconds);
  return text;
}

} // namespace

int run(int argc, char** argv) {
  CLI::App app{"Fan-out with and without actors"};
  server_options server;
  load_options load;
  std::size_t runs = 5;
  double seconds = 2;
  std::size_t spin = 0;
  app.add_option("--runs", runs, "of each server, in turns");
  app.add_option("--seconds", seconds, "measured in each run");
  app.add_option("--loops", server.loops, "threads of the server");
  app.add_option("--subscribers", load.subscribers);
  app.add_option("--publishers", load.publishers);
  app.add_option("--bytes", load.payload_bytes, "of payload, at least 8");
  app.add_option("--window", load.window, "messages under way; 1: round trip");
  app.add_option("--spin-us", spin, "of the runtime's loops");
  CLI11_PARSE(app, argc, argv);
  server.spin = std::chrono::microseconds{spin};
  load.duration =
      std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)};

  std::vector<load_result> with_actors;
  std::vector<load_result> plain;
  for (std::size_t i = 0; i < runs; ++i) {
    server.kind = server_kind::actors;
    with_actors.push_back(run_once(server, load));
    server.kind = server_kind::plain;
    plain.push_back(run_once(server, load));
  }
  const auto a = median(with_actors);
  const auto b = median(plain);
  const auto ratio = a.deliveries_per_second / b.deliveries_per_second;
  std::printf("1 -> %zu, %zu bytes, window %llu, %zu loops, median of %zu\n",
              load.subscribers, load.payload_bytes,
              static_cast<unsigned long long>(load.window), server.loops, runs);
  print_text("actors", a);
  print_text("plain", b);
  std::printf("ratio    %.3f\n", ratio);
  std::printf("{\"bench\":\"fanout\",\"subscribers\":%zu,\"bytes\":%zu,"
              "\"window\":%llu,\"loops\":%zu,\"spin_us\":%zu,\"runs\":%zu,"
              "\"actors\":%s,\"plain\":%s,\"ratio\":%.3f}\n",
              load.subscribers, load.payload_bytes,
              static_cast<unsigned long long>(load.window), server.loops, spin,
              runs, json_of(a).c_str(), json_of(b).c_str(), ratio);
  return 0;
}

} // namespace troupe::bench

int main(int argc, char** argv) { return troupe::bench::run(argc, argv); }
