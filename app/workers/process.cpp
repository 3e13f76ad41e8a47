// SPDX-License-Identifier: Apache-2.0
#include "app/workers/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace troupe::app::workers {
namespace {

core::error failed(const char* what, int code) {
  return {core::errc::io_error, std::string{what} + ": " + std::strerror(code)};
}

/// What the child does to its descriptors. The sources are above all targets,
/// so none is overwritten before its turn.
class file_plan {
public:
  file_plan() { ::posix_spawn_file_actions_init(&actions_); }
  ~file_plan() { ::posix_spawn_file_actions_destroy(&actions_); }
  file_plan(const file_plan&) = delete;
  file_plan& operator=(const file_plan&) = delete;

  /// False if the process is out of descriptors.
  bool pass(int descriptor, int as) {
    constexpr int above_all_targets = 64;
    net::owned_fd copy{::fcntl(descriptor, F_DUPFD_CLOEXEC, above_all_targets)};
    if (!copy)
      return false;
    ::posix_spawn_file_actions_adddup2(&actions_, copy.get(), as);
    copies_.push_back(std::move(copy));
    return true;
  }
  void finish(int first_unused) {
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null",
                                       O_RDONLY, 0);
    // Programs read the agent's standard output.
    ::posix_spawn_file_actions_adddup2(&actions_, STDERR_FILENO, STDOUT_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, first_unused);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const {
    return &actions_;
  }

private:
  posix_spawn_file_actions_t actions_{};
  std::vector<net::owned_fd> copies_;
};

/// The environment without what Troupe is told by it: secrets may be there.
std::vector<char*> clean_environment() {
  constexpr std::string_view ours = "TROUPE_";
  std::vector<char*> all;
  for (char** each = environ; *each != nullptr; ++each)
    if (!std::string_view{*each}.starts_with(ours))
      all.push_back(*each);
  all.push_back(nullptr);
  return all;
}

class attributes {
public:
  attributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK |
                                                 POSIX_SPAWN_SETSIGDEF |
                                                 POSIX_SPAWN_SETPGROUP);
  }
  ~attributes() { ::posix_spawnattr_destroy(&attributes_); }
  attributes(const attributes&) = delete;
  attributes& operator=(const attributes&) = delete;
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

private:
  posix_spawnattr_t attributes_{};
};

} // namespace

core::result<process> start_process(std::uint32_t worker,
                                    const std::vector<int>& doors) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   ends.data()) != 0)
    return failed("socketpair", errno);
  process fresh;
  fresh.line = net::owned_fd{ends[0]};
  const net::owned_fd theirs{ends[1]};
  file_plan files;
  int next = line_descriptor;
  bool passed = files.pass(theirs.get(), next++);
  for (const int door : doors)
    passed = passed && files.pass(door, next++);
  if (!passed)
    return failed("descriptors", errno);
  files.finish(next);
  const attributes how;
  std::string name = "troupe";
  std::string verb = "worker";
  std::string number = std::to_string(worker);
  std::array<char*, 4> arguments{name.data(), verb.data(), number.data(),
                                 nullptr};
  auto environment = clean_environment();
  // The file this process runs, also if another one has its name by now.
  const int error =
      ::posix_spawn(&fresh.pid, "/proc/self/exe", files.get(), how.get(),
                    arguments.data(), environment.data());
  if (error != 0)
    return failed("posix_spawn", error);
  fresh.ended =
      net::owned_fd{static_cast<int>(::syscall(SYS_pidfd_open, fresh.pid, 0))};
  return core::result<process>{std::move(fresh)};
}

std::optional<std::string> take_end(const process& which) {
  int status = 0;
  pid_t gone = 0;
  do
    gone = ::waitpid(which.pid, &status, WNOHANG);
  while (gone < 0 && errno == EINTR);
  if (gone == 0)
    return std::nullopt;
  if (gone < 0)
    return "unknown";
  if (WIFSIGNALED(status))
    return "signal " + std::to_string(WTERMSIG(status));
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

} // namespace troupe::app::workers
