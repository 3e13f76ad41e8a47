// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/link_types.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace troupe::actors::links {

/// How many bytes of one link this node has done with, counted wherever the
/// last part of a batch is let go. When enough has come together the peer is
/// told, by `report`, which any thread may call. Shared by the link and by
/// what it delivered.
class credit_account : public std::enable_shared_from_this<credit_account> {
public:
  credit_account(const std::array<std::uint32_t, lanes>& windows,
                 std::function<void()> report)
      : report_(std::move(report)) {
    for (std::size_t i = 0; i < lanes; ++i)
      report_after_[i] = windows[i] / 4;
  }

  /// Counts `bytes` when the last copy of the answer is gone.
  std::shared_ptr<const void> hold(lane l, std::size_t bytes) {
    return std::make_shared<token>(shared_from_this(),
                                   static_cast<std::size_t>(l), bytes);
  }

  /// What to tell the peer now.
  std::array<std::uint64_t, lanes> take_report() noexcept {
    asked_.store(false);
    std::array<std::uint64_t, lanes> all{};
    for (std::size_t i = 0; i < lanes; ++i) {
      all[i] = consumed_[i].load();
      reported_[i].store(all[i]);
    }
    return all;
  }

private:
  struct token {
    token(std::shared_ptr<credit_account> a, std::size_t l, std::size_t b)
        : account(std::move(a)), lane(l), bytes(b) {}
    token(const token&) = delete;
    token& operator=(const token&) = delete;
    ~token() { account->add(lane, bytes); }
    const std::shared_ptr<credit_account> account;
    const std::size_t lane;
    const std::size_t bytes;
  };

  void add(std::size_t lane, std::size_t bytes) {
    const auto total = consumed_[lane].fetch_add(bytes) + bytes;
    if (total - reported_[lane].load() >= report_after_[lane] &&
        !asked_.exchange(true))
      report_();
  }

  const std::function<void()> report_;
  std::array<std::uint64_t, lanes> report_after_{};
  std::array<std::atomic<std::uint64_t>, lanes> consumed_{};
  std::array<std::atomic<std::uint64_t>, lanes> reported_{};
  std::atomic<bool> asked_{false};
};

} // namespace troupe::actors::links
