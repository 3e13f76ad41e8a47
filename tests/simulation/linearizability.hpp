// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

/// Is there an order of the operations, each between its call and its return,
/// in which one copy of the object would have given the same answers? (Herlihy
/// and Wing's linearizability, decided by Wing and Gong's search with Lowe's
/// memory of what was tried.) Exponential at worst, so it has a budget;
/// objects are checked one by one, which is as good (the property is local).
namespace troupe::cluster::simulation {

/// One call of a client. Times are those of one clock that all clients share;
/// only their order counts.
template <class Input, class Output>
struct operation {
  static constexpr std::uint64_t never =
      std::numeric_limits<std::uint64_t>::max();

  Input input;
  /// Nothing: the client does not know whether it happened. It may have, at
  /// any time after the call, or not at all.
  std::optional<Output> output;
  std::uint64_t called = 0;
  std::uint64_t returned = never;
};

enum class verdict : std::uint8_t {
  linearizable,
  not_linearizable,
  undecided, ///< the budget is used up
};

struct decision {
  simulation::verdict verdict = simulation::verdict::linearizable;
  std::uint64_t steps = 0;
  /// If not: the most operations that could be put in order, and the operation
  /// (its place in the history) that returned before it could happen.
  std::size_t placed = 0;
  std::size_t stuck = 0;
};

/// Steps of the search after which it gives up; about a second.
inline constexpr std::uint64_t linearizability_budget = 5'000'000;

/// `Model` says what the object does:
///   struct Model {
///     using state = …;   // a value with == and a default: the object's start
///     using input = …; using output = …;
///     /// Changes the state as `in` does and says what it answers.
///     static output apply(state&, const input& in);
///     /// Whether a client that saw `seen` can have got `given`.
///     static bool agrees(const output& given, const output& seen);
///     static std::uint64_t hash(const state&);
///   };
template <class Model>
class linearizability_check {
public:
  using call = operation<typename Model::input, typename Model::output>;
  using state = typename Model::state;

  explicit linearizability_check(const std::vector<call>& history,
                                 std::uint64_t budget = linearizability_budget)
      : history_(history), budget_(budget),
        done_((history.size() + 63) / 64, 0) {
    link();
  }

  decision run() {
    decision result;
    std::size_t at = events_[0].next;
    while (open_ > 0) {
      if (++result.steps > budget_) {
        result.verdict = verdict::undecided;
        return result;
      }
      const auto& e = events_[at];
      if (at != 0 && e.is_call) {
        at = try_next(e.op) ? events_[0].next : e.next;
        continue;
      }
      // Something returns that could not happen before: undo the last choice.
      if (tried_.size() >= result.placed) {
        result.placed = tried_.size();
        result.stuck = e.op;
      }
      if (tried_.empty()) {
        result.verdict = verdict::not_linearizable;
        return result;
      }
      at = undo();
    }
    return result;
  }

private:
  /// Calls and returns in the order of time, in a list from which those of an
  /// operation that was given its place are taken out. 0 is the head.
  struct event {
    std::size_t op = 0;
    bool is_call = false;
    std::size_t previous = 0;
    std::size_t next = 0;
  };
  struct choice {
    std::size_t op;
    state before;
  };
  struct seen {
    std::vector<std::uint64_t> done;
    state after;
  };

  void link() {
    struct moment {
      std::uint64_t time;
      bool is_return;
      std::size_t op;
    };
    std::vector<moment> moments;
    for (std::size_t i = 0; i < history_.size(); ++i) {
      moments.push_back({history_[i].called, false, i});
      if (history_[i].output) {
        moments.push_back({history_[i].returned, true, i});
        ++open_;
      }
    }
    // What returns when another is called may still be behind it.
    std::stable_sort(moments.begin(), moments.end(),
                     [](const moment& a, const moment& b) {
                       return std::pair{a.time, a.is_return} <
                              std::pair{b.time, b.is_return};
                     });
    events_.resize(moments.size() + 1);
    call_.resize(history_.size());
    return_.resize(history_.size());
    for (std::size_t i = 0; i < moments.size(); ++i) {
      auto& e = events_[i + 1];
      e.op = moments[i].op;
      e.is_call = !moments[i].is_return;
      e.previous = i;
      e.next = (i + 2) % events_.size();
      (e.is_call ? call_ : return_)[e.op] = i + 1;
    }
    events_[0].next = events_.size() > 1 ? 1 : 0;
    events_[0].previous = events_.size() - 1;
  }

  /// Lets the operation happen now, if it can and if that is something new.
  bool try_next(std::size_t op) {
    const auto& o = history_[op];
    auto after = state_;
    const auto given = Model::apply(after, o.input);
    if (o.output && !Model::agrees(given, *o.output))
      return false;
    done_[op / 64] |= std::uint64_t{1} << (op % 64);
    if (!remember(after)) {
      done_[op / 64] &= ~(std::uint64_t{1} << (op % 64));
      return false;
    }
    tried_.push_back({op, std::exchange(state_, std::move(after))});
    unlink(call_[op]);
    if (o.output) {
      unlink(return_[op]);
      --open_;
    }
    return true;
  }

  std::size_t undo() {
    auto last = std::move(tried_.back());
    tried_.pop_back();
    state_ = std::move(last.before);
    done_[last.op / 64] &= ~(std::uint64_t{1} << (last.op % 64));
    if (history_[last.op].output) {
      relink(return_[last.op]);
      ++open_;
    }
    relink(call_[last.op]);
    return events_[call_[last.op]].next;
  }

  bool remember(const state& after) {
    auto hash = Model::hash(after);
    for (const auto word : done_)
      hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL + (hash >> 29);
    auto& all = seen_[hash];
    for (const auto& s : all)
      if (s.done == done_ && s.after == after)
        return false;
    all.push_back({done_, after});
    return true;
  }

  void unlink(std::size_t at) {
    events_[events_[at].previous].next = events_[at].next;
    events_[events_[at].next].previous = events_[at].previous;
  }
  void relink(std::size_t at) {
    events_[events_[at].previous].next = at;
    events_[events_[at].next].previous = at;
  }

  const std::vector<call>& history_;
  const std::uint64_t budget_;
  std::vector<event> events_;
  std::vector<std::size_t> call_;
  std::vector<std::size_t> return_;
  std::size_t open_ = 0; // returned operations that have no place yet
  std::vector<std::uint64_t> done_;
  state state_{};
  std::vector<choice> tried_;
  std::unordered_map<std::uint64_t, std::vector<seen>> seen_;
};

template <class Model>
[[nodiscard]] decision check_linearizability(
    const std::vector<operation<typename Model::input, typename Model::output>>&
        history,
    std::uint64_t budget = linearizability_budget) {
  return linearizability_check<Model>{history, budget}.run();
}

/// Histories of many objects of one kind, kept apart by name.
template <class Model>
class histories {
public:
  using op = operation<typename Model::input, typename Model::output>;

  void add(const std::string& object, op o) {
    all_[object].push_back(std::move(o));
  }
  [[nodiscard]] std::size_t size() const {
    std::size_t n = 0;
    for (const auto& [name, history] : all_)
      n += history.size();
    return n;
  }
  /// Sees the decision on each.
  template <class Visit>
  void check(Visit&& visit,
             std::uint64_t budget = linearizability_budget) const {
    for (const auto& [name, history] : all_)
      visit(name, history, check_linearizability<Model>(history, budget));
  }

private:
  std::map<std::string, std::vector<op>> all_;
};

} // namespace troupe::cluster::simulation
