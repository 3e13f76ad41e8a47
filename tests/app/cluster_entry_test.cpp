// SPDX-License-Identifier: Apache-2.0
#include "app/cluster_entry.hpp"
#include "core/clock.hpp"
#include "storage/file_system.hpp"
#include "tests/support/memory_directory_store.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace troupe::app {
namespace {

using core::errc;
using core::node_id;
using core::node_state;

/// An address at which nobody is.
constexpr const char* nobody = "127.0.0.1:1";

class ClusterEntry : public testing::Test {
protected:
  ClusterEntry()
      : folder_(*storage::data_folder::open(storage::posix_file_system(),
                                            place_.path())) {}

  cluster_options& in_a_cluster() {
    options_.emplace();
    options_->listen = "127.0.0.1:0";
    options_->secret = "a secret of the tests";
    options_->name = "box";
    return *options_;
  }
  void has_identity(std::uint32_t node) {
    storage::folder_identity identity;
    identity.cluster = storage::cluster_id::random();
    identity.node = node_id{node};
    identity.shards = 4;
    ASSERT_TRUE(folder_.initialize(identity));
  }
  void knows(std::uint32_t node, node_state state, std::uint64_t incarnation) {
    core::node_record record;
    record.address = nobody;
    record.state = state;
    record.incarnation = incarnation;
    store_.put_node(node_id{node}, record);
  }
  core::result<void> enter(bool has_log) {
    return entry_.enter(folder_, has_log, 16);
  }
  core::result<void> confirm() { return entry_.confirm(folder_, directory_); }

  test::temporary_folder place_;
  storage::data_folder folder_;
  test::memory_directory_store store_;
  core::directory directory_{store_};
  core::system_clock clock_;
  std::optional<cluster_options> options_;
  std::vector<std::string> lines_;
  log_line log_ = [this](auto, auto, std::string_view text) {
    lines_.emplace_back(text);
  };
  int pauses_ = 0;
  /// The process is told to end in its second pause.
  pause_function pause_ = [this](std::chrono::milliseconds) {
    return ++pauses_ == 2;
  };
  cluster_entry entry_{{options_, clock_, log_, pause_}};
};

TEST_F(ClusterEntry, ANodeAloneNeedsNoToken) {
  ASSERT_TRUE(enter(false));
  ASSERT_TRUE(confirm());
  EXPECT_EQ(folder_.identity()->node, node_id{1});
  EXPECT_EQ(folder_.identity()->shards, 16U);
  EXPECT_EQ(*folder_.token(), "");
  EXPECT_EQ(entry_.role(), cluster_role::alone);
}

TEST_F(ClusterEntry, AFounderIsTheFirstNodeAndHasAToken) {
  in_a_cluster();
  ASSERT_TRUE(enter(false));
  ASSERT_TRUE(confirm());
  EXPECT_EQ(folder_.identity()->node, node_id{1});
  EXPECT_EQ(entry_.token(), *folder_.token());
  EXPECT_FALSE(entry_.token().empty());
  EXPECT_GT(entry_.incarnation(), 0U);
  EXPECT_EQ(entry_.role(), cluster_role::founder);
}

TEST_F(ClusterEntry, ANodeThatRanAloneBecomesAFounder) {
  has_identity(1);
  in_a_cluster();
  ASSERT_TRUE(enter(true));
  ASSERT_TRUE(confirm());
  EXPECT_EQ(entry_.token(), *folder_.token());
  EXPECT_EQ(entry_.role(), cluster_role::founder);
}

TEST_F(ClusterEntry, ANewcomerAsksUntilItIsToldToEnd) {
  in_a_cluster().join = {nobody};
  const auto entered = enter(false);
  ASSERT_FALSE(entered);
  EXPECT_EQ(entered.error().code, errc::shutting_down);
  EXPECT_EQ(pauses_, 2);
  EXPECT_FALSE(folder_.identity());
  // Asked again, it is the same newcomer.
  EXPECT_FALSE(folder_.token()->empty());
  ASSERT_FALSE(lines_.empty());
  EXPECT_EQ(lines_[0].rfind("waiting to join the cluster; 127.0.0.1:1: nobody "
                            "answers there",
                            0),
            0U)
      << lines_[0];
}

TEST_F(ClusterEntry, AnEmptiedFolderIsRefused) {
  has_identity(1);
  in_a_cluster();
  EXPECT_EQ(enter(false).error().code, errc::corrupt);
  ASSERT_TRUE(folder_.make_token());
  EXPECT_EQ(enter(false).error().code, errc::corrupt);
}

TEST_F(ClusterEntry, AMemberIsNotStartedAlone) {
  has_identity(2);
  ASSERT_TRUE(enter(true));
  EXPECT_EQ(confirm().error().code, errc::invalid_config);
}

TEST_F(ClusterEntry, AFounderWithOthersIsNotStartedAlone) {
  has_identity(1);
  ASSERT_TRUE(enter(true));
  knows(1, node_state::member, 5);
  knows(2, node_state::removed, 5);
  EXPECT_TRUE(confirm()) << "the other one is gone";
  knows(2, node_state::draining, 5);
  EXPECT_EQ(confirm().error().code, errc::invalid_config);
}

TEST_F(ClusterEntry, AMemberBeginsIfNobodyAnswers) {
  has_identity(2);
  in_a_cluster();
  ASSERT_TRUE(enter(true));
  constexpr auto future = std::uint64_t{1} << 50U; // the clock was set back
  knows(1, node_state::member, 5);
  knows(2, node_state::member, future);
  ASSERT_TRUE(confirm());
  EXPECT_EQ(entry_.role(), cluster_role::returned);
  EXPECT_EQ(entry_.incarnation(), future + 1);
  EXPECT_EQ(pauses_, 0);
}

TEST_F(ClusterEntry, AMemberWithoutItsLogWaits) {
  has_identity(2);
  in_a_cluster().join = {nobody};
  ASSERT_TRUE(folder_.make_token());
  ASSERT_TRUE(enter(false));
  EXPECT_EQ(confirm().error().code, errc::shutting_down);
  EXPECT_EQ(pauses_, 2);
}

} // namespace
} // namespace troupe::app
