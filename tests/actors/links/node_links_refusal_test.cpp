// SPDX-License-Identifier: Apache-2.0
// Who must not become a peer, and what strangers can't do.
#include "actors/links/envelope.hpp"
#include "tests/actors/links/link_node.hpp"
#include "tests/actors/links/raw_peer.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_registry.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <cstring>
#include <list>
#include <sys/socket.h>

namespace troupe::actors::links {
namespace {

using test_support::eventually;
using test_support::link_node;
using test_support::raw_peer;
using namespace std::chrono_literals;

std::uint64_t refusals(link_node& node, refusal_code code) {
  return node.links().stats().refused[static_cast<std::size_t>(code)];
}

/// A peer that knows the secret and is nobody's friend.
handshake_options insider(std::uint32_t id) {
  handshake_options options;
  options.secret = "a secret of the tests";
  options.self.cluster.fill(std::byte{7});
  options.self.node = core::node_id{id};
  options.self.incarnation = random_incarnation();
  options.self.window = {1U << 20U, 1U << 20U};
  options.self.address = "127.0.0.1:1";
  return options;
}

TEST(NodeLinksRefusal, TellsBothSidesOfAWrongSecret) {
  link_node one{{.id = 1}};
  link_node two{{.id = 2, .secret = "another secret"}};
  one.meet(two);
  EXPECT_TRUE(eventually([&] {
    return one.logged("wrong cluster secret") &&
           two.logged("wrong cluster secret");
  })) << one.log_text()
      << two.log_text();
  EXPECT_FALSE(one.linked_to(two));
  EXPECT_GE(refusals(one, refusal_code::wrong_secret), 1U);
}

TEST(NodeLinksRefusal, TellsBothSidesOfAWrongCluster) {
  link_node one{{.id = 1}};
  link_node two{{.id = 2, .cluster = std::byte{8}}};
  one.meet(two);
  EXPECT_TRUE(eventually([&] {
    return one.logged("wrong cluster") && two.logged("wrong cluster");
  }));
  EXPECT_FALSE(one.linked_to(two));
}

TEST(NodeLinksRefusal, TellsThatTwoNodesHaveOneId) {
  link_node one{{.id = 1}};
  link_node twin{{.id = 1}};
  link_node two{{.id = 2}};
  // The second node reaches for node 1 and finds its twin's address first.
  two.links().set_peer(one.id(), {one.address()});
  ASSERT_TRUE(eventually([&] { return two.linked_to(one); }));
  twin.links().set_peer(two.id(), {two.address()});
  EXPECT_TRUE(eventually([&] {
    return two.logged("the node id is in use by another process") &&
           twin.logged("the node id is in use by another process");
  })) << two.log_text()
      << twin.log_text();
  EXPECT_TRUE(two.linked_to(one)) << "the first one stays";
}

TEST(NodeLinksRefusal, NoticesAnAddressThatLeadsElsewhere) {
  link_node one{{.id = 1}};
  link_node two{{.id = 2}};
  two.links().set_peer(core::node_id{9}, {one.address()});
  EXPECT_TRUE(
      eventually([&] { return two.logged("another node than expected"); }));
}

TEST(NodeLinksRefusal, RefusesItsOwnIdInAnotherProcess) {
  link_node one{{.id = 1}};
  raw_peer twin{one.links().port()};
  dialer_handshake dialer{insider(1), purpose::link, {}};
  EXPECT_EQ(twin.shake_hands(dialer).why.code, refusal_code::same_node);
  EXPECT_TRUE(
      eventually([&] { return one.logged("two processes have the id 1"); }));
}

TEST(NodeLinksRefusal, AsksTheOwnerForAdmission) {
  link_node one{{.id = 1, .adjust = [](link_options& options) {
                   options.admit =
                       [](const peer_identity& who) -> core::result<void> {
                     if (who.node == core::node_id{2})
                       return core::error{core::errc::not_permitted,
                                          "node 2 was removed"};
                     return {};
                   };
                 }}};
  link_node two{{.id = 2}};
  link_node three{{.id = 3}};
  two.links().set_peer(one.id(), {one.address()});
  three.links().set_peer(one.id(), {one.address()});
  EXPECT_TRUE(eventually([&] { return three.linked_to(one); }));
  EXPECT_TRUE(eventually([&] { return two.logged("node 2 was removed"); }));
  EXPECT_FALSE(two.linked_to(one));
}

TEST(NodeLinksRefusal, RefusesGarbageAndGoesOn) {
  link_node one{{.id = 1}};
  link_node two{{.id = 2}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two));
  const auto link = one.peer(two).link;
  std::string basp(32, '\0'); // a BASP head: a handshake of 4 GiB
  basp[0] = 1;
  std::memcpy(basp.data() + 4, "\xff\xff\xff\xf0", 4);
  std::string large = encode_frame(frame_type::hello, "");
  std::memcpy(large.data() + 4, "\xff\xff\xff\x7f", 4);
  std::size_t count = 0;
  for (const auto& bytes :
       {basp, large, std::string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
        std::string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11},
        std::string(5000, '\xff'),
        encode_frame(frame_type::proof, std::string(32, 'p')),
        encode_frame(frame_type::hello, std::string(90, 'h'))}) {
    raw_peer attacker{one.links().port()};
    attacker.send(bytes);
    EXPECT_TRUE(attacker.wait_for_end());
    ++count;
  }
  EXPECT_TRUE(
      eventually([&] { return one.links().stats().refused_total >= count; }));
  EXPECT_EQ(one.peer(two).link, link);
  EXPECT_TRUE(one.send(two, kind::raft, 1, "still here"));
  EXPECT_TRUE(eventually([&] { return two.message_count() == 1; }));
}

TEST(NodeLinksRefusal, GivesAStrangerNoByteOfBasp) {
  link_node one{{.id = 1}};
  raw_peer stranger{one.links().port()};
  auto options = insider(5);
  options.secret = "guessed";
  dialer_handshake dialer{options, purpose::link, {}};
  const auto end = stranger.shake_hands(dialer);
  EXPECT_EQ(end.why.code, refusal_code::wrong_secret);
  EXPECT_EQ(stranger.receive(1), "");
}

TEST(NodeLinksRefusal, RefusesACafPeerThatIsNoTroupe) {
  link_node one{{.id = 1}};
  struct config : caf::actor_system_config {
    config() { load<caf::io::middleman>(); }
  } stranger_config;
  caf::actor_system stranger{stranger_config};
  const auto found =
      stranger.middleman().remote_actor("127.0.0.1", one.links().port());
  EXPECT_FALSE(found);
  EXPECT_TRUE(
      eventually([&] { return refusals(one, refusal_code::malformed) == 1; }));
}

TEST(NodeLinksRefusal, EndsSilentConversationsAndBoundsTheirNumber) {
  link_node one{{.id = 1, .adjust = [](link_options& options) {
                   options.handshake_timeout = 300ms;
                   options.conversations_max = 8;
                 }}};
  link_node two{{.id = 2}};
  std::list<raw_peer> silent;
  for (int i = 0; i < 40; ++i)
    silent.emplace_back(one.links().port());
  EXPECT_TRUE(
      eventually([&] { return refusals(one, refusal_code::busy) == 32; }));
  one.meet(two);
  EXPECT_TRUE(one.wait_for_link(two)) << "honest peers still come through";
  for (auto& each : silent)
    EXPECT_TRUE(each.wait_for_end());
  EXPECT_TRUE(
      eventually([&] { return refusals(one, refusal_code::timed_out) >= 7; }));
}

TEST(NodeLinksRefusal, CutsAnInsiderThatClaimsAHugeFrame) {
  link_node one{{.id = 1}};
  link_node two{{.id = 2}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two));
  raw_peer evil{one.links().port()};
  dialer_handshake dialer{insider(5), purpose::link, core::node_id{1}};
  ASSERT_EQ(evil.shake_hands(dialer).what, handshake_step::outcome::done);
  std::string basp(32, '\0');
  basp[0] = 2; // a message
  std::memcpy(basp.data() + 4, "\xff\xff\xff\xf0", 4);
  evil.send(basp);
  EXPECT_TRUE(evil.wait_for_end());
  EXPECT_TRUE(one.linked_to(two));
}

TEST(NodeLinksRefusal, SwallowsWhatIsNoEnvelopeForTheGate) {
  link_node one{{.id = 1}};
  raw_peer evil{one.links().port()};
  dialer_handshake dialer{insider(5), purpose::link, core::node_id{1}};
  ASSERT_EQ(evil.shake_hands(dialer).what, handshake_step::outcome::done);
  const auto before = one.links().stats().swallowed;
  const auto basp = [](char type, char flags, std::uint64_t to,
                       const std::string& payload) {
    std::string bytes(32, '\0');
    bytes[0] = type;
    bytes[3] = flags;
    bytes[7] = static_cast<char>(payload.size());
    for (std::size_t i = 0; i < 8; ++i)
      bytes[31 - i] = static_cast<char>(to >> (8 * i));
    return bytes + payload;
  };
  // To a named actor, to some actor, through this node, a monitor, a death.
  for (const auto& bytes :
       {basp(2, 1, 1, "lookup"), basp(2, 0, 3, "exit"), basp(3, 0, 3, "route"),
        basp(4, 0, 3, "watch"), basp(5, 0, 3, "dead"), basp(2, 0, 3, "")})
    ASSERT_TRUE(evil.send(bytes));
  EXPECT_TRUE(
      eventually([&] { return one.links().stats().swallowed >= before + 6; }));
}

/// The gate's handle, which no peer but a linked one could have.
gate_actor gate_of(link_node& node) {
  for (caf::actor_id id = 1; id < 1000; ++id) {
    auto found = node.system().registry().get(id);
    if (!found)
      continue;
    const auto* actor = dynamic_cast<caf::local_actor*>(
        caf::actor_cast<caf::abstract_actor*>(found));
    if (actor != nullptr && std::string{actor->name()} == "gate")
      return caf::actor_cast<gate_actor>(found);
  }
  return {};
}

TEST(NodeLinksRefusal, DropsEnvelopesOfOldLinks) {
  link_node one{{.id = 1}};
  link_node two{{.id = 2}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two));
  const auto gate = gate_of(one);
  ASSERT_TRUE(gate);
  caf::anon_send(gate, envelope{link_id{1}, 1, part::bye, {}});
  EXPECT_TRUE(
      eventually([&] { return one.links().stats().old_link_envelopes == 1; }));
  EXPECT_TRUE(one.linked_to(two));
}

TEST(NodeLinksRefusal, CutsALinkWithAGap) {
  link_node one{{.id = 1}};
  link_node two{{.id = 2}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two));
  const auto link = one.peer(two).link;
  caf::anon_send(gate_of(one), envelope{link, 1000, part::beat, {}});
  EXPECT_TRUE(eventually([&] { return one.logged("is missing"); }));
  EXPECT_TRUE(eventually([&] {
    return one.linked_to(two) && one.peer(two).link != link;
  })) << "and comes back";
  ASSERT_GE(one.events().size(), 3U);
  EXPECT_FALSE(one.events()[2].restarted);
}

} // namespace
} // namespace troupe::actors::links
