// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/publication.hpp"
#include "core/result.hpp"
#include "net/key_space.hpp"
#include "net/mqtt/options.hpp"
#include "net/mqtt/packets.hpp"
#include "net/mqtt/reason_code.hpp"
#include "net/topic_space.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

namespace troupe::net::mqtt {

/// How a publisher is told that his message is not safe.
[[nodiscard]] reason_code outcome_of(core::errc why) noexcept;

/// What a publication may be that is to be retained: as others, with room for
/// its revision, which is one more header.
[[nodiscard]] core::publication_limits limits_of_retained();

/// What one client publishes, in its order. A message that is to be retained is
/// made durable first and goes to who listens when it is: who subscribes
/// meanwhile finds it kept or hears it. Those behind it wait, up to a bound.
///
/// Belongs to a session, and outlives it until all has gone: what was published
/// last, a will above all, is not lost with the connection. One loop.
class publish_line : public std::enable_shared_from_this<publish_line> {
public:
  /// All outlive it; `keys` null: nothing is retained here.
  publish_line(topic_space& topics, key_space* keys, mqtt_stats& stats)
      : topics_(topics), keys_(keys), stats_(stats) {}
  publish_line(const publish_line&) = delete;
  publish_line& operator=(const publish_line&) = delete;

  using told_function = std::function<void(reason_code)>;

  /// `told` is called later, once, unless the answer is a reason why not. With
  /// QoS 0 a message that can't be kept goes on nevertheless; with QoS 1 and 2
  /// it does so only if it may be kept yet. `how` has no `done`.
  std::optional<reason_code> publish(core::publication what, queue_terms how,
                                     told_function told);

  /// What is not to be kept need not wait here.
  [[nodiscard]] bool empty() const { return line_.empty(); }
  /// No more should be published for now.
  [[nodiscard]] bool is_full() const {
    return line_.size() >= items_max || bytes_ >= bytes_max;
  }

private:
  static constexpr std::size_t items_max = 1024;
  static constexpr std::size_t bytes_max = std::size_t{8} << 20U;

  struct item {
    core::publication what;
    queue_terms how;
    std::size_t bytes = 0;
    told_function told;
    bool ready = false;
    bool goes = true; ///< to who listens
    reason_code outcome = reason_code::success;
  };

  void keep(const std::shared_ptr<item>& one);
  void on_kept(item& one, core::result<std::uint64_t> outcome);
  void drain();
  void pass_on(item& one);

  topic_space& topics_;
  key_space* keys_;
  mqtt_stats& stats_;
  std::deque<std::shared_ptr<item>> line_;
  std::size_t bytes_ = 0;
};

} // namespace troupe::net::mqtt
