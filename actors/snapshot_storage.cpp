// SPDX-License-Identifier: Apache-2.0
#include "actors/snapshot_storage.hpp"

#include <memory>

namespace troupe::actors {

snapshot_storage::snapshot_storage(storage::snapshot_spool& spool,
                                   group_tables& tables, executor execute,
                                   poster post, limits bounds)
    : spool_(spool), tables_(tables), execute_(std::move(execute)),
      post_(std::move(post)), limits_(bounds) {}

bool snapshot_storage::take(std::atomic<unsigned>& used, unsigned limit) {
  auto before = used.load();
  while (before < limit)
    if (used.compare_exchange_weak(before, before + 1))
      return true;
  return false;
}

template <class T, class Work>
void snapshot_storage::run(core::group_id group, Work work,
                           then_function<T> then) {
  const auto shared = std::make_shared<then_function<T>>(std::move(then));
  const bool queued = execute_([this, group, work, shared] {
    post_(group, [shared, outcome = work()] { (*shared)(outcome); });
  });
  if (!queued)
    post_(group, [shared] {
      (*shared)(core::error{core::errc::overloaded, "snapshots"});
    });
}

void snapshot_storage::write(core::group_id group, storage::spool_id id,
                             then_function<storage::spool_summary> then) {
  run<storage::spool_summary>(
      group,
      [this, group, id] {
        return spool_.write(
            id, group, [&](const storage::snapshot_spool::row_visitor& visit) {
              return tables_.export_group(group, visit);
            });
      },
      std::move(then));
}

void snapshot_storage::read(core::group_id group, storage::spool_id id,
                            std::uint64_t offset, std::size_t size,
                            then_function<core::shared_bytes> then) {
  run<core::shared_bytes>(
      group, [this, id, offset, size] { return spool_.read(id, offset, size); },
      std::move(then));
}

void snapshot_storage::append(core::group_id group, storage::spool_id id,
                              std::uint64_t offset, core::shared_bytes bytes,
                              then_function<void> then) {
  run<void>(
      group,
      [this, id, offset, bytes = std::move(bytes)] {
        return spool_.append(id, offset, bytes.view());
      },
      std::move(then));
}

void snapshot_storage::check(core::group_id group, storage::spool_id id,
                             storage::spool_summary expected,
                             then_function<void> then) {
  run<void>(
      group, [this, id, expected] { return spool_.check(id, expected); },
      std::move(then));
}

void snapshot_storage::install(core::group_id group, storage::spool_id id,
                               storage::spool_summary expected,
                               std::pair<std::string, core::shared_bytes> extra,
                               then_function<void> then) {
  run<void>(
      group,
      [this, group, id, expected, extra = std::move(extra)] {
        return install_now(group, id, expected, extra);
      },
      std::move(then));
}

core::result<void> snapshot_storage::install_now(
    core::group_id group, storage::spool_id id,
    const storage::spool_summary& expected,
    const std::pair<std::string, core::shared_bytes>& extra) {
  auto rows = spool_.rows(id);
  if (!rows)
    return rows.error();
  if (auto begun = rows->begin(group); !begun)
    return begun;
  bool extra_given = false;
  return tables_.import_group(
      group, expected.applied,
      [&](storage::snapshot_spool::row& to) -> core::result<bool> {
        if (extra_given)
          return false;
        if (rows->next(to))
          return true;
        if (!rows->applied())
          return rows->applied().error();
        if (*rows->applied() != expected.applied)
          return core::error{core::errc::corrupt, "snapshot: of another entry"};
        to = {extra.first, extra.second.view()};
        extra_given = true;
        return true;
      });
}

void snapshot_storage::remove(storage::spool_id id) {
  (void)execute_([this, id] { spool_.remove(id); });
}

} // namespace troupe::actors
