// SPDX-License-Identifier: Apache-2.0
#include "storage/mapped_file.hpp"

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::storage {
namespace {

/// The longest mapping of the file with this inode number (proc(5)).
std::span<std::byte> find_mapping(std::uint64_t inode) {
  std::ifstream maps{"/proc/self/maps"};
  std::span<std::byte> found;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields{line};
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    char dash = 0;
    std::string access;
    std::string offset;
    std::string device;
    std::uint64_t number = 0;
    fields >> std::hex >> first >> dash >> last >> access >> offset >> device >>
        std::dec >> number;
    if (fields && number == inode && last - first > found.size())
      // NOLINTNEXTLINE(performance-no-int-to-ptr): it is an address as text
      found = {reinterpret_cast<std::byte*>(first), last - first};
  }
  return found;
}

} // namespace

mapped_file::mapped_file(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) == 0)
    mapping_ = find_mapping(status.st_ino);
}

bool mapped_file::release_above(std::size_t limit) const {
  if (limit == 0 || mapping_.empty() || mapped_resident_bytes() <= limit)
    return false;
  return ::madvise(mapping_.data(), mapping_.size(), MADV_DONTNEED) == 0;
}

std::size_t mapped_resident_bytes() {
  std::ifstream in{"/proc/self/statm"};
  std::size_t all = 0;
  std::size_t resident = 0;
  std::size_t shared = 0;
  in >> all >> resident >> shared;
  return in ? shared * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

} // namespace troupe::storage
