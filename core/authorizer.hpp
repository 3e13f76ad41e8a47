// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"
#include "core/grant_set.hpp"
#include "core/keyed_rates.hpp"
#include "core/principal.hpp"
#include "core/rights_store.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::core {

/// What of the rights every message needs to know without a look into tables.
/// Written by whoever applies the directory's commands, read by any thread.
class rights_board {
public:
  /// Something about rights has changed, or all of it: call after the tables
  /// show it.
  void changed(const rights_totals& totals) noexcept {
    blocks_.store(totals.blocks > 0, std::memory_order_relaxed);
    bans_.store(totals.bans > 0, std::memory_order_relaxed);
    epoch_.fetch_add(1, std::memory_order_release);
  }
  [[nodiscard]] std::uint64_t epoch() const noexcept {
    return epoch_.load(std::memory_order_acquire);
  }
  [[nodiscard]] bool any_blocks() const noexcept {
    return blocks_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool any_bans() const noexcept {
    return bans_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<std::uint64_t> epoch_{1};
  std::atomic<bool> blocks_{false};
  std::atomic<bool> bans_{false};
};

/// Who may come without credentials.
enum class anonymous_policy : std::uint8_t {
  loopback, ///< those on this machine
  allow,
  deny,
};

struct authorizer_options {
  anonymous_policy anonymous = anonymous_policy::loopback;
  /// What everybody may, but those whose credentials say what they may.
  std::vector<grant> everybody;
  /// Messages that one user, and all from one address, may send.
  keyed_rates::options messages_of_user{};
  keyed_rates::options messages_from_address{};
};

/// How often something was permitted or refused; relaxed.
struct rights_stats {
  std::array<std::atomic<std::uint64_t>, deny_reasons_all.size() + 1>
      logins{}; ///< by reason, none: let in
  std::array<std::atomic<std::uint64_t>, deny_reasons_all.size() + 1>
      checks_denied{};
  std::array<std::atomic<std::uint64_t>, deny_reasons_all.size() + 1>
      sessions_ended{};
  std::atomic<std::uint64_t> messages_blocked{0}; ///< copies that went nowhere
  std::atomic<std::uint64_t> compilations{0};     ///< grants made ready

  template <class Counters>
  static void count(Counters& counters, deny_reason why) noexcept {
    counters[static_cast<std::size_t>(why)].fetch_add(
        1, std::memory_order_relaxed);
  }
};

/// The grants of one principal, made ready; those of roles are shared.
struct effective_grants {
  std::vector<std::shared_ptr<const grant_set>> sets;

  /// The filter that permits it, null if none does.
  template <class Topics>
  [[nodiscard]] const std::string* find(right what,
                                        const Topics& topics) const {
    for (const auto& set : sets)
      if (const auto* found = set->find(what, topics))
        return found;
    return nullptr;
  }
};

/// Where a grant comes from.
struct grant_source {
  std::string from; ///< "everybody", "role NAME", "account", "credentials"
  grant what;
};

/// Judges principals by the tables of the directory. One a node; thread-safe.
class authorizer {
public:
  /// All must live longer; `store` is read on any thread.
  authorizer(const rights_store& store, const rights_board& board,
             const clock& time, authorizer_options options);

  /// Whether he may be here at all, as of now. Reads up to three records.
  [[nodiscard]] deny_reason standing(const principal& who) const;
  /// Whether `uid` wants nothing from `sender`. Free while nobody has blocked
  /// anybody.
  [[nodiscard]] bool is_blocked(std::string_view realm, std::string_view uid,
                                std::string_view sender) const;
  /// Whether he may send one more message now; counts it. Free without limits.
  [[nodiscard]] deny_reason allow_message(const principal& who) const;
  /// What allow_message() would say; counts nothing.
  struct message_room {
    deny_reason why = deny_reason::none;
    std::optional<double> of_user{}; ///< left; nothing: there is no limit
    std::optional<double> of_address{};
  };
  [[nodiscard]] message_room message_room_of(const principal& who) const;
  [[nodiscard]] std::uint64_t epoch() const noexcept { return board_.epoch(); }
  [[nodiscard]] timestamp now() const { return clock_.wall(); }

  [[nodiscard]] effective_grants compile(const principal& who) const;
  /// What compile() puts together, one by one and as it was granted, in its
  /// order; for people.
  [[nodiscard]] std::vector<grant_source> sources(const principal& who) const;
  /// The ban that keeps him out, if one does.
  struct ban_found {
    std::string name; ///< his, or his address
    ban_record record;
  };
  [[nodiscard]] std::optional<ban_found> ban_of(const principal& who) const;

  [[nodiscard]] rights_stats& stats() const noexcept { return stats_; }

private:
  struct role_set {
    std::uint64_t epoch = 0;
    std::vector<grant> grants;
    std::vector<grant> with_placeholders;
    std::shared_ptr<const grant_set> shared; ///< of those without
  };
  [[nodiscard]] role_set role_of(std::string_view realm,
                                 const std::string& name) const;
  [[nodiscard]] bool is_banned(ban_kind kind, std::string_view realm,
                               std::string_view name) const;

  const rights_store& store_;
  const rights_board& board_;
  const clock& clock_;
  const authorizer_options options_;
  std::vector<grant> everybodys_own_; ///< with placeholders
  std::shared_ptr<const grant_set> everybody_;
  mutable rights_stats stats_;
  mutable keyed_rates messages_of_user_;
  mutable keyed_rates messages_from_address_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<std::string, std::string>, role_set> roles_;
};

/// What one live session may do. Looks at the directory again only when
/// something about rights has changed. Used on one thread at a time.
class session_rights {
public:
  /// `judge` must live longer.
  session_rights(const authorizer& judge, principal who)
      : judge_(judge), who_(std::move(who)) {}

  [[nodiscard]] const principal& who() const noexcept { return who_; }
  [[nodiscard]] timestamp now() const { return judge_.now(); }

  /// Whether the session may go on. Ask at least twice a second; nothing but
  /// two comparisons unless something has changed.
  [[nodiscard]] deny_reason standing();

  /// none, or why not. The text of what permits it is for people.
  [[nodiscard]] deny_reason check(right what, const topic& name) {
    return decide(what, name);
  }
  [[nodiscard]] deny_reason check(right what, const topic_filter& wanted) {
    return decide(what, wanted);
  }
  /// What check() would say; counts nothing.
  template <class Topics>
  [[nodiscard]] deny_reason foretell(right what, const Topics& topics) {
    const auto why = standing();
    return why == deny_reason::none && grants_.find(what, topics) == nullptr
               ? deny_reason::not_granted
               : why;
  }
  template <class Topics>
  [[nodiscard]] const std::string* permitted_by(right what,
                                                const Topics& topics) {
    refresh();
    return grants_.find(what, topics);
  }

  /// New credentials for the same session (a token was renewed).
  void renew(principal who) {
    who_ = std::move(who);
    epoch_ = 0;
  }

private:
  void refresh();
  template <class Topics>
  deny_reason decide(right what, const Topics& topics);

  const authorizer& judge_;
  principal who_;
  std::uint64_t epoch_ = 0; ///< of grants_ and standing_; 0: of nothing yet
  effective_grants grants_;
  deny_reason standing_ = deny_reason::none;
};

} // namespace troupe::core
