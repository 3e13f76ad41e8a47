// SPDX-License-Identifier: Apache-2.0
// Peers that restart, hang, swallow packets or take nothing.
#include "tests/actors/links/link_node.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <netinet/in.h>
#include <set>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::actors::links {
namespace {

using test_support::eventually;
using test_support::link_node;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

TEST(NodeLinksFault, TakesARestartedPeerForTheSameNode) {
  link_node one{{.id = 1}};
  auto two = std::make_unique<link_node>(link_node::settings{.id = 2});
  const auto port = two->links().port();
  one.meet(*two);
  ASSERT_TRUE(one.wait_for_link(*two));
  const auto before = one.peer(*two).incarnation;
  two.reset();
  ASSERT_TRUE(eventually([&] { return one.events().size() == 2; }));
  EXPECT_FALSE(one.events()[1].up);

  two = std::make_unique<link_node>(link_node::settings{.id = 2, .port = port});
  two->links().set_peer(one.id(), {one.address()});
  ASSERT_TRUE(one.wait_for_link(*two));
  ASSERT_EQ(one.events().size(), 3U);
  EXPECT_TRUE(one.events()[2].up);
  EXPECT_TRUE(one.events()[2].restarted);
  EXPECT_NE(one.events()[2].incarnation, before);
  ASSERT_TRUE(one.send(*two, kind::raft, 1, "hello again"));
  EXPECT_TRUE(eventually([&] { return two->message_count() == 1; }));
}

TEST(NodeLinksFault, ComesBackWhenOnlyTheSecondDialerKnowsTheWay) {
  link_node one{{.id = 1, .adjust = [](link_options& options) {
                   options.second_dialer_after = 50ms;
                 }}};
  link_node two{{.id = 2}};
  // Node 2 would dial first but does not know where node 1 is.
  one.links().set_peer(two.id(), {two.address()});
  EXPECT_TRUE(one.wait_for_link(two));
  EXPECT_TRUE(one.peer(two).dialed);
}

TEST(NodeLinksFault, EndsWithOneLinkWhenBothDialAtOnce) {
  for (int round = 0; round < 15; ++round) {
    const auto at_once = [](link_options& options) {
      options.second_dialer_after = 0ms;
    };
    link_node one{{.id = 1, .adjust = at_once}};
    link_node two{{.id = 2, .adjust = at_once}};
    one.meet(two);
    ASSERT_TRUE(eventually([&] {
      return one.linked_to(two) && two.linked_to(one) &&
             one.peer(two).link == two.peer(one).link;
    })) << one.log_text()
        << two.log_text();
    ASSERT_TRUE(one.send(two, kind::raft, 1, "x"));
    ASSERT_TRUE(eventually([&] { return two.message_count() == 1; }))
        << one.log_text() << two.log_text();
  }
}

TEST(NodeLinksFault, ForgetsAPeer) {
  link_node one{{.id = 1}};
  link_node two{{.id = 2}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two));
  two.links().forget_peer(one.id());
  one.links().forget_peer(two.id());
  EXPECT_TRUE(eventually([&] {
    return one.links().peers().empty() && two.links().peers().empty();
  }));
}

// ------------------------------------------------------------ other processes

/// A link_peer of its own process.
class peer_process {
public:
  peer_process(std::uint32_t id, link_node& other, std::uint16_t port = 0) {
    int in[2];
    int out[2];
    EXPECT_EQ(::pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::vector<std::string> words{LINK_PEER, std::to_string(id),
                                   std::to_string(other.id().value()),
                                   other.address(), std::to_string(port)};
    std::vector<char*> arguments;
    for (auto& word : words)
      arguments.push_back(word.data());
    arguments.push_back(nullptr);
    EXPECT_EQ(::posix_spawn(&pid_, LINK_PEER, &actions, nullptr,
                            arguments.data(), environ),
              0);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    keep_open_ = in[1];
    auto* lines = ::fdopen(out[0], "r");
    char line[200] = {};
    EXPECT_NE(std::fgets(line, sizeof line, lines), nullptr);
    std::fclose(lines);
    address_ = line;
    while (!address_.empty() && address_.back() == '\n')
      address_.pop_back();
  }
  ~peer_process() {
    signal(SIGCONT);
    kill();
    ::close(keep_open_);
  }
  peer_process(const peer_process&) = delete;
  peer_process& operator=(const peer_process&) = delete;

  void signal(int number) {
    if (pid_ > 0)
      ::kill(pid_, number);
  }
  void kill() {
    if (pid_ <= 0)
      return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] std::uint16_t port() const {
    return parse_host_port(address_)->port;
  }

private:
  pid_t pid_ = -1;
  int keep_open_ = -1;
  std::string address_;
};

bool is_up(link_node& node, std::uint32_t id) {
  for (const auto& each : node.links().peers())
    if (each.node == core::node_id{id})
      return each.state == peer_state::up;
  return false;
}

TEST(NodeLinksFault, FindsAStoppedProcessInThreeSeconds) {
  link_node one{{.id = 1}};
  peer_process two{2, one};
  one.links().set_peer(core::node_id{2}, {two.address()});
  ASSERT_TRUE(eventually([&] { return is_up(one, 2); }));
  const auto incarnation = one.events().front().incarnation;

  two.signal(SIGSTOP);
  const auto stopped = clock::now();
  ASSERT_TRUE(eventually([&] { return !is_up(one, 2); }));
  EXPECT_LE(clock::now() - stopped, 3s);
  EXPECT_TRUE(one.logged("silent for"));
  EXPECT_FALSE(one.events()[1].up);

  two.signal(SIGCONT);
  ASSERT_TRUE(eventually([&] { return is_up(one, 2); })) << one.log_text();
  EXPECT_EQ(one.events()[2].incarnation, incarnation);
  EXPECT_FALSE(one.events()[2].restarted);
}

TEST(NodeLinksFault, FindsAKilledProcessAtOnceAndItsSuccessor) {
  link_node one{{.id = 1}};
  auto two = std::make_unique<peer_process>(2, one);
  const auto port = two->port();
  one.links().set_peer(core::node_id{2}, {two->address()});
  ASSERT_TRUE(eventually([&] { return is_up(one, 2); }));
  two->kill();
  const auto killed = clock::now();
  ASSERT_TRUE(eventually([&] { return !is_up(one, 2); }));
  EXPECT_LE(clock::now() - killed, 1s);
  two = std::make_unique<peer_process>(2, one, port);
  ASSERT_TRUE(eventually([&] { return is_up(one, 2); }));
  EXPECT_TRUE(one.events().back().restarted);
}

TEST(NodeLinksFault, LetsARestartedProcessReplaceAHungOne) {
  link_node one{{.id = 1, .adjust = [](link_options& options) {
                   options.silence_max = 60s; // only the probe may help
                 }}};
  peer_process hung{2, one};
  ASSERT_TRUE(eventually([&] { return is_up(one, 2); }));
  hung.signal(SIGSTOP);
  peer_process fresh{2, one};
  EXPECT_TRUE(eventually([&] {
    const auto events = one.events();
    return events.size() == 3 && events[2].up && events[2].restarted;
  })) << one.log_text();
}

// ------------------------------------------------------------ broken networks

/// A socket that listens and never accepts. `full`: connects to it hang, as
/// they do where packets are dropped.
class deaf_listener {
public:
  explicit deaf_listener(bool full)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(::listen(socket_, full ? 0 : 16), 0);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    for (int i = 0; full && i < 4; ++i) {
      fill_.push_back(
          ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      ::connect(fill_.back(), reinterpret_cast<sockaddr*>(&at), sizeof at);
    }
  }
  ~deaf_listener() {
    for (const auto each : fill_)
      ::close(each);
    ::close(socket_);
  }
  deaf_listener(const deaf_listener&) = delete;
  deaf_listener& operator=(const deaf_listener&) = delete;
  [[nodiscard]] std::string address() const {
    return "127.0.0.1:" + std::to_string(port_);
  }

private:
  int socket_;
  std::uint16_t port_ = 0;
  std::vector<int> fill_;
};

TEST(NodeLinksFault, ConnectsDoNotHoldUpEachOther) {
  const deaf_listener swallows{true};
  const deaf_listener silent{false};
  link_node nine{{.id = 9, .adjust = [](link_options& options) {
                    options.connect_timeout = 30s;
                    options.handshake_timeout = 30s;
                  }}};
  link_node one{{.id = 1}};
  nine.links().set_peer(core::node_id{2}, {swallows.address()});
  nine.links().set_peer(core::node_id{3}, {silent.address()});
  ASSERT_TRUE(eventually([&] { return nine.links().peers().size() == 2; }));
  const auto begun = clock::now();
  nine.links().set_peer(one.id(), {one.address()});
  EXPECT_TRUE(eventually([&] { return nine.linked_to(one); }));
  EXPECT_LT(clock::now() - begun, 5s);
}

TEST(NodeLinksFault, GivesUpOnAPeerThatNeverSpeaksAndTriesAgain) {
  const deaf_listener swallows{true};
  const deaf_listener silent{false};
  link_node nine{{.id = 9, .adjust = [](link_options& options) {
                    options.connect_timeout = 100ms;
                    options.handshake_timeout = 100ms;
                    options.retry_min = 10ms;
                  }}};
  nine.links().set_peer(core::node_id{2}, {swallows.address()});
  nine.links().set_peer(core::node_id{3}, {silent.address()});
  EXPECT_TRUE(eventually([&] {
    const auto stats = nine.links().stats();
    return stats.refused[static_cast<std::size_t>(refusal_code::timed_out)] >=
               2 &&
           stats.refused[static_cast<std::size_t>(refusal_code::closed)] >= 2;
  })) << nine.log_text();
  EXPECT_TRUE(nine.logged("is silent"));
  EXPECT_TRUE(nine.logged("no answer in time"));
}

TEST(NodeLinksFault, TriesTheNextAddress) {
  const deaf_listener swallows{true};
  link_node nine{{.id = 9, .adjust = [](link_options& options) {
                    options.connect_timeout = 100ms;
                  }}};
  link_node one{{.id = 1}};
  nine.links().set_peer(one.id(),
                        {"nobody.invalid:1", swallows.address(),
                         "localhost:" + std::to_string(one.links().port())});
  EXPECT_TRUE(eventually([&] { return nine.linked_to(one); }))
      << nine.log_text();
}

// -------------------------------------------------------------- slow receivers

/// Takes messages and keeps their credit until told.
struct slow_consumer {
  std::mutex mutex;
  std::vector<received> kept;
  std::atomic<bool> slow{true};
  std::atomic<std::size_t> bytes{0};

  void prepare(node_links& links) {
    links.on_message(kind::snapshot, [this](const received& message) {
      bytes += message.body.size();
      const std::lock_guard lock{mutex};
      if (slow)
        kept.push_back(message);
    });
  }
  void release() {
    slow = false;
    const std::lock_guard lock{mutex};
    kept.clear();
  }
};

constexpr std::size_t mebi = std::size_t{1} << 20U;

void small_bounds(link_options& options) {
  options.window = {mebi, mebi};
  options.queue_bytes_max = {mebi, 4 * mebi};
}

TEST(NodeLinksFault, BoundsWhatWaitsForASlowReceiver) {
  slow_consumer consumer;
  link_node one{{.id = 1, .adjust = small_bounds}};
  link_node two{{.id = 2, .adjust = small_bounds, .prepare = [&](auto& links) {
                   consumer.prepare(links);
                 }}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two));
  const std::string body(60'000, 'b');
  std::size_t accepted = 0;
  // Ends only by a refusal.
  ASSERT_TRUE(eventually([&] {
    const auto sent = one.send(two, kind::snapshot, 1, body);
    if (sent)
      accepted += body.size();
    else
      EXPECT_EQ(sent.error().code, core::errc::overloaded);
    return !sent && consumer.bytes >= mebi / 2;
  }));
  EXPECT_LE(consumer.bytes, mebi);
  EXPECT_LE(accepted, 6 * mebi);
  EXPECT_GE(
      one.peer(two).dropped[static_cast<std::size_t>(drop_reason::overloaded)],
      1U);

  // Control is not held up by it.
  ASSERT_TRUE(one.send(two, kind::raft, 1, "vote"));
  EXPECT_TRUE(eventually([&] { return two.message_count() == 1; }));

  consumer.release();
  EXPECT_TRUE(eventually([&] { return consumer.bytes == accepted; }));
  EXPECT_TRUE(one.send(two, kind::snapshot, 1, body));
}

TEST(NodeLinksFault, CutsAPeerThatTakesNothing) {
  slow_consumer consumer;
  link_node one{{.id = 1, .adjust = [](link_options& options) {
                   small_bounds(options);
                   options.beat_interval = 20ms;
                   options.stall_max = 200ms;
                 }}};
  link_node two{{.id = 2, .adjust = small_bounds, .prepare = [&](auto& links) {
                   consumer.prepare(links);
                 }}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two));
  const std::string body(200'000, 'b');
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(one.send(two, kind::snapshot, 1, body));
  EXPECT_TRUE(eventually([&] { return one.logged("has taken nothing for"); }));
  EXPECT_TRUE(eventually([&] {
    return one.peer(two)
               .dropped[static_cast<std::size_t>(drop_reason::link_lost)] > 0;
  }));
  consumer.release();
  EXPECT_TRUE(one.wait_for_link(two)) << "and takes it back";
}

} // namespace
} // namespace troupe::actors::links
