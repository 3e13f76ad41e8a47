// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/join_words.hpp"
#include "app/cluster_options.hpp"
#include "app/joining.hpp"
#include "core/clock.hpp"
#include "core/directory.hpp"
#include "core/result.hpp"
#include "storage/data_folder.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe::app {

/// How a node came to its cluster.
enum class cluster_role : std::uint8_t { alone, founder, joined, returned };

/// A node's way into its cluster, before it has an actor system: gives a new
/// data folder its identity, and has that of an old one confirmed. Used once,
/// by the broker while it opens; may block for as long as joining takes.
class cluster_entry {
public:
  struct surroundings {
    const std::optional<cluster_options>& options; ///< nothing: alone
    const core::clock& clock;
    const log_line& log;
    const pause_function& pause;
  };

  /// All of it outlives the entry.
  explicit cluster_entry(surroundings around) : around_(around) {}

  /// Makes sure that the folder has an identity: joins a cluster or founds
  /// one. `has_log`: the folder's log was begun. Errors: those of
  /// join_cluster() and of the folder; corrupt if it was emptied.
  core::result<void> enter(storage::data_folder& folder, bool has_log,
                           std::uint16_t shards);
  /// Asks the cluster whether it still knows the node, if anybody answers.
  /// `directory` is what the node has of it. Errors: not_permitted,
  /// invalid_config (a member that is to start alone).
  core::result<void> confirm(const storage::data_folder& folder,
                             const core::directory& directory);

  // After both:
  [[nodiscard]] cluster_role role() const { return role_; }
  [[nodiscard]] const std::string& token() const { return token_; }
  /// Above that of every start before.
  [[nodiscard]] std::uint64_t incarnation() const { return incarnation_; }
  /// Whom to talk to until the directory has arrived.
  [[nodiscard]] const std::vector<actors::known_peer>& introduced() const {
    return introduced_;
  }

private:
  core::result<storage::folder_identity> join();
  core::result<void> ask_until_confirmed(const returning_node& node);
  [[nodiscard]] std::uint64_t now() const;

  surroundings around_;
  cluster_role role_ = cluster_role::alone;
  std::string token_;
  bool has_log_ = false;
  std::uint64_t incarnation_ = 0;
  std::vector<actors::known_peer> introduced_;
};

} // namespace troupe::app
