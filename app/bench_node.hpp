// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/bench_modes.hpp"
#include "app/bench_report.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

/// The node under load, seen through its admin interface, and its inboxes
/// filled. Blocking; errors are those of the network and the node's refusals.
namespace troupe::app {

/// The samples of /metrics that have whole numbers; labels are part of a name.
class bench_metrics {
public:
  [[nodiscard]] static core::result<bench_metrics>
  fetch(const bench_target& target);
  [[nodiscard]] static bench_metrics parse(std::string_view text);

  /// 0 for a sample the node does not have.
  [[nodiscard]] std::uint64_t at(std::string_view name) const;
  /// The sum over all labels of a name.
  [[nodiscard]] std::uint64_t sum(std::string_view name) const;

private:
  std::map<std::string, std::uint64_t, std::less<>> samples_;
};

/// Syncs, entries a sync and CPU time of the loops between two looks.
void report_work(bench_report& to, const bench_metrics& before,
                 const bench_metrics& after, double seconds);

/// `<prefix><kind><number>`; every user has the one device "d".
[[nodiscard]] std::string bench_user(const bench_target& target, char kind,
                                     std::uint64_t number);
inline constexpr std::string_view bench_device = "d";

/// Registers users 0 to `count`; those that are there already stay.
[[nodiscard]] core::result<void>
register_bench_users(const bench_target& target, char kind,
                     std::uint64_t count);

/// Text that ends in its number; `bytes` long if the number lets it.
[[nodiscard]] std::string bench_body(std::size_t bytes, std::uint64_t number);

struct bench_fill {
  std::uint64_t users = 0;
  std::uint64_t messages_each = 1;
  std::uint64_t recipients_per_post = 100;
  std::size_t body_bytes = 100;
};
struct bench_filled {
  double seconds = 0;
  std::uint64_t posts = 0;
  std::uint64_t errors = 0;
};

/// Queues messages for users of kind 'u', many recipients a post; the body's
/// number is that of its first recipient over recipients_per_post.
[[nodiscard]] core::result<bench_filled>
fill_inboxes(const bench_target& target, const bench_fill& wanted);

} // namespace troupe::app
