// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/messages.hpp"
#include "actors/operator_actor.hpp"
#include "core/route_table.hpp"
#include "schema/stored_directory.hpp"
#include "schema/stored_inboxes.hpp"
#include "tests/support/deterministic_system.hpp"
#include "tests/support/instant_log.hpp"
#include "tests/support/memory_state_space.hpp"
#include "tests/support/test_client.hpp"

#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::test_support {

/// A whole broker but sockets and disks, on the test's thread, in virtual
/// time: the directory, some shards, their tables and one log in memory.
class broker_fixture : public testing::Test {
protected:
  broker_fixture();
  ~broker_fixture() override;

  /// Options for the next start.
  struct settings {
    std::uint16_t shards = 3;
    core::milliseconds passivate_after{15'000};
    core::milliseconds request_timeout{10'000};
    std::size_t session_requests_max = 4096;
    core::inbox_policy inbox;
    std::size_t queueing_max = 16'384;
    std::size_t queueing_bytes_max = std::size_t{64} << 20U;
  };
  /// Starts the actors over what tables and log hold, and runs.
  void start(const settings& with);
  void start() { start(settings{}); }
  /// Retires all groups, runs, and ends what is left.
  void stop();
  /// Ends everything at once; what was not flushed is lost.
  void crash();

  /// Runs until all is quiet and the log has nothing to flush.
  void settle();
  /// Runs without a flush.
  void run() { system_.run(); }
  /// Lets time pass in steps of 10 ms, with a flush after each.
  void advance(core::milliseconds by);

  test_client& connect();
  /// Closes the session as its connection would.
  void close(test_client& client);
  /// Registers over a session of its own. Fails the test if it is refused.
  void add_user(const std::string& uid, const std::string& device = "phone",
                std::vector<std::string> aliases = {});
  void add_device(const std::string& uid, const std::string& device,
                  const std::string& previous);
  /// A new session, logged in. Fails the test if it is refused.
  test_client& login(const std::string& uid,
                     const std::string& device = "phone",
                     std::uint32_t window = 1,
                     std::optional<std::uint64_t> resume_from = {});
  /// Posts and runs; fails the test unless it is accepted without failures.
  core::posted post(test_client& from, std::vector<core::recipient> to,
                    const std::string& text);
  /// The same without a run, a flush or a check.
  static core::request_number ask_post(test_client& from,
                                       std::vector<core::recipient> to,
                                       const std::string& text);
  static core::recipient all_of(const std::string& uid) {
    return {uid, core::recipient_kind::all_devices};
  }
  static core::recipient one_of(const std::string& uid) {
    return {uid, core::recipient_kind::one_device};
  }

  /// Runs an operator's order, and all.
  void order(std::function<void(actors::operator_state&)> work);
  core::error remove_user(const std::string& uid);

  [[nodiscard]] actors::broker_context& context() { return *contexts_.back(); }
  [[nodiscard]] core::owner inbox_of(const std::string& uid) const {
    return {"default", core::owner_kind::user, uid};
  }
  [[nodiscard]] core::group_id group_of(const std::string& uid) {
    return context().group_of(inbox_of(uid));
  }
  [[nodiscard]] test::memory_state_space& space(core::group_id group) {
    return *spaces_.at(group.value());
  }
  [[nodiscard]] std::optional<core::inbox_head> head(const std::string& uid) {
    return schema::stored_inboxes{space(group_of(uid))}.head(inbox_of(uid));
  }
  /// Live actors of a kind ("inbox").
  [[nodiscard]] std::size_t actors_of(std::string_view kind);
  /// "" if there is none.
  std::string inspect_inbox(const std::string& uid);

  // Destroyed last: actors may look at these until the system is gone.
  std::vector<std::unique_ptr<test::memory_state_space>> spaces_;
  std::unique_ptr<schema::stored_directory> tables_;
  core::route_table routes_;
  std::unique_ptr<core::directory> directory_;
  instant_log log_;
  std::vector<std::unique_ptr<actors::broker_context>> contexts_;
  std::vector<core::group_id> retired_;
  std::vector<std::unique_ptr<test_client>> clients_;
  deterministic_system system_;

private:
  void kill_all();
  void forget_handles();
  actors::operator_actor operator_;
  std::uint64_t sessions_ = 0;
};

} // namespace troupe::test_support
