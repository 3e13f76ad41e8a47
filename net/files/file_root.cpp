// SPDX-License-Identifier: Apache-2.0
#include "net/files/file_root.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::net::files {
namespace {

// A FIFO must not wait for its writer.
constexpr int read_flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

bool is_hidden(std::string_view path) {
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const auto segment = path.substr(0, end);
    if (segment.starts_with('.') && segment != ".well-known")
      return true;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return false;
}

/// For kernels and sandboxes without openat2: step by step, no links at all.
owned_fd open_step_by_step(int folder, std::string_view path) {
  owned_fd at{::openat(folder, ".", O_DIRECTORY | O_PATH | O_CLOEXEC)};
  for (;;) {
    const auto end = std::min(path.find('/'), path.size());
    const std::string segment{path.substr(0, end)};
    path.remove_prefix(std::min(end + 1, path.size()));
    if (segment == "..")
      return {};
    const auto* name = segment.empty() ? "." : segment.c_str();
    if (path.empty())
      return owned_fd{::openat(at.get(), name, read_flags | O_NOFOLLOW)};
    at = owned_fd{::openat(at.get(), name,
                           O_DIRECTORY | O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    if (at.get() < 0)
      return {};
  }
}

} // namespace

std::string open_file::read(std::uint64_t first, std::size_t count) const {
  std::string bytes(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const auto got = ::pread(fd.get(), bytes.data() + have, count - have,
                             static_cast<off_t>(first + have));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

core::result<file_root> file_root::open(const std::string& path) {
  owned_fd folder{::open(path.c_str(), O_DIRECTORY | O_PATH | O_CLOEXEC)};
  if (folder.get() >= 0)
    return file_root{std::move(folder)};
  return core::error{errno == ENOTDIR || errno == ENOENT
                         ? core::errc::invalid_config
                         : core::errc::io_error,
                     path + ": " + std::strerror(errno)};
}

owned_fd file_root::open_beneath(const std::string& path) const {
  open_how how{};
  how.flags = static_cast<unsigned>(read_flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const auto fd =
      ::syscall(SYS_openat2, folder_.get(), path.c_str(), &how, sizeof how);
  if (fd >= 0)
    return owned_fd{static_cast<int>(fd)};
  if (errno == ENOSYS || errno == EPERM)
    return open_step_by_step(folder_.get(), path);
  return {};
}

std::optional<open_file> file_root::find(std::string_view path,
                                         std::string& name) const {
  while (path.starts_with('/'))
    path.remove_prefix(1);
  name = path;
  if (is_hidden(path) || path.find('\0') != path.npos)
    return std::nullopt;
  for (int tries = 0; tries < 2; ++tries) {
    auto fd = open_beneath(name.empty() ? "." : name);
    struct stat about {};
    if (fd.get() < 0 || ::fstat(fd.get(), &about) != 0)
      return std::nullopt;
    // With a slash behind it a file is none.
    if (S_ISREG(about.st_mode) && !name.ends_with('/'))
      return open_file{std::move(fd), static_cast<std::uint64_t>(about.st_size),
                       about.st_mtim.tv_sec,
                       static_cast<std::uint64_t>(about.st_mtim.tv_nsec)};
    if (!S_ISDIR(about.st_mode))
      return std::nullopt;
    name += name.empty() || name.ends_with('/') ? "index.html" : "/index.html";
  }
  return std::nullopt;
}

} // namespace troupe::net::files
