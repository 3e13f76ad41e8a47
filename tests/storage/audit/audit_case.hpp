// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/audit/reader.hpp"
#include "storage/audit/recorder.hpp"
#include "storage/audit/writer.hpp"
#include "tests/support/recording_file_system.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

inline const std::filesystem::path audit_folder = "/data/audit";

inline storage::cluster_id audit_cluster() {
  storage::cluster_id id;
  id.bytes[0] = 7;
  return id;
}

inline storage::audit::writer_options audit_files() {
  storage::audit::writer_options options;
  options.folder = audit_folder;
  options.cluster = audit_cluster();
  options.node = core::node_id{3};
  return options;
}

inline core::timestamp at_second(std::int64_t second) {
  return core::from_millis(1'000 * second);
}

/// A post by `user` to `target` at a time.
inline storage::audit::record post_of(std::string_view user,
                                      std::string_view target,
                                      std::int64_t second = 0) {
  storage::audit::record what;
  what.kind = core::audit_kind::post;
  what.time = at_second(second);
  what.user = user;
  what.target = target;
  what.size = 5;
  what.targets = 1;
  return what;
}

/// All records of a folder as "sequence kind user", in order.
inline std::vector<std::string>
audit_lines(storage::file_system& files,
            const storage::audit::search_terms& terms = {}) {
  std::vector<std::string> lines;
  const auto view = storage::audit::look_at(files, audit_folder);
  if (!view)
    return lines;
  const auto done = storage::audit::search(
      files, audit_folder, *view, terms,
      [&](const storage::audit::record& what, const storage::audit::digest&) {
        lines.push_back(std::to_string(what.sequence) + " " +
                        std::string{core::to_string(what.kind)} +
                        (what.user.empty() ? "" : " ") +
                        std::string{what.user});
        return true;
      });
  EXPECT_TRUE(done);
  return lines;
}

inline storage::audit::verdict
audit_verdict(storage::file_system& files,
              const storage::audit::verify_terms& terms = {}) {
  auto found = storage::audit::verify(files, audit_folder, terms);
  EXPECT_TRUE(found) << (found ? "" : found.error().detail);
  return found ? *found : storage::audit::verdict{};
}

/// Writes behind everybody's back, also beyond the end.
inline void put(storage::file_system& files, const std::filesystem::path& path,
                std::uint64_t offset, std::string_view text) {
  auto to = files.open(path, storage::open_mode::create);
  ASSERT_TRUE(to);
  ASSERT_TRUE((*to)->write_at(core::as_bytes(text), offset));
}

inline std::filesystem::path audit_segment(std::uint64_t number) {
  return audit_folder / storage::audit::segment_name(number);
}

} // namespace troupe::test
