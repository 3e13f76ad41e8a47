// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/log_probe.hpp"
#include "tests/support/recording_file_system.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>

namespace troupe::storage {
namespace {

using core::log_index;
using test::cut_style;
using test::log_probe;
using test::recording_file_system;

/// What a group's log should hold.
struct group_model {
  std::optional<storage::hard_state> hard_state;
  std::optional<core::shared_bytes> snapshot_meta;
  std::map<std::uint64_t, log_entry> entries;
  std::uint64_t released = 0; ///< entries through here may be gone

  void apply(const log_write& write) {
    if (write.hard_state)
      hard_state = write.hard_state;
    if (write.snapshot_meta)
      snapshot_meta = write.snapshot_meta;
    if (write.replace_log)
      entries.clear();
    if (write.truncate_from)
      entries.erase(entries.lower_bound(write.truncate_from->value()),
                    entries.end());
    auto index = write.first.value();
    for (const auto& entry : write.entries)
      entries.insert_or_assign(index++, entry);
  }
};
using model = std::map<std::uint16_t, group_model>;

/// A fixed row of writes of three groups, with votes, truncations, snapshots
/// and releases; small segments, so that every kind of step happens often.
class workload {
public:
  explicit workload(std::uint64_t seed) {
    std::mt19937_64 random{seed};
    model now;
    for (std::uint64_t token = 1; token <= 70; ++token) {
      log_write write = draw(random, now, token);
      auto& group = now[write.group.value()];
      group.apply(write);
      if (const auto through = released_by(write))
        group.released = std::max(group.released, through->value());
      writes_.push_back(std::move(write));
      after_.push_back(now);
    }
  }

  [[nodiscard]] const std::vector<log_write>& writes() const { return writes_; }
  /// The model after the first `count` writes.
  [[nodiscard]] model after(std::size_t count) const {
    return count == 0 ? model{} : after_[count - 1];
  }

  /// Runs until the store fails or the end; writes are submitted in bunches.
  std::vector<std::uint64_t> run(recording_file_system& files) const {
    log_probe log{files};
    if (!log.open())
      return {};
    model done;
    for (const auto& write : writes_) {
      if (waits(write)) {
        if (!log.write(write))
          break;
        if (const auto through = released_by(write))
          log->release(write.group, *through);
      } else if (!log->submit(write)) {
        log->refresh_health();
        if (!log->submit(write))
          break;
      }
    }
    log.close();
    return log.tokens();
  }

private:
  static log_write draw(std::mt19937_64& random, model& now,
                        std::uint64_t token) {
    const auto group = static_cast<std::uint16_t>(random() % 3);
    const auto& entries = now[group].entries;
    const auto next = entries.empty() ? 1 : entries.rbegin()->first + 1;
    auto write =
        test::entries_of(group, next, random() % 4, token,
                         random() % 6 == 0 ? 3000 : random() % 900, token);
    if (random() % 5 == 0)
      write.hard_state = storage::hard_state{
          core::term{token},
          core::node_id{static_cast<std::uint32_t>(random() % 3)}};
    if (random() % 9 == 0)
      write.snapshot_meta =
          core::shared_bytes::copy_of("snapshot " + std::to_string(token));
    if (random() % 8 == 0 && next > 3) {
      write.truncate_from = write.first = log_index{next - 2};
    } else if (random() % 20 == 0) {
      write.replace_log = true;
      write.first = log_index{next + 10};
    }
    return write;
  }

  /// Whether run() goes on only when it is durable.
  static bool waits(const log_write& write) { return write.token % 3 == 0; }
  /// What is released behind it: all but the last entries, as those may still
  /// be truncated.
  static std::optional<log_index> released_by(const log_write& write) {
    if (!waits(write) || write.first.value() <= 3)
      return std::nullopt;
    return log_index{write.first.value() - 3};
  }

  std::vector<log_write> writes_;
  std::vector<model> after_;
};

/// Whether what was recovered is what `expected` says, less released entries
/// at the old end.
bool matches(log_probe& log, const model& expected) {
  for (std::uint16_t id = 0; id < 3; ++id) {
    const auto& found = log.group(id);
    const auto at = expected.find(id);
    const auto wanted = at == expected.end() ? group_model{} : at->second;
    if (found.hard_state != wanted.hard_state ||
        found.snapshot_meta != wanted.snapshot_meta)
      return false;
    if (found.entries.size() > wanted.entries.size())
      return false;
    auto index = found.first.value();
    for (const auto& entry : found.entries) {
      const auto expected_entry = wanted.entries.find(index++);
      if (expected_entry == wanted.entries.end() ||
          expected_entry->second != entry)
        return false;
    }
    if (!wanted.entries.empty()) {
      // Nothing but a released beginning may be missing.
      const auto last = wanted.entries.rbegin()->first;
      if (found.entries.empty() && found.first.value() == 0) {
        // Its last segment went with what was released: it knows no index.
        if (wanted.released < last)
          return false;
      } else if (index != last + 1) {
        return false;
      }
    }
  }
  return true;
}

/// Found and wanted side by side, for the message of a failure.
std::string comparison(log_probe& log, const model& expected) {
  std::string text;
  for (std::uint16_t id = 0; id < 3; ++id) {
    const auto& found = log.group(id);
    const auto at = expected.find(id);
    const auto wanted = at == expected.end() ? group_model{} : at->second;
    text += "\n  group " + std::to_string(id) + ": entries " +
            std::to_string(found.first.value()) + " + " +
            std::to_string(found.entries.size());
    if (wanted.entries.empty())
      text += ", wanted none";
    else
      text += ", wanted " + std::to_string(wanted.entries.begin()->first) +
              " to " + std::to_string(wanted.entries.rbegin()->first);
    for (std::size_t i = 0; i < found.entries.size(); ++i) {
      const auto index = found.first.value() + i;
      const auto match = wanted.entries.find(index);
      if (match == wanted.entries.end() || match->second != found.entries[i])
        text += ", differs at " + std::to_string(index);
    }
    if (found.hard_state != wanted.hard_state)
      text += ", another hard state";
    if (found.snapshot_meta != wanted.snapshot_meta)
      text += ", another snapshot";
  }
  return text;
}

/// How many writes the recovered log reflects, at least `durable`; nothing if
/// it reflects no such number.
std::optional<std::size_t> reflected(log_probe& log, const workload& work,
                                     std::size_t durable) {
  for (auto count = durable; count <= work.writes().size(); ++count)
    if (matches(log, work.after(count)))
      return count;
  return std::nullopt;
}

constexpr cut_style styles[] = {cut_style::keep_nothing, cut_style::keep_all,
                                cut_style::some_pages, cut_style::some_sectors};

TEST(LogCrash, EverythingReportedSurvivesAPowerCutAtAnyOperation) {
  std::mt19937_64 random{20240917};
  const workload work{1};
  recording_file_system whole;
  ASSERT_EQ(work.run(whole).size(), work.writes().size());
  const auto operations = whole.operations();

  for (std::size_t cut = 1; cut <= operations; ++cut) {
    recording_file_system files;
    files.power_off_at(cut);
    const auto durable = work.run(files).size();
    for (const auto style : styles) {
      for (int draw = 0; draw < 4; ++draw) {
        auto after = files.after_power_cut(style, random);
        log_probe log{*after};
        ASSERT_TRUE(log.open())
            << "cut at " << cut << ": " << to_string(log.error());
        ASSERT_TRUE(reflected(log, work, durable))
            << "cut at operation " << cut << " of " << operations << ", style "
            << static_cast<int>(style) << ", " << durable << " durable"
            << comparison(log, work.after(durable));
        if (style == cut_style::keep_nothing || style == cut_style::keep_all)
          break;
      }
    }
  }
}

TEST(LogCrash, PowerCutDuringRecoveryLosesNothingEither) {
  std::mt19937_64 random{77};
  const workload work{2};
  recording_file_system whole;
  (void)work.run(whole);
  const auto operations = whole.operations();

  for (int round = 0; round < 150; ++round) {
    recording_file_system files;
    files.power_off_at(1 + random() % operations);
    const auto durable = work.run(files).size();
    auto after = files.after_power_cut(cut_style::some_sectors, random);
    for (int again = 0; again < 3; ++again) {
      after->power_off_at(1 + random() % 6);
      { const log_probe cut_short{*after}; }
      after = after->after_power_cut(cut_style::some_sectors, random);
    }
    log_probe log{*after};
    ASSERT_TRUE(log.open())
        << "round " << round << ": " << to_string(log.error());
    ASSERT_TRUE(reflected(log, work, durable)) << "round " << round;
  }
}

TEST(LogCrash, RecoveredLogTakesNewWritesAndKeepsThemAfterTheNextCut) {
  std::mt19937_64 random{5};
  const workload work{3};
  recording_file_system whole;
  (void)work.run(whole);
  const auto operations = whole.operations();

  for (int round = 0; round < 150; ++round) {
    recording_file_system files;
    files.power_off_at(1 + random() % operations);
    (void)work.run(files);
    auto after = files.after_power_cut(cut_style::some_sectors, random);
    const auto mark = test::entries_of(7, 1, 2, 1, 700);
    {
      log_probe log{*after};
      ASSERT_TRUE(log.open()) << to_string(log.error());
      ASSERT_TRUE(log.write(mark));
      after->power_off_at(after->operations() + 1 + random() % 3);
      (void)log.write(test::entries_of(7, 3, 2, 2, 700));
    }
    after = after->after_power_cut(cut_style::some_sectors, random);
    log_probe log{*after};
    ASSERT_TRUE(log.open())
        << "round " << round << ": " << to_string(log.error());
    ASSERT_GE(log.group(7).entries.size(), 2U);
    ASSERT_EQ(log.group(7).entries[1], mark.entries[1]);
  }
}

TEST(LogCrash, SecondTornAttemptIsNotMixedWithTheFirstOne) {
  const auto path =
      log_probe::defaults().folder / "segment-0000000000000001.log";
  std::mt19937_64 random{3};
  for (int draw = 0; draw < 100; ++draw) {
    recording_file_system files;
    {
      log_probe log{files};
      ASSERT_TRUE(log.write(test::entries_of(1, 1, 1, 1)));
      ASSERT_TRUE(log.write(test::entries_of(1, 2, 1, 2, 3000, 1)));
    }
    // The second batch lost its beginning, so it is cut …
    files.overwrite(path, 2 * page_bytes, std::vector<std::byte>(sector_bytes));
    auto again = test::entries_of(1, 2, 1, 1);
    again.entries[0].data = core::shared_bytes::copy_of(std::string(3000, 'x'));
    {
      log_probe log{files};
      ASSERT_TRUE(log.open()) << to_string(log.error());
      log->refresh_health();
      // … and another one of the same number is torn in the same place.
      files.power_off_at(files.operations() + 2);
      EXPECT_FALSE(log.write(again));
    }
    const auto after = files.after_power_cut(cut_style::some_sectors, random);
    log_probe log{*after};
    ASSERT_TRUE(log.open()) << to_string(log.error());
    const auto& entries = log.group(1).entries;
    ASSERT_TRUE(entries.size() == 1 || entries.back() == again.entries.back());
  }
}

TEST(LogCrash, FlippedBitIsRepairedByNobodyButNeverLosesWhatWasReported) {
  std::mt19937_64 random{99};
  const workload work{4};
  recording_file_system files;
  const auto durable = work.run(files).size();
  ASSERT_EQ(durable, work.writes().size());

  int refused = 0;
  constexpr int flips = 1500;
  for (int flip = 0; flip < flips; ++flip) {
    auto after = files.after_power_cut(cut_style::keep_all, random);
    const auto paths = after->files();
    const auto& path = paths[random() % paths.size()];
    after->flip_bit(path, random() % (after->contents(path).size() * 8));
    log_probe log{*after};
    if (!log.open()) {
      ++refused;
      EXPECT_NE(log.error().detail.find(path.filename().string()),
                std::string::npos)
          << log.error().detail;
      continue;
    }
    ASSERT_TRUE(reflected(log, work, durable))
        << "flip " << flip << " in " << path;
  }
  EXPECT_GT(refused, flips / 20);
}

TEST(LogCrash, EveryBitOfTheLastBatchCounts) {
  recording_file_system files;
  {
    log_probe log{files};
    ASSERT_TRUE(log.write(test::entries_of(1, 1, 1, 1)));
    ASSERT_TRUE(log.write(test::entries_of(1, 2, 1, 2, 1000)));
  }
  const auto path =
      log_probe::defaults().folder / "segment-0000000000000001.log";
  std::mt19937_64 random{1};
  // Batch header, record header, payload and the marks of three sectors.
  for (std::uint64_t bit = 0; bit < 3 * sector_bytes * 8; ++bit) {
    auto after = files.after_power_cut(cut_style::keep_all, random);
    after->flip_bit(path, 2 * page_bytes * 8 + bit);
    log_probe log{*after};
    if (log.open()) {
      // Harmless only in the zeroes after the record.
      ASSERT_EQ(log.group(1).entries.size(), 2U) << "bit " << bit;
      ASSERT_EQ(log.group(1).entries.back(),
                test::entries_of(1, 2, 1, 0, 1000).entries.back());
    }
  }
}

TEST(LogCrash, EveryFailedFlushIsFatalAndLosesNothingReported) {
  std::mt19937_64 random{11};
  const workload work{5};
  recording_file_system whole;
  (void)work.run(whole);
  for (std::size_t fail = 1; fail <= whole.operations(); ++fail) {
    recording_file_system files;
    files.fail_sync_at(fail);
    const auto durable = work.run(files).size();
    auto after = files.after_power_cut(cut_style::some_pages, random);
    log_probe log{*after};
    ASSERT_TRUE(log.open()) << to_string(log.error());
    ASSERT_TRUE(reflected(log, work, durable)) << "flush " << fail;
  }
}

} // namespace
} // namespace troupe::storage
