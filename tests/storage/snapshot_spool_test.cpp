// SPDX-License-Identifier: Apache-2.0
#include "core/state_space.hpp"
#include "storage/snapshot_spool.hpp"
#include "storage/state_store.hpp"
#include "storage/task_thread.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe::storage {
namespace {

using core::errc;
using core::group_id;
using core::log_index;
using core::shared_bytes;
using pairs = std::vector<std::pair<std::string, std::string>>;

class SnapshotSpool : public testing::Test {
protected:
  SnapshotSpool() { reopen(); }

  void reopen() {
    spool_.reset();
    auto opened =
        snapshot_spool::open(posix_file_system(), folder_.path() / "spool");
    ASSERT_TRUE(opened) << to_string(opened.error());
    spool_ = std::move(*opened);
  }
  std::filesystem::path file(spool_id id) const {
    return folder_.path() / "spool" / (std::to_string(id) + ".spool");
  }
  spool_summary write(spool_id id, const pairs& rows, std::uint64_t applied) {
    const auto done = spool_->write(
        id, group_id{3}, [&](const snapshot_spool::row_visitor& visit) {
          for (const auto& [key, value] : rows)
            visit({key, core::as_bytes(value)});
          return core::result<log_index>{log_index{applied}};
        });
    EXPECT_TRUE(done);
    return *done;
  }
  pairs read_rows(spool_id id, core::result<log_index>& applied) {
    pairs found;
    auto rows = spool_->rows(id);
    EXPECT_TRUE(rows);
    if (auto begun = rows->begin(group_id{3}); !begun) {
      applied = begun.error();
      return found;
    }
    snapshot_spool::row each;
    while (rows->next(each))
      found.emplace_back(each.first, core::as_text(each.second));
    applied = rows->applied();
    return found;
  }
  static pairs sample() {
    return {{"a", "1"},
            {"", ""},
            {std::string(480, 'k'), std::string(3'000'000, 'v')},
            {std::string{"z\0\xFF", 3}, std::string(1'048'570, 'w')}};
  }

  test::temporary_folder folder_;
  std::unique_ptr<snapshot_spool> spool_;
};

TEST_F(SnapshotSpool, RowsComeBackAsTheyWere) {
  const auto summary = write(1, sample(), 77);
  EXPECT_EQ(summary.applied, log_index{77});
  EXPECT_EQ(summary.bytes, std::filesystem::file_size(file(1)));
  EXPECT_TRUE(spool_->check(1, summary));
  core::result<log_index> applied{errc::ok};
  EXPECT_EQ(read_rows(1, applied), sample());
  EXPECT_EQ(*applied, log_index{77});
}

TEST_F(SnapshotSpool, AnEmptyGroupIsASnapshotToo) {
  const auto summary = write(1, {}, 5);
  EXPECT_TRUE(spool_->check(1, summary));
  core::result<log_index> applied{errc::ok};
  EXPECT_TRUE(read_rows(1, applied).empty());
  EXPECT_EQ(*applied, log_index{5});
}

TEST_F(SnapshotSpool, TravelsInChunks) {
  const auto summary = write(1, sample(), 77);
  for (std::uint64_t at = 0; at < summary.bytes;) {
    const auto chunk = spool_->read(1, at, 100'000);
    ASSERT_TRUE(chunk);
    ASSERT_TRUE(spool_->append(2, at, chunk->view()));
    at += chunk->size();
  }
  EXPECT_TRUE(spool_->check(2, summary));
  core::result<log_index> applied{errc::ok};
  EXPECT_EQ(read_rows(2, applied), sample());
}

TEST_F(SnapshotSpool, WhatIsNotWhatWasAnnouncedIsRefused) {
  const auto summary = write(1, sample(), 77);
  auto other = summary;
  ++other.checksum;
  EXPECT_EQ(spool_->check(1, other).error().code, errc::corrupt);
  other = summary;
  ++other.bytes;
  EXPECT_EQ(spool_->check(1, other).error().code, errc::corrupt);
  ASSERT_TRUE(spool_->append(1, summary.bytes, core::as_bytes("x")));
  EXPECT_EQ(spool_->check(1, summary).error().code, errc::corrupt);
}

TEST_F(SnapshotSpool, DamageNeverPassesForRows) {
  const auto summary = write(1, {{"a", "1"}, {"bb", "22"}, {"c", ""}}, 9);
  const std::string bytes{spool_->read(1, 0, summary.bytes)->text()};
  std::mt19937_64 random{1};
  for (spool_id id = 10; id < 2000; ++id) {
    auto spoiled = bytes;
    if (random() % 2 == 0)
      spoiled.resize(random() % spoiled.size());
    else
      for (int i = 0; i < 3; ++i)
        spoiled[random() % spoiled.size()] = static_cast<char>(random());
    ASSERT_TRUE(spool_->append(id, 0, core::as_bytes(spoiled)));
    if (spoiled != bytes) {
      EXPECT_FALSE(spool_->check(id, summary));
    }
    core::result<log_index> applied{errc::ok};
    const auto rows = read_rows(id, applied); // whatever it is, no crash
    EXPECT_LE(rows.size(), bytes.size());
    spool_->remove(id);
  }
}

TEST_F(SnapshotSpool, WhatAnEarlierLifeLeftIsRemoved) {
  write(1, sample(), 1);
  ASSERT_TRUE(std::filesystem::exists(file(1)));
  reopen();
  EXPECT_FALSE(std::filesystem::exists(file(1)));
  EXPECT_FALSE(spool_->read(1, 0, 10));
  spool_->remove(1);
}

TEST_F(SnapshotSpool, CarriesAGroupFromStoreToStore) {
  const auto open = [&](const char* name) {
    state_options options;
    options.folder = folder_.path() / name;
    options.groups = 4;
    options.map_bytes = std::size_t{1} << 30;
    options.reserve_bytes = 0;
    return std::move(*state_store::open(std::move(options)));
  };
  const auto from = open("from");
  const auto to = open("to");
  auto& source = from->space(group_id{3});
  for (int i = 0; i < 5000; ++i)
    source.put("key" + std::to_string(i),
               shared_bytes::copy_of(std::string(300, 'x')));
  source.checkpoint(log_index{42});
  to->space(group_id{3}).put("old", shared_bytes::copy_of("gone"));
  to->space(group_id{3}).checkpoint(log_index{3});

  const auto summary = spool_->write(1, group_id{3}, [&](const auto& visit) {
    return from->export_group(group_id{3}, visit);
  });
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->applied, log_index{42});
  auto rows = spool_->rows(1);
  ASSERT_TRUE(rows && rows->begin(group_id{3}));
  ASSERT_TRUE(to->import_group(group_id{3}, summary->applied,
                               [&](auto& each) { return rows->next(each); }));
  EXPECT_EQ(*rows->applied(), log_index{42});
  const auto all = [](const core::state_space& space) {
    pairs found;
    space.scan({}, {}, [&](std::string_view key, const auto& value) {
      found.emplace_back(key, value.text());
      return true;
    });
    return found;
  };
  EXPECT_EQ(all(to->space(group_id{3})), all(source));
  EXPECT_EQ(to->durable_applied(group_id{3}), log_index{42});
}

TEST(TaskThread, RunsInOrderAndRefusesTooMany) {
  std::promise<void> go;
  std::vector<int> order;
  std::promise<void> done;
  task_thread thread{"troupe-test", 2};
  auto gate = go.get_future().share();
  std::promise<void> begun;
  ASSERT_TRUE(thread.submit([&] {
    begun.set_value();
    gate.wait();
    order.push_back(1);
  }));
  begun.get_future().wait();
  ASSERT_TRUE(thread.submit([&] { order.push_back(2); }));
  ASSERT_TRUE(thread.submit([&] {
    order.push_back(3);
    done.set_value();
  }));
  EXPECT_FALSE(thread.submit([] {}));
  go.set_value();
  done.get_future().wait();
  thread.stop();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  EXPECT_FALSE(thread.submit([] {}));
}

} // namespace
} // namespace troupe::storage
