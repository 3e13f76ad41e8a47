// SPDX-License-Identifier: Apache-2.0
#include "core/assert.hpp"
#include "storage/audit/reader.hpp"
#include "tests/support/recording_file_system.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace troupe;
namespace audit = storage::audit;

void try_record(core::bytes_view bytes) {
  const auto found = audit::decode_record(bytes);
  if (!found)
    return;
  std::vector<std::byte> again;
  audit::encode(*found, again);
  TROUPE_ASSERT(core::as_text(again) == core::as_text(bytes),
                "a record changed");
}

void put(storage::file_system& files, std::uint64_t number,
         core::bytes_view bytes) {
  auto to = files.open("/audit/" + audit::segment_name(number),
                       storage::open_mode::create);
  TROUPE_ASSERT(to && (*to)->write_at(bytes, 0), "no file");
}

/// A segment with a right head and what was given behind it, so that the frames
/// are looked at, too; then what was given alone.
void try_folder(core::bytes_view bytes, bool with_head) {
  test::recording_file_system files;
  TROUPE_ASSERT(files.create_folder("/audit"), "no folder");
  std::vector<std::byte> segment;
  audit::hasher with;
  audit::segment_head head;
  head.number = 1;
  head.first_sequence = 1;
  if (with_head)
    audit::encode_head(head, {}, with, segment);
  segment.insert(segment.end(), bytes.begin(), bytes.end());
  put(files, 1, segment);
  static_cast<void>(audit::verify(files, "/audit", {}));
  if (const auto view = audit::look_at(files, "/audit"))
    static_cast<void>(
        audit::search(files, "/audit", *view, {},
                      [](const auto&, const auto&) { return true; }));
  // Whatever lies there, a node goes on with it and its chain is whole.
  audit::writer_options options;
  options.folder = "/audit";
  auto made = audit::writer::open(files, options, core::from_millis(1));
  if (!made)
    return;
  audit::record more;
  TROUPE_ASSERT((*made)->append(more) && (*made)->sync(), "no record");
  const auto found = audit::verify(files, "/audit", {});
  TROUPE_ASSERT(found && !found->broken, "the chain is broken");
}

} // namespace

/// Records and segments as a damaged disk, or somebody, may hand them over.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const core::bytes_view bytes{reinterpret_cast<const std::byte*>(data), size};
  try_record(bytes);
  try_folder(bytes, true);
  try_folder(bytes, false);
  return 0;
}
