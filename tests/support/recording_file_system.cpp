// SPDX-License-Identifier: Apache-2.0
#include "tests/support/recording_file_system.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace troupe::test {

namespace fs = std::filesystem;
using core::errc;
using core::error;
using core::result;
using storage::open_mode;
using storage::page_bytes;
using storage::sector_bytes;

class recorded_file final : public storage::file {
public:
  recorded_file(recording_file_system& owner,
                std::shared_ptr<recording_file_system::inode> node)
      : owner_(owner), node_(std::move(node)) {}
  ~recorded_file() override {
    const std::lock_guard lock{owner_.mutex_};
    if (locked_)
      node_->locked = false;
  }

  result<void> write_at(core::bytes_view bytes, std::uint64_t offset) override {
    const std::lock_guard lock{owner_.mutex_};
    if (auto alive = owner_.step(); !alive)
      return alive;
    return put(bytes, offset);
  }

  result<std::size_t> read_at(std::span<std::byte> to,
                              std::uint64_t offset) const override {
    const std::lock_guard lock{owner_.mutex_};
    if (offset >= node_->now.size())
      return std::size_t{0};
    const auto count = std::min<std::size_t>(
        to.size(), node_->now.size() - static_cast<std::size_t>(offset));
    std::memcpy(to.data(), node_->now.data() + offset, count);
    return count;
  }

  result<void> sync() override {
    const std::lock_guard lock{owner_.mutex_};
    if (auto alive = owner_.step(); !alive)
      return alive;
    if (owner_.fail_syncs_ || owner_.operations_ == owner_.fail_sync_at_)
      return error{errc::io_error, "fdatasync failed: Input/output error"};
    node_->flushed = node_->now;
    node_->dirty_pages.clear();
    return {};
  }

  result<void> preallocate(std::uint64_t size) override {
    const std::lock_guard lock{owner_.mutex_};
    if (auto alive = owner_.step(); !alive)
      return alive;
    node_->now.clear();
    return put(std::vector<std::byte>(static_cast<std::size_t>(size)), 0);
  }

  result<std::uint64_t> size() const override {
    const std::lock_guard lock{owner_.mutex_};
    return std::uint64_t{node_->now.size()};
  }

  result<void> truncate(std::uint64_t size) override {
    const std::lock_guard lock{owner_.mutex_};
    if (auto alive = owner_.step(); !alive)
      return alive;
    node_->now.resize(static_cast<std::size_t>(size));
    return {};
  }

  result<bool> try_lock() override {
    const std::lock_guard lock{owner_.mutex_};
    if (node_->locked)
      return false;
    node_->locked = locked_ = true;
    return true;
  }

private:
  result<void> put(core::bytes_view bytes, std::uint64_t offset) {
    const auto end = static_cast<std::size_t>(offset) + bytes.size();
    if (end > node_->now.size()) {
      if (owner_.used() + end - node_->now.size() > owner_.capacity_)
        return error{errc::storage_full, "no space left on device"};
      node_->now.resize(end);
    }
    std::copy(bytes.begin(), bytes.end(),
              node_->now.begin() + static_cast<std::ptrdiff_t>(offset));
    for (auto page = static_cast<std::size_t>(offset) / page_bytes;
         page * page_bytes < end; ++page)
      node_->dirty_pages.insert(page);
    return {};
  }

  recording_file_system& owner_;
  std::shared_ptr<recording_file_system::inode> node_;
  bool locked_ = false;
};

recording_file_system::recording_file_system() { name_history_.emplace_back(); }

result<void> recording_file_system::step() {
  if (power_off_at_ != 0 && operations_ + 1 >= power_off_at_)
    return error{errc::io_error, "the power is off"};
  ++operations_;
  return {};
}

std::uint64_t recording_file_system::used() const {
  std::uint64_t bytes = 0;
  for (const auto& [path, node] : names_)
    bytes += node->now.size();
  return bytes;
}

void recording_file_system::change_name() { name_history_.push_back(names_); }

result<std::unique_ptr<storage::file>>
recording_file_system::open(const fs::path& path, open_mode mode) {
  const std::lock_guard lock{mutex_};
  auto at = names_.find(path);
  const bool create =
      mode == open_mode::create || mode == open_mode::create_or_empty;
  if (at == names_.end()) {
    if (!create)
      return error{errc::not_found, path.string() + ": no such file"};
    if (auto alive = step(); !alive)
      return alive.error();
    at = names_.emplace(path, std::make_shared<inode>()).first;
    change_name();
  } else if (mode == open_mode::create_or_empty) {
    if (auto alive = step(); !alive)
      return alive.error();
    at->second->now.clear();
  }
  return std::unique_ptr<storage::file>{
      std::make_unique<recorded_file>(*this, at->second)};
}

result<void> recording_file_system::rename(const fs::path& from,
                                           const fs::path& to) {
  const std::lock_guard lock{mutex_};
  if (auto alive = step(); !alive)
    return alive;
  const auto at = names_.find(from);
  if (at == names_.end())
    return error{errc::not_found, from.string() + ": no such file"};
  auto node = at->second;
  names_.erase(at);
  names_[to] = std::move(node);
  change_name();
  return {};
}

result<void> recording_file_system::remove(const fs::path& path) {
  const std::lock_guard lock{mutex_};
  if (auto alive = step(); !alive)
    return alive;
  if (names_.erase(path) == 0)
    return error{errc::not_found, path.string() + ": no such file"};
  change_name();
  return {};
}

result<void> recording_file_system::sync_folder(const fs::path&) {
  const std::lock_guard lock{mutex_};
  if (auto alive = step(); !alive)
    return alive;
  name_history_.assign(1, names_);
  return {};
}

result<void> recording_file_system::create_folder(const fs::path& path) {
  const std::lock_guard lock{mutex_};
  for (auto at = path; !at.empty() && at != at.parent_path();
       at = at.parent_path())
    folders_.insert(at);
  return {};
}

result<std::vector<std::string>>
recording_file_system::list(const fs::path& path) {
  const std::lock_guard lock{mutex_};
  if (!folders_.contains(path))
    return error{errc::not_found, path.string() + ": no such folder"};
  std::vector<std::string> found;
  for (const auto& [name, node] : names_)
    if (name.parent_path() == path)
      found.push_back(name.filename().string());
  for (const auto& folder : folders_)
    if (folder.parent_path() == path && folder != path)
      found.push_back(folder.filename().string());
  std::sort(found.begin(), found.end());
  return found;
}

bool recording_file_system::exists(const fs::path& path) {
  const std::lock_guard lock{mutex_};
  return names_.contains(path) || folders_.contains(path);
}

result<std::uint64_t> recording_file_system::free_bytes(const fs::path&) {
  const std::lock_guard lock{mutex_};
  const auto taken = used();
  return capacity_ > taken ? capacity_ - taken : 0;
}

std::size_t recording_file_system::operations() const {
  const std::lock_guard lock{mutex_};
  return operations_;
}

void recording_file_system::power_off_at(std::size_t n) {
  const std::lock_guard lock{mutex_};
  power_off_at_ = n;
}

void recording_file_system::fail_sync_at(std::size_t n) {
  const std::lock_guard lock{mutex_};
  fail_sync_at_ = n;
}

void recording_file_system::fail_syncs() {
  const std::lock_guard lock{mutex_};
  fail_syncs_ = true;
}

void recording_file_system::set_capacity(std::uint64_t bytes) {
  const std::lock_guard lock{mutex_};
  capacity_ = bytes;
}

std::shared_ptr<recording_file_system::inode>
recording_file_system::survivor(const inode& from, cut_style style,
                                std::mt19937_64& random) {
  auto node = std::make_shared<inode>();
  node->now = style == cut_style::keep_all ? from.now : from.flushed;
  if (style == cut_style::some_pages || style == cut_style::some_sectors) {
    const auto unit =
        style == cut_style::some_pages ? page_bytes : sector_bytes;
    // Every run keeps another share of the pages, none and all included.
    const auto keep_of_eight = random() % 9;
    node->now.resize(std::max(from.now.size(), from.flushed.size()));
    for (const auto page : from.dirty_pages)
      for (auto at = page * page_bytes;
           at < std::min((page + 1) * page_bytes, from.now.size()); at += unit)
        if (random() % 8 < keep_of_eight)
          std::memcpy(node->now.data() + at, from.now.data() + at,
                      std::min(unit, from.now.size() - at));
  }
  node->flushed = node->now;
  return node;
}

std::unique_ptr<recording_file_system>
recording_file_system::after_power_cut(cut_style style,
                                       std::mt19937_64& random) const {
  const std::lock_guard lock{mutex_};
  auto next = std::make_unique<recording_file_system>();
  next->folders_ = folders_;
  next->capacity_ = capacity_;
  std::size_t changes = 0;
  if (style == cut_style::keep_all)
    changes = name_history_.size() - 1;
  else if (style != cut_style::keep_nothing)
    changes = random() % name_history_.size();
  for (const auto& [path, node] : name_history_[changes])
    next->names_[path] = survivor(*node, style, random);
  next->name_history_.assign(1, next->names_);
  return next;
}

void recording_file_system::flip_bit(const fs::path& path, std::uint64_t bit) {
  const std::lock_guard lock{mutex_};
  auto& node = *names_.at(path);
  for (auto* bytes : {&node.now, &node.flushed})
    if (bit / 8 < bytes->size())
      (*bytes)[static_cast<std::size_t>(bit / 8)] ^=
          static_cast<std::byte>(1U << (bit % 8));
}

void recording_file_system::overwrite(const fs::path& path,
                                      std::uint64_t offset,
                                      core::bytes_view bytes) {
  const std::lock_guard lock{mutex_};
  auto& node = *names_.at(path);
  std::copy(bytes.begin(), bytes.end(),
            node.now.begin() + static_cast<std::ptrdiff_t>(offset));
  node.flushed = node.now;
}

std::vector<std::byte>
recording_file_system::contents(const fs::path& path) const {
  const std::lock_guard lock{mutex_};
  return names_.at(path)->now;
}

std::vector<fs::path> recording_file_system::files() const {
  const std::lock_guard lock{mutex_};
  std::vector<fs::path> paths;
  for (const auto& [path, node] : names_)
    paths.push_back(path);
  return paths;
}

} // namespace troupe::test
