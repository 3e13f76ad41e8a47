// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/link_network.hpp"
#include "actors/links/node_links.hpp"
#include "actors/runtime/runtime_config.hpp"
#include "actors/runtime/scheduler.hpp"

#include <caf/actor_system.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::test_support {

/// Waits until `condition` holds, looking again and again; false after
/// `patience`.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds patience = std::chrono::seconds{20});

/// An actor system with links of its own, as a process would have them, and
/// all that it has seen.
class link_node {
public:
  struct settings {
    std::uint32_t id = 1;
    std::size_t loops = 2;
    actors::links::link_tls tls{};
    std::uint16_t port = 0;
    std::string secret = "a secret of the tests";
    std::byte cluster{7};
    /// Before the links are opened.
    std::function<void(actors::links::link_options&)> adjust{};
    /// Before they start; what is registered here goes before the recorder.
    std::function<void(actors::links::node_links&)> prepare{};
    /// The same for who needs loops.
    std::function<void(caf::actor_system&, actors::links::node_links&)>
        prepare_with_system{};
    /// Kinds that are recorded.
    std::vector<actors::links::kind> kinds{actors::links::kind::raft,
                                           actors::links::kind::raft_entries,
                                           actors::links::kind::publish};
  };

  explicit link_node(settings with);
  ~link_node();

  [[nodiscard]] actors::links::node_links& links() { return *links_; }
  [[nodiscard]] caf::actor_system& system() { return *system_; }
  [[nodiscard]] actors::runtime::scheduler& loops();
  [[nodiscard]] core::node_id id() const { return core::node_id{with_.id}; }
  [[nodiscard]] std::string address() const;

  /// Tells both of each other.
  void meet(link_node& other);
  /// Runs `work` on a loop and waits for it.
  void on_loop(std::size_t index, const std::function<void()>& work);
  /// From loop 0, one turn each.
  core::result<void> send(link_node& to, actors::links::kind k,
                          std::uint64_t key, const std::string& text);

  [[nodiscard]] bool linked_to(const link_node& other) const;
  [[nodiscard]] bool wait_for_link(const link_node& other) const;
  /// Of the one peer. REQUIRES: it is known.
  [[nodiscard]] actors::links::peer_info peer(const link_node& other) const;

  [[nodiscard]] std::vector<actors::links::received> messages() const;
  [[nodiscard]] std::size_t message_count() const;
  void forget_messages();
  [[nodiscard]] std::vector<actors::links::peer_event> events() const;
  [[nodiscard]] bool logged(const std::string& part) const;
  [[nodiscard]] std::string log_text() const;

  /// Ends it without a word to anybody, as a kill would: the sockets close.
  void stop();

private:
  settings with_;
  std::unique_ptr<actors::runtime::runtime_config> config_;
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<actors::links::node_links> links_;
  mutable std::mutex mutex_; // guards all below
  std::vector<actors::links::received> messages_;
  std::vector<actors::links::peer_event> events_;
  std::vector<std::string> log_;
};

} // namespace troupe::test_support
