// SPDX-License-Identifier: Apache-2.0
#include "actors/snapshot_service.hpp"

#include <utility>

namespace troupe::actors {
namespace {

/// Each transfer has a few pieces of work under way; more than this is a fault.
constexpr std::size_t work_max = 1024;

} // namespace

core::result<std::unique_ptr<snapshot_service>> snapshot_service::open(
    storage::file_system& files, const std::filesystem::path& folder,
    storage::state_store& tables, snapshot_storage::poster post,
    snapshot_storage::limits bounds) {
  auto spool = storage::snapshot_spool::open(files, folder);
  if (!spool)
    return spool.error();
  return std::unique_ptr<snapshot_service>{
      new snapshot_service{std::move(*spool), tables, std::move(post), bounds}};
}

snapshot_service::snapshot_service(
    std::unique_ptr<storage::snapshot_spool> spool,
    storage::state_store& tables, snapshot_storage::poster post,
    snapshot_storage::limits bounds)
    : spool_(std::move(spool)), tables_(tables),
      storage_(
          *spool_, tables_,
          [this](std::function<void()> work) {
            return thread_.submit(std::move(work));
          },
          std::move(post), bounds),
      thread_("troupe-spool", work_max) {}

} // namespace troupe::actors
