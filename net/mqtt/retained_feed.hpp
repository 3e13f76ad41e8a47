// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/publication.hpp"
#include "core/topic.hpp"
#include "core/topic_filter.hpp"
#include "net/key_space.hpp"
#include "net/mqtt/options.hpp"
#include "net/mqtt/retained_memory.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace troupe::net::mqtt {

/// What a feed needs of its session. Answers come by the feed's on_...(), later
/// and in any order, with the number of the question; or never.
class retained_outlet {
public:
  virtual void settle(std::uint64_t number) = 0;
  virtual void read(key_query what, std::uint64_t number) = 0;
  /// The client would take one more now.
  [[nodiscard]] virtual bool has_room() const = 0;
  /// False: there is no such subscription any more. May end the feed.
  virtual bool give(const core::topic_filter& of,
                    const core::publication_ptr& what) = 0;

protected:
  ~retained_outlet() = default;
};

/// The retained messages on their way to one client, for its subscriptions in
/// turn, a page at a time: the next one is read when the client has taken the
/// one before. Pure; owned by a session.
///
/// A subscription listens already when its retained messages are read, and they
/// are read when all nodes know that it does. So each value of a key is heard
/// or read. A retained message that comes behind a newer one is not given; an
/// older publication that comes behind a newer retained message is, and the
/// newer one is then given again.
class retained_feed {
public:
  /// How long publications are watched behind the last retained message: as
  /// long as one may be on its way between nodes.
  static constexpr core::milliseconds linger{3'000};
  static constexpr std::size_t topics_known_max = 4'096;
  /// Values that are given again, waiting for their turn.
  static constexpr std::size_t repairs_max = 64;
  /// A page that was overtaken by more than is remembered is read again, so
  /// often.
  static constexpr unsigned rereads_max = 3;

  /// Both outlive it.
  retained_feed(retained_outlet& outlet, mqtt_stats& stats, std::string realm)
      : outlet_(outlet), stats_(stats), realm_(std::move(realm)) {}
  retained_feed(const retained_feed&) = delete;
  retained_feed& operator=(const retained_feed&) = delete;

  /// All that `heard` matches, for the subscription of the filter `of`; from
  /// the beginning, if that was under way.
  void begin(const core::topic_filter& heard, const core::topic_filter& of);

  void on_settled(std::uint64_t number, bool all);
  void on_page(std::uint64_t number, kept_page page, core::steady_time now);
  /// The client has been given a publication with a revision.
  void on_live(const core::topic& topic, std::uint64_t revision);
  /// It may have room again.
  void pump(core::steady_time now);
  void on_tick(core::steady_time now);
  [[nodiscard]] std::optional<core::steady_time> deadline() const {
    return forget_at_;
  }
  /// Nothing is given any more.
  void stop();

  [[nodiscard]] bool busy() const { return !scans_.empty(); }
  /// Nothing is to be done, and nothing remembered.
  [[nodiscard]] bool idle() const { return scans_.empty() && memory_.empty(); }

private:
  enum class step : std::uint8_t { waits, settles, reads, gives };
  struct scan {
    core::topic_filter heard;
    retained_memory::subscription_filter of;
    bool repairs = false; ///< one value only
    step at = step::waits;
    std::uint64_t number = 0; ///< of the question under way
    retained_memory::moment begun = 0;
    retained_memory::moment asked = 0;
    key_place from{}; ///< where the page begins
    kept_page page{};
    std::size_t next = 0; ///< of it
    unsigned rereads = 0;
    bool incomplete = false;
  };

  void start_first();
  void read(scan& one);
  void end_first(core::steady_time now);
  /// False: the page is to be read again.
  bool give_next(scan& one);
  [[nodiscard]] bool reads_again(scan& one);

  retained_outlet& outlet_;
  mqtt_stats& stats_;
  const std::string realm_;
  std::deque<scan> scans_; ///< the first is under way
  retained_memory memory_{topics_known_max};
  std::optional<core::steady_time> forget_at_;
  std::uint64_t last_number_ = 0;
  std::size_t repairs_ = 0;
  bool stopped_ = false;
  bool pumping_ = false;
};

} // namespace troupe::net::mqtt
