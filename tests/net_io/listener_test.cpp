// SPDX-License-Identifier: Apache-2.0
#include "net/listener.hpp"
#include "tests/net_io/echo_protocol.hpp"
#include "tests/net_io/node_fixture.hpp"
#include "tests/net_io/socket_client.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <future>
#include <sys/resource.h>

namespace troupe::net {
namespace {

using test::echo_protocol;
using test::eventually;
using test::socket_client;

class Listener : public test::node_fixture {
protected:
  door echo_door() {
    door d;
    d.protocols[sniffed::mq] = test::make_echo(record_);
    return d;
  }
  std::shared_ptr<test::echo_record> record_ =
      std::make_shared<test::echo_record>();
};

TEST_F(Listener, TellsTheRealPort) {
  auto at = serve(echo_door());
  EXPECT_NE(at.port, 0);
  EXPECT_EQ(to_string(at), "127.0.0.1:" + std::to_string(at.port));
}

TEST_F(Listener, ServesBothFamiliesOnOnePort) {
  listener_options options;
  options.endpoint = *parse_endpoint("*:0");
  options.served = std::make_shared<const door>(echo_door());
  auto at = network_->listen(options);
  ASSERT_TRUE(at);
  socket_client four{*parse_endpoint("127.0.0.1:" + std::to_string(at->port))};
  four.send(echo_protocol::frame("4"));
  EXPECT_EQ(four.receive(5), echo_protocol::frame("4"));
  if (at->address.is_v6()) {
    socket_client six{*parse_endpoint("[::1]:" + std::to_string(at->port))};
    six.send(echo_protocol::frame("6"));
    EXPECT_EQ(six.receive(5), echo_protocol::frame("6"));
  }
}

TEST_F(Listener, RefusesAPortThatIsTaken) {
  listener_options options;
  options.endpoint = serve(echo_door());
  options.served = std::make_shared<const door>(echo_door());
  auto again = network_->listen(options);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, core::errc::in_use);
}

TEST_F(Listener, SpreadsConnectionsEvenly) {
  auto at = serve(echo_door());
  std::vector<std::unique_ptr<socket_client>> clients;
  for (int i = 0; i < 40; ++i)
    clients.push_back(std::make_unique<socket_client>(at));
  ASSERT_TRUE(eventually([&] { return record_->opened == 40; }));
  std::promise<std::vector<connection_view>> listed;
  network_->list_connections(
      *loops_[0], [&](auto rows) { listed.set_value(std::move(rows)); });
  auto rows = listed.get_future().get();
  ASSERT_EQ(rows.size(), 40U);
  std::array<int, loop_count> per_loop{};
  for (const auto& row : rows) {
    ++per_loop[row.loop];
    EXPECT_EQ(row.info.protocol, "echo");
    EXPECT_EQ(row.info.local, at);
  }
  EXPECT_EQ(per_loop[0], 20);
}

TEST_F(Listener, ClosesItsPortButNoConnection) {
  auto at = serve(echo_door());
  socket_client client{at};
  client.send(echo_protocol::frame("a"));
  client.receive(5);
  network_->close_listeners();
  listener_options options;
  options.endpoint = at;
  options.served = std::make_shared<const door>(echo_door());
  EXPECT_TRUE(
      eventually([&] { return static_cast<bool>(network_->listen(options)); }));
  client.send(echo_protocol::frame("b"));
  EXPECT_EQ(client.receive(5), echo_protocol::frame("b"));
}

TEST_F(Listener, RestsWhenDescriptorsRunOut) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the vptr check of UBSan needs descriptors of its own";
#endif
  auto at = serve(echo_door());
  socket_client before{at};
  before.send(echo_protocol::frame("a"));
  before.receive(5);
  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  // The next descriptor the process opens is the client's; then none is left.
  auto next = ::open("/dev/null", O_RDONLY);
  ::close(next);
  rlimit few{static_cast<rlim_t>(next) + 1, old.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  socket_client refused_one{at};
  EXPECT_TRUE(refused_one.ended());
  EXPECT_TRUE(refused(refusal::no_descriptors));
  ::setrlimit(RLIMIT_NOFILE, &old);
  socket_client after{at};
  after.send(echo_protocol::frame("b"));
  EXPECT_EQ(after.receive(5), echo_protocol::frame("b"));
  before.send(echo_protocol::frame("c"));
  EXPECT_EQ(before.receive(5), echo_protocol::frame("c"));
}

} // namespace
} // namespace troupe::net
