// SPDX-License-Identifier: Apache-2.0
#include "app/salt_secret.hpp"

#include "core/shared_bytes.hpp"
#include "net/identity/password.hpp"

namespace troupe::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "salt-secret";
constexpr std::size_t file_bytes_max = 4096;

core::result<std::string> read(storage::file_system& files,
                               const fs::path& path) {
  auto text = storage::read_file(files, path, file_bytes_max);
  if (!text)
    return text.error();
  while (!text->empty() && text->back() == '\n')
    text->pop_back();
  if (!storage::cluster_id::parse(*text))
    return core::error{core::errc::corrupt,
                       path.string() + ": not a secret of salts"};
  return *text;
}

/// As a whole or not at all.
core::result<std::string> draw(storage::file_system& files,
                               const fs::path& folder) {
  auto fresh = to_string(storage::cluster_id::random());
  const auto temporary = folder / (std::string{file_name} + ".new");
  {
    auto out = files.open(temporary, storage::open_mode::create_or_empty);
    if (!out)
      return out.error();
    if (auto done = (*out)->write_at(core::as_bytes(fresh + "\n"), 0); !done)
      return done.error();
    if (auto done = (*out)->sync(); !done)
      return done.error();
  }
  if (auto done = files.rename(temporary, folder / file_name); !done)
    return done.error();
  if (auto done = files.sync_folder(folder); !done)
    return done.error();
  return fresh;
}

} // namespace

core::result<std::string> salt_secret(storage::file_system& files,
                                      const fs::path& data,
                                      const storage::cluster_id& cluster,
                                      const std::string& cluster_secret) {
  if (!cluster_secret.empty())
    return net::identity::stretch(cluster_secret,
                                  "salts of " + to_string(cluster));
  const auto path = data / file_name;
  return files.exists(path) ? read(files, path) : draw(files, data);
}

} // namespace troupe::app
