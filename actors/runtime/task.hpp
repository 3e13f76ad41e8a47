// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace troupe::actors::runtime {

/// A piece of work for a loop: a move-only std::function<void()>. Whoever
/// holds it may destroy it unrun, on any thread; what it captured must allow
/// that.
class task {
public:
  task() noexcept = default;

  template <class Function>
  requires(!std::is_same_v<std::decay_t<Function>, task> &&
           std::is_invocable_v<std::decay_t<Function>&>)
      task(Function&& function)
      : work_(std::make_unique<bound<std::decay_t<Function>>>(
            std::forward<Function>(function))) {}

  explicit operator bool() const noexcept { return work_ != nullptr; }

  /// REQUIRES: holds work.
  void operator()() { work_->run(); }

private:
  struct unbound {
    virtual ~unbound() = default;
    virtual void run() = 0;
  };
  template <class Function>
  struct bound final : unbound {
    template <class From>
    explicit bound(From&& from) : function(std::forward<From>(from)) {}
    void run() override { function(); }
    Function function;
  };

  std::unique_ptr<unbound> work_;
};

} // namespace troupe::actors::runtime
