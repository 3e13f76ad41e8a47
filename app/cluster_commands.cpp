// SPDX-License-Identifier: Apache-2.0
// Commands that need no running node: what a cluster is made of.
#include "app/cli.hpp"
#include "app/cluster_certificates.hpp"
#include "app/commands.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace troupe::app {
namespace {

namespace fs = std::filesystem;

constexpr mode_t for_owner = 0600;
constexpr mode_t for_all = 0644;

core::error failed_on(const fs::path& file, int why) {
  return {core::errc::io_error,
          file.string() + ": " + std::generic_category().message(why)};
}

/// Whole or not at all: a key is never half there, nor readable by others for
/// a moment, nor followed through a link.
core::result<void> write_new(const fs::path& file, const std::string& text,
                             mode_t mode) {
  auto fresh = file;
  fresh += ".new";
  ::unlink(fresh.c_str()); // of a run that broke off
  const int to =
      ::open(fresh.c_str(),
             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (to < 0)
    return failed_on(fresh, errno);
  const auto wrote = ::write(to, text.data(), text.size());
  int why = wrote == static_cast<ssize_t>(text.size()) ? 0
            : wrote < 0                                ? errno
                                                       : ENOSPC;
  if (why == 0 && ::fchmod(to, mode) != 0) // whatever the umask says
    why = errno;
  if (why == 0 && ::fsync(to) != 0)
    why = errno;
  ::close(to);
  if (why == 0 && ::rename(fresh.c_str(), file.c_str()) != 0)
    why = errno;
  if (why == 0)
    return {};
  ::unlink(fresh.c_str());
  return failed_on(file, why);
}

core::result<std::string> read_all(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::ostringstream text;
  if (!in || !(text << in.rdbuf()))
    return core::error{core::errc::io_error, file.string() + " can't be read"};
  return std::move(text).str();
}

/// A folder with an authority and what it has signed.
class certificate_folder {
public:
  explicit certificate_folder(fs::path path) : path_(std::move(path)) {}

  [[nodiscard]] fs::path certificate(const std::string& name) const {
    return path_ / (name + ".pem");
  }
  [[nodiscard]] fs::path key(const std::string& name) const {
    return path_ / (name + ".key");
  }
  [[nodiscard]] bool has(const std::string& name) const {
    return exists(certificate(name)) || exists(key(name));
  }

  core::result<void> make() const {
    std::error_code failed;
    if (fs::is_directory(path_, failed))
      return {};
    fs::create_directories(path_, failed);
    if (!failed)
      fs::permissions(path_, fs::perms::owner_all, failed);
    if (failed)
      return core::error{core::errc::io_error,
                         path_.string() + ": " + failed.message()};
    return {};
  }

  core::result<key_pair> read(const std::string& name) const {
    auto first = read_all(certificate(name));
    if (!first)
      return first.error();
    auto second = read_all(key(name));
    if (!second)
      return second.error();
    return key_pair{std::move(*first), std::move(*second)};
  }

  core::result<void> write(const std::string& name,
                           const key_pair& pair) const {
    if (auto done = write_new(key(name), pair.key, for_owner); !done)
      return done;
    return write_new(certificate(name), pair.certificate, for_all);
  }

private:
  static bool exists(const fs::path& file) {
    std::error_code ignored;
    return fs::symlink_status(file, ignored).type() != fs::file_type::not_found;
  }

  fs::path path_;
};

core::result<key_pair> authority_in(const certificate_folder& folder,
                                    const cluster_certs_options& options,
                                    terminal& screen) {
  const std::string name = "ca";
  if (folder.has(name)) {
    auto found = folder.read(name);
    if (found)
      return found;
    return core::error{
        core::errc::invalid_config,
        "an authority is its certificate and its key: " + found.error().detail +
            "; to begin with another one name another folder"};
  }
  // Signed with a new authority, old and new nodes would not link.
  auto made = make_authority("Troupe cluster authority",
                             days{static_cast<int>(options.ca_days)});
  if (!made)
    return made;
  if (auto done = folder.write(name, *made); !done)
    return done.error();
  screen.out << folder.certificate(name).string() << "  the authority, for "
             << "every node\n"
             << folder.key(name).string()
             << "  its key: keep it off the nodes, it makes members\n";
  return made;
}

void print_use(const certificate_folder& folder, terminal& screen) {
  screen.out << "\nCopy to each node its .pem and .key and "
             << folder.certificate("ca").filename().string()
             << ", keys readable for the node's user only, and set there:\n\n"
                "    [cluster]\n"
                "    tls_certificate = \"/etc/troupe/NAME.pem\"\n"
                "    tls_key = \"/etc/troupe/NAME.key\"\n"
                "    tls_ca = \"/etc/troupe/ca.pem\"\n\n"
                "All nodes of a cluster need it: one with TLS and one without "
                "do not link.\nRun the command again with the same --out for "
                "a node that comes later.\n";
}

} // namespace

int run(const cluster_certs_options& options, terminal& screen) {
  const auto refuse = [&](const core::error& why) {
    screen.err << "troupe cluster certs: " << why.detail << '\n';
    return exit_failed;
  };
  const certificate_folder folder{options.out};
  std::set<std::string> seen;
  for (const auto& node : options.nodes) {
    if (!seen.insert(node.name).second)
      return refuse({core::errc::invalid_config,
                     "--node " + node.name + " is there twice"});
    if (!options.force && folder.has(node.name))
      return refuse({core::errc::invalid_config,
                     folder.certificate(node.name).string() +
                         " or its key exists; --force makes them anew"});
  }
  if (auto made = folder.make(); !made)
    return refuse(made.error());
  const auto authority = authority_in(folder, options, screen);
  if (!authority)
    return refuse(authority.error());
  for (const auto& node : options.nodes) {
    const auto made =
        make_node_certificate(*authority, node.name, node.hosts,
                              days{static_cast<int>(options.days)});
    if (!made)
      return refuse({made.error().code, folder.certificate("ca").string() +
                                            ": " + made.error().detail});
    if (auto done = folder.write(node.name, *made); !done)
      return refuse(done.error());
    const auto end = end_of(made->certificate);
    screen.out << folder.certificate(node.name).string() << "  for "
               << node.name;
    for (const auto& host : node.hosts)
      screen.out << ", " << host;
    screen.out << "; ends " << (end ? *end : "") << '\n'
               << folder.key(node.name).string() << "  its key\n";
  }
  print_use(folder, screen);
  return exit_ok;
}

} // namespace troupe::app
