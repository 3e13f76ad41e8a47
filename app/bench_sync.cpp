// SPDX-License-Identifier: Apache-2.0
#include "app/bench_modes.hpp"
#include "net/owned_fd.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>
#include <vector>

namespace troupe::app {
namespace {

constexpr std::size_t block_bytes = 4096;
constexpr std::size_t blocks = 16'384; // a file of 64 MiB

core::error file_error(const std::string& path) {
  return {core::errc::io_error, path + ": " + std::strerror(errno)};
}

/// A file that is gone when the run is over, however it ends.
net::owned_fd open_scratch(const std::string& path) {
  net::owned_fd file{
      ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (file)
    ::unlink(path.c_str());
  return file;
}

bool write_block(int fd, const std::vector<char>& block, std::size_t number) {
  return ::pwrite(fd, block.data(), block.size(),
                  static_cast<off_t>(number * block_bytes)) ==
         static_cast<ssize_t>(block.size());
}

} // namespace

core::result<bench_report> measure(const sync_load& load) {
  std::error_code no_folder;
  std::filesystem::create_directories(load.data, no_folder);
  const auto path = load.data + "/bench-sync";
  const auto file = open_scratch(path);
  if (!file)
    return file_error(path);
  const std::vector<char> block(block_bytes, 'x');
  // Written once before: blocks that were only allocated would cost a change
  // of the file's metadata each.
  for (std::size_t i = 0; i < blocks; ++i)
    if (!write_block(file.get(), block, i))
      return file_error(path);
  if (::fsync(file.get()) != 0)
    return file_error(path);

  using clock = std::chrono::steady_clock;
  bench_histogram latency;
  const auto start = clock::now();
  const auto end = start + std::chrono::seconds{load.seconds};
  auto before = start;
  for (std::size_t i = 0; before < end; ++i) {
    if (!write_block(file.get(), block, i % blocks) ||
        ::fdatasync(file.get()) != 0)
      return file_error(path);
    const auto now = clock::now();
    latency.record(now - before);
    before = now;
  }
  const std::chrono::duration<double> took = before - start;
  bench_report report{"sync"};
  report.number("seconds", took.count());
  report.count("syncs", latency.count());
  report.number("per_second",
                static_cast<double>(latency.count()) / took.count());
  report.latency("sync", latency);
  return report;
}

} // namespace troupe::app
