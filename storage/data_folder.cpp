// SPDX-License-Identifier: Apache-2.0
#include "storage/data_folder.hpp"

#include "core/assert.hpp"

#include <charconv>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace troupe::storage {
namespace {

namespace fs = std::filesystem;
using core::errc;
using core::error;
using core::result;

constexpr std::size_t identity_bytes_max = 4096;
constexpr const char* token_file = "node-token";

/// The flat object of strings and whole numbers that troupe.json is; not a
/// general JSON reader, since we alone write the file.
class flat_json {
public:
  static std::optional<flat_json> parse(std::string_view text) {
    flat_json made;
    reader in{text};
    if (!in.take('{'))
      return std::nullopt;
    do {
      const auto name = in.string();
      if (!name || !in.take(':'))
        return std::nullopt;
      const auto value = in.peek() == '"' ? in.string() : in.number();
      if (!value)
        return std::nullopt;
      made.members_[std::string{*name}] = std::string{*value};
    } while (in.take(','));
    if (!in.take('}') || in.peek() != '\0')
      return std::nullopt;
    return made;
  }

  [[nodiscard]] std::string_view text(const std::string& name) const {
    const auto at = members_.find(name);
    return at == members_.end() ? std::string_view{} : at->second;
  }

  template <class Number>
  [[nodiscard]] std::optional<Number> number(const std::string& name) const {
    const auto digits = text(name);
    Number value{};
    const auto* end = digits.data() + digits.size();
    const auto [stop, code] = std::from_chars(digits.data(), end, value);
    if (code != std::errc{} || stop != end)
      return std::nullopt;
    return value;
  }

private:
  struct reader {
    std::string_view left;

    char peek() {
      const auto start = left.find_first_not_of(" \t\r\n");
      left.remove_prefix(start == left.npos ? left.size() : start);
      return left.empty() ? '\0' : left.front();
    }
    bool take(char c) {
      if (peek() != c)
        return false;
      left.remove_prefix(1);
      return true;
    }
    std::optional<std::string_view> string() {
      if (!take('"'))
        return std::nullopt;
      const auto end = left.find('"');
      if (end == left.npos)
        return std::nullopt;
      const auto found = left.substr(0, end);
      left.remove_prefix(end + 1);
      return found;
    }
    std::optional<std::string_view> number() {
      peek();
      const auto end = left.find_first_not_of("-0123456789");
      if (end == left.npos || end == 0)
        return std::nullopt;
      const auto found = left.substr(0, end);
      left.remove_prefix(end);
      return found;
    }
  };

  std::map<std::string, std::string> members_;
};

std::string to_json(const folder_identity& identity) {
  char text[512];
  const int length =
      std::snprintf(text, sizeof text,
                    "{\n"
                    "  \"product\": \"troupe\",\n"
                    "  \"format\": %u,\n"
                    "  \"cluster\": \"%s\",\n"
                    "  \"node\": %u,\n"
                    "  \"shards\": %u,\n"
                    "  \"created\": %lld\n"
                    "}\n",
                    data_format, to_string(identity.cluster).c_str(),
                    identity.node.value(), identity.shards,
                    static_cast<long long>(core::to_millis(identity.created)));
  return {text, static_cast<std::size_t>(length)};
}

error damaged(const fs::path& path) {
  return {errc::corrupt, path.string() + ": not a Troupe data folder's"};
}

result<folder_identity> from_json(const fs::path& path, std::string_view text) {
  const auto json = flat_json::parse(text);
  if (!json || json->text("product") != "troupe")
    return damaged(path);
  const auto format = json->number<std::uint32_t>("format");
  if (!format)
    return damaged(path);
  if (*format > data_format)
    return error{errc::newer_format, path.string() + ": format " +
                                         std::to_string(*format) +
                                         ", this Troupe reads up to " +
                                         std::to_string(data_format)};
  const auto cluster = cluster_id::parse(json->text("cluster"));
  const auto node = json->number<std::uint32_t>("node");
  const auto shards = json->number<std::uint32_t>("shards");
  const auto created = json->number<std::int64_t>("created");
  if (!cluster || !node || !shards || !created)
    return damaged(path);
  return folder_identity{*cluster, core::node_id{*node}, *shards,
                         core::from_millis(*created)};
}

/// Whether a sub-folder is there and not empty.
result<bool> occupied(file_system& files, const fs::path& path) {
  const auto names = files.list(path);
  if (names)
    return !names->empty();
  if (names.error().code == errc::not_found)
    return false;
  return names.error();
}

} // namespace

data_folder::data_folder(file_system& files, fs::path path,
                         std::unique_ptr<file> lock)
    : files_(&files), path_(std::move(path)), lock_(std::move(lock)) {}

result<data_folder> data_folder::open(file_system& files, const fs::path& path,
                                      std::optional<cluster_id> expected) {
  if (auto made = files.create_folder(path); !made)
    return made.error();
  auto lock = files.open(path / "lock", open_mode::create);
  if (!lock)
    return lock.error();
  const auto locked = (*lock)->try_lock();
  if (!locked)
    return locked.error();
  if (!*locked) {
    auto holder = read_file(files, path / "lock", 32);
    std::string pid = holder ? *holder : std::string{"unknown"};
    if (!pid.empty() && pid.back() == '\n')
      pid.pop_back();
    return error{errc::in_use,
                 path.string() + ": held by the process with pid " + pid};
  }
  const auto pid = std::to_string(::getpid()) + "\n";
  if (auto done = (*lock)->truncate(0); !done)
    return done.error();
  if (auto done = (*lock)->write_at(core::as_bytes(pid), 0); !done)
    return done.error();

  data_folder folder{files, path, std::move(*lock)};
  if (auto done = folder.read_identity(); !done)
    return done.error();
  if (expected && folder.identity_ && folder.identity_->cluster != *expected)
    return error{errc::wrong_cluster, path.string() + ": belongs to cluster " +
                                          to_string(folder.identity_->cluster) +
                                          ", not to " + to_string(*expected)};
  return folder;
}

result<void> data_folder::read_identity() {
  const auto path = path_ / "troupe.json";
  if (files_->exists(path)) {
    const auto text = read_file(*files_, path, identity_bytes_max);
    if (!text)
      return text.error();
    auto identity = from_json(path, *text);
    if (!identity)
      return identity.error();
    identity_ = *identity;
    // A crash right after the rename may have come before the folders.
    for (const auto& sub : {log_path(), state_path()})
      if (auto made = files_->create_folder(sub); !made)
        return made;
    return {};
  }
  // The identity is written before anything else, so stores without one are
  // no left-over of ours: somebody removed it, or this is another folder.
  for (const auto& sub : {log_path(), state_path()}) {
    const auto used = occupied(*files_, sub);
    if (!used)
      return used.error();
    if (*used)
      return error{errc::corrupt, sub.string() +
                                      ": is not empty, but there is no " +
                                      path.string()};
  }
  return {};
}

/// As a whole or not at all, once the folder is flushed.
result<void> data_folder::write_durably(const fs::path& name,
                                        const std::string& text) {
  const auto temporary = path_ / (name.string() + ".new");
  {
    auto out = files_->open(temporary, open_mode::create_or_empty);
    if (!out)
      return out.error();
    if (auto done = (*out)->write_at(core::as_bytes(text), 0); !done)
      return done;
    if (auto done = (*out)->sync(); !done)
      return done;
  }
  return files_->rename(temporary, path_ / name);
}

result<std::string> data_folder::token() const {
  const auto path = path_ / token_file;
  if (!files_->exists(path))
    return std::string{};
  auto text = read_file(*files_, path, identity_bytes_max);
  if (!text)
    return text.error();
  while (!text->empty() && text->back() == '\n')
    text->pop_back();
  if (!cluster_id::parse(*text))
    return error{errc::corrupt, path.string() + ": not a node's token"};
  return *text;
}

result<std::string> data_folder::make_token() {
  auto fresh = to_string(cluster_id::random());
  if (auto done = write_durably(token_file, fresh + "\n"); !done)
    return done.error();
  if (auto done = files_->sync_folder(path_); !done)
    return done.error();
  return fresh;
}

result<void> data_folder::initialize(const folder_identity& identity) {
  TROUPE_ASSERT(!identity_, "the folder has an identity already");
  if (auto done = write_durably("troupe.json", to_json(identity)); !done)
    return done;
  for (const auto& sub : {log_path(), state_path()})
    if (auto made = files_->create_folder(sub); !made)
      return made;
  if (auto done = files_->sync_folder(path_); !done)
    return done;
  if (const auto parent = fs::absolute(path_).parent_path(); !parent.empty())
    if (auto done = files_->sync_folder(parent); !done)
      return done;
  identity_ = identity;
  return {};
}

} // namespace troupe::storage
