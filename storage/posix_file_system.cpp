// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace troupe::storage {
namespace {

namespace fs = std::filesystem;
using core::errc;
using core::error;
using core::result;

error failure(const fs::path& path, const char* verb, int code) {
  const auto kind =
      code == ENOSPC || code == EDQUOT ? errc::storage_full : errc::io_error;
  return {kind, path.string() + ": " + verb +
                    " failed: " + std::generic_category().message(code)};
}

class posix_file final : public file {
public:
  posix_file(fs::path path, int handle)
      : path_(std::move(path)), handle_(handle) {}
  ~posix_file() override { ::close(handle_); }
  posix_file(const posix_file&) = delete;
  posix_file& operator=(const posix_file&) = delete;

  result<void> write_at(core::bytes_view bytes, std::uint64_t offset) override {
    while (!bytes.empty()) {
      const auto n = ::pwrite(handle_, bytes.data(), bytes.size(),
                              static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return failure(path_, "write", errno);
      if (n == 0)
        return failure(path_, "write", ENOSPC);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  result<std::size_t> read_at(std::span<std::byte> to,
                              std::uint64_t offset) const override {
    std::size_t done = 0;
    while (done < to.size()) {
      const auto n = ::pread(handle_, to.data() + done, to.size() - done,
                             static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return failure(path_, "read", errno);
      if (n == 0)
        break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  result<void> sync() override {
    if (::fdatasync(handle_) != 0)
      return failure(path_, "fdatasync", errno);
    return {};
  }

  result<void> preallocate(std::uint64_t size) override {
    if (auto emptied = truncate(0); !emptied)
      return emptied;
    // Asks for the blocks at once, so that a full disk is met before anything
    // is written and the file is as contiguous as the disk allows. Optional:
    // some file systems can't.
    const int reserved =
        ::posix_fallocate(handle_, 0, static_cast<off_t>(size));
    if (reserved == ENOSPC || reserved == EDQUOT)
      return failure(path_, "preallocate", reserved);
    // Writing the zeroes turns reserved extents into initialised ones:
    // otherwise the first write to each would be a journal transaction.
    const std::vector<std::byte> zeroes(
        static_cast<std::size_t>(std::min<std::uint64_t>(size, 1U << 20)));
    for (std::uint64_t at = 0; at < size; at += zeroes.size()) {
      const auto left = std::min<std::uint64_t>(zeroes.size(), size - at);
      auto written = write_at(
          core::bytes_view{zeroes}.first(static_cast<std::size_t>(left)), at);
      if (!written)
        return written;
    }
    return {};
  }

  result<std::uint64_t> size() const override {
    struct stat about {};
    if (::fstat(handle_, &about) != 0)
      return failure(path_, "fstat", errno);
    return static_cast<std::uint64_t>(about.st_size);
  }

  result<void> truncate(std::uint64_t size) override {
    if (::ftruncate(handle_, static_cast<off_t>(size)) != 0)
      return failure(path_, "ftruncate", errno);
    return {};
  }

  result<bool> try_lock() override {
    if (::flock(handle_, LOCK_EX | LOCK_NB) == 0)
      return true;
    if (errno == EWOULDBLOCK)
      return false;
    return failure(path_, "flock", errno);
  }

private:
  fs::path path_;
  int handle_;
};

int open_flags(open_mode mode) {
  switch (mode) {
  case open_mode::read_only:
    return O_RDONLY;
  case open_mode::read_write:
    return O_RDWR;
  case open_mode::create:
    return O_RDWR | O_CREAT;
  case open_mode::create_or_empty:
    return O_RDWR | O_CREAT | O_TRUNC;
  case open_mode::read_write_direct:
    return O_RDWR | O_DIRECT;
  }
  return O_RDONLY;
}

class posix_files final : public file_system {
public:
  result<std::unique_ptr<file>> open(const fs::path& path,
                                     open_mode mode) override {
    constexpr mode_t owner_only = 0600;
    int handle = ::open(path.c_str(), open_flags(mode) | O_CLOEXEC, owner_only);
    if (handle < 0 && errno == EINVAL && mode == open_mode::read_write_direct)
      handle = ::open(path.c_str(), O_RDWR | O_CLOEXEC, owner_only);
    if (handle < 0) {
      const int code = errno;
      auto why = failure(path, "open", code);
      if (code == ENOENT)
        why.code = errc::not_found;
      return why;
    }
    return std::unique_ptr<file>{std::make_unique<posix_file>(path, handle)};
  }

  result<void> rename(const fs::path& from, const fs::path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0)
      return failure(from, "rename", errno);
    return {};
  }

  result<void> remove(const fs::path& path) override {
    if (::unlink(path.c_str()) != 0)
      return failure(path, "unlink", errno);
    return {};
  }

  result<void> sync_folder(const fs::path& path) override {
    const int handle = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0)
      return failure(path, "open", errno);
    const int code = ::fsync(handle) == 0 ? 0 : errno;
    ::close(handle);
    if (code != 0)
      return failure(path, "fsync", code);
    return {};
  }

  result<void> create_folder(const fs::path& path) override {
    constexpr mode_t owner_only = 0700;
    if (exists(path))
      return {};
    if (const auto parent = path.parent_path();
        !parent.empty() && !exists(parent)) {
      if (auto made = create_folder(parent); !made)
        return made;
    }
    if (::mkdir(path.c_str(), owner_only) != 0 && errno != EEXIST)
      return failure(path, "mkdir", errno);
    return {};
  }

  result<std::vector<std::string>> list(const fs::path& path) override {
    std::error_code code;
    std::vector<std::string> names;
    fs::directory_iterator at{path, code};
    for (; !code && at != fs::directory_iterator{}; at.increment(code))
      names.push_back(at->path().filename().string());
    if (code == std::errc::no_such_file_or_directory)
      return error{errc::not_found, path.string() + ": no such folder"};
    if (code)
      return failure(path, "list", code.value());
    std::sort(names.begin(), names.end());
    return names;
  }

  bool exists(const fs::path& path) override {
    struct stat about {};
    return ::stat(path.c_str(), &about) == 0;
  }

  result<std::uint64_t> free_bytes(const fs::path& path) override {
    struct statvfs about {};
    if (::statvfs(path.c_str(), &about) != 0)
      return failure(path, "statvfs", errno);
    return std::uint64_t{about.f_bavail} * about.f_frsize;
  }
};

} // namespace

file_system& posix_file_system() {
  static posix_files files;
  return files;
}

result<std::string> read_file(file_system& files, const fs::path& path,
                              std::size_t bytes_max) {
  auto opened = files.open(path, open_mode::read_only);
  if (!opened)
    return opened.error();
  const auto size = (*opened)->size();
  if (!size)
    return size.error();
  if (*size > bytes_max)
    return error{errc::too_large, path.string() + ": longer than expected"};
  std::string text(static_cast<std::size_t>(*size), '\0');
  const auto got = (*opened)->read_at(
      std::as_writable_bytes(std::span{text.data(), text.size()}), 0);
  if (!got)
    return got.error();
  text.resize(*got);
  return text;
}

} // namespace troupe::storage
