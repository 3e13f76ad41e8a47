// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/state_store_case.hpp"

#include <atomic>
#include <thread>

namespace troupe::storage {
namespace {

TEST(StateStore, ExportedGroupIsImportedAsAWhole) {
  const temporary_folder from_folder;
  const temporary_folder to_folder;
  const auto from = open_in(from_folder);
  const auto to = open_in(to_folder);
  auto& source = from->space(group_id{1});
  for (int i = 0; i < 500; ++i)
    source.put("key" + std::to_string(i), text(std::to_string(i)));
  source.checkpoint(log_index{77});
  std::vector<std::pair<std::string, std::string>> rows;
  const auto applied =
      from->export_group(group_id{1}, [&](state_store::row row) {
        rows.emplace_back(row.first, core::as_text(row.second));
        return true;
      });
  ASSERT_TRUE(applied);
  EXPECT_EQ(*applied, log_index{77});

  auto& target = to->space(group_id{1});
  target.put("old", text("gone"));
  target.checkpoint(log_index{3});
  ASSERT_TRUE(to->checkpoint_now());
  target.put("older", text("never committed"));
  for (int twice = 0; twice < 2; ++twice) {
    std::size_t at = 0;
    ASSERT_TRUE(
        to->import_group(group_id{1}, *applied, [&](state_store::row& row) {
          if (at == rows.size())
            return false;
          row = {rows[at].first, core::as_bytes(rows[at].second)};
          ++at;
          return true;
        }));
    EXPECT_EQ(all_of(target), all_of(source));
    EXPECT_EQ(target.applied(), log_index{77});
    EXPECT_EQ(to->durable_applied(group_id{1}), log_index{77});
  }
}

TEST(StateStore, ReadersSeeOldOrNewContentsWhileOneIsImported) {
  const temporary_folder folder;
  const auto store = open_in(folder);
  const auto& space = store->space(group_id{1});
  std::uint64_t applied = 0;
  const auto import = [&] {
    int rows = 0;
    ASSERT_TRUE(store->import_group(group_id{1}, log_index{++applied},
                                    [&](state_store::row& row) {
                                      row = {"always", core::as_bytes("there")};
                                      return rows++ == 0;
                                    }));
  };
  import();
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> missing{0};
  std::thread reader{[&] {
    while (!done.load()) {
      missing += space.get("always") ? 0U : 1U;
      bool seen = false;
      space.scan("always", {}, [&](auto, const auto&) { return seen = true; });
      missing += seen ? 0U : 1U;
    }
  }};
  for (int i = 0; i < 4000; ++i)
    import();
  done = true;
  reader.join();
  EXPECT_EQ(missing.load(), 0U);
}

TEST(StateStore, AnImportThatFailsLeavesTheOldContents) {
  const temporary_folder folder;
  const auto store = open_in(folder);
  auto& space = store->space(group_id{1});
  space.put("old", text("kept"));
  space.checkpoint(log_index{3});
  ASSERT_TRUE(store->checkpoint_now());
  int rows = 0;
  const auto done = store->import_group(
      group_id{1}, log_index{9},
      [&](state_store::row& row) -> core::result<bool> {
        if (++rows == 3)
          return core::error{errc::corrupt, "damaged"};
        row = {rows == 1 ? "new" : "newer", core::as_bytes("value")};
        return true;
      });
  EXPECT_EQ(done.error().code, errc::corrupt);
  EXPECT_EQ(all_of(space),
            (std::map<std::string, std::string>{{"old", "kept"}}));
  EXPECT_EQ(space.applied(), log_index{3});
}

} // namespace
} // namespace troupe::storage
