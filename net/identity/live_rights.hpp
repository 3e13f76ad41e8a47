// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/authorizer.hpp"

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>

namespace troupe::actors::runtime {
class loop;
}

namespace troupe::net::identity {

/// Tells live sessions of doors when something about rights has changed, so
/// that none needs a timer of its own: a loop looks twice a second as long as
/// somebody on it wants to know. One a node; outlives the network. What ends by
/// itself (principal::expires) is the session's own business.
class live_rights {
  struct place;

public:
  /// A session that wants to know.
  class watcher {
  public:
    /// On the loop on which it began to watch, outside of a call to its
    /// protocol. May end its hold, and die.
    virtual void on_rights_changed() = 0;

  protected:
    ~watcher() = default;
  };

  /// Its end ends the watch. Dies before the watcher, on its loop.
  class hold {
  public:
    hold() = default;
    hold(hold&& other) noexcept;
    hold& operator=(hold&& other) noexcept;
    ~hold() { end(); }

  private:
    friend class live_rights;
    hold(std::shared_ptr<place> where, std::list<watcher*>::iterator at)
        : where_(std::move(where)), at_(at) {}
    void end() noexcept;

    std::shared_ptr<place> where_;
    std::list<watcher*>::iterator at_{};
  };

  /// `judge` must live longer.
  explicit live_rights(const core::authorizer& judge) : judge_(judge) {}

  /// On the thread of a loop. Told from then on: who was judged before should
  /// be judged again after this call.
  [[nodiscard]] hold watch(watcher& who);

private:
  static void look(const std::shared_ptr<place>& here);
  static void tell_some(const std::shared_ptr<place>& here);

  const core::authorizer& judge_;
  std::mutex mutex_;
  std::map<actors::runtime::loop*, std::shared_ptr<place>> places_;
};

} // namespace troupe::net::identity
