// SPDX-License-Identifier: Apache-2.0
#include "actors/links/handshake.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace troupe::actors::links {
namespace {

using outcome = handshake_step::outcome;

handshake_options node(std::uint32_t id, const std::string& secret = "secret",
                       std::byte cluster = std::byte{1}) {
  handshake_options options;
  options.secret = secret;
  options.self.cluster.fill(cluster);
  options.self.node = core::node_id{id};
  options.self.incarnation = incarnation{1000 + id};
  options.self.window = {1, 2};
  options.self.address = "127.0.0.1:" + std::to_string(7000 + id);
  return options;
}

struct parsed {
  frame_type type;
  core::bytes_view payload;
};
parsed parse(const std::string& frame) {
  const auto bytes = core::as_bytes(frame);
  const auto head = decode_frame_head(bytes.first(frame_head_size), 4096);
  EXPECT_TRUE(head);
  return {head->type, bytes.subspan(frame_head_size)};
}

template <class Side>
handshake_step give(Side& to, const std::string& frame) {
  const auto p = parse(frame);
  return to.on_frame(p.type, p.payload);
}

/// Runs a whole conversation; the last step of whoever ended it.
struct conversation {
  dialer_handshake dialer;
  acceptor_handshake acceptor;
  std::string hello;
  std::string challenge;
  std::string proof;
  handshake_step end;

  conversation(handshake_options from, handshake_options to,
               purpose why = purpose::link, core::node_id expected = {})
      : dialer(std::move(from), why, expected), acceptor(std::move(to)) {
    hello = dialer.begin();
    end = give(acceptor, hello);
    if (end.what != outcome::wait)
      return;
    challenge = end.send;
    end = give(dialer, challenge);
    if (end.what != outcome::wait)
      return;
    proof = end.send;
    end = give(acceptor, proof);
    if (end.what == outcome::authenticated)
      end = give(dialer, acceptor.accept());
  }
};

TEST(Handshake, ProvesBothSides) {
  conversation c{node(1), node(2), purpose::link, core::node_id{2}};
  ASSERT_EQ(c.end.what, outcome::done) << to_string(c.end.why);
  EXPECT_EQ(c.dialer.peer().node, core::node_id{2});
  EXPECT_EQ(c.acceptor.peer().node, core::node_id{1});
  EXPECT_EQ(c.dialer.peer().incarnation, incarnation{1002});
  EXPECT_EQ(c.dialer.keys().link, c.acceptor.keys().link);
  EXPECT_EQ(c.dialer.keys().to_dialer, c.acceptor.keys().to_dialer);
  EXPECT_NE(c.dialer.keys().to_dialer, c.dialer.keys().to_acceptor);
}

TEST(Handshake, NeverGivesTwoLinksOneId) {
  const conversation a{node(1), node(2)};
  const conversation b{node(1), node(2)};
  EXPECT_NE(a.dialer.keys().link, b.dialer.keys().link);
}

TEST(Handshake, RefusesAWrongSecret) {
  conversation c{node(1, "guess"), node(2)};
  EXPECT_EQ(c.end.what, outcome::failed);
  EXPECT_EQ(c.end.why.code, refusal_code::wrong_secret);
  EXPECT_FALSE(c.acceptor.authenticated());
  const auto told = give(c.dialer, c.end.send);
  EXPECT_EQ(told.what, outcome::failed);
  EXPECT_EQ(told.why.code, refusal_code::wrong_secret);
  EXPECT_TRUE(told.send.empty());
}

TEST(Handshake, TellsAStrangerNothingItCouldTrySecretsOn) {
  acceptor_handshake acceptor{node(2)};
  dialer_handshake stranger{node(1, "guess"), purpose::link, {}};
  const auto step = give(acceptor, stranger.begin());
  // Version and nonce, and no proof by the acceptor.
  EXPECT_EQ(step.send.size(), frame_head_size + 2 + nonce_size);
}

TEST(Handshake, RefusesAnAcceptorWithoutTheSecret) {
  dialer_handshake dialer{node(1), purpose::link, {}};
  acceptor_handshake impostor{node(2, "guess")};
  const auto challenge = give(impostor, dialer.begin());
  give(dialer, challenge.send);
  // It says yes without being able to check or to prove.
  const auto step = give(dialer, impostor.accept());
  EXPECT_EQ(step.what, outcome::failed);
  EXPECT_EQ(step.why.code, refusal_code::wrong_secret);
}

TEST(Handshake, RefusesAnotherCluster) {
  conversation c{node(1, "secret", std::byte{8}), node(2)};
  EXPECT_EQ(c.end.why.code, refusal_code::wrong_cluster);
}

TEST(Handshake, RefusesToBeTakenForAnotherNode) {
  conversation c{node(1), node(2), purpose::link, core::node_id{3}};
  EXPECT_EQ(c.end.why.code, refusal_code::wrong_node);
}

TEST(Handshake, LetsANewcomerAskWithoutClusterAndId) {
  auto newcomer = node(0, "secret", std::byte{0});
  newcomer.self.incarnation = {};
  conversation c{newcomer, node(2), purpose::join};
  ASSERT_EQ(c.end.what, outcome::done) << to_string(c.end.why);
  EXPECT_EQ(c.dialer.peer().cluster, node(2).self.cluster);
  conversation link{newcomer, node(2), purpose::link};
  EXPECT_EQ(link.end.what, outcome::failed);
}

TEST(Handshake, RefusesAReplayedConversation) {
  const conversation seen{node(1), node(2)};
  acceptor_handshake acceptor{node(2)};
  EXPECT_EQ(give(acceptor, seen.hello).what, outcome::wait);
  const auto step = give(acceptor, seen.proof);
  EXPECT_EQ(step.what, outcome::failed);
  EXPECT_EQ(step.why.code, refusal_code::wrong_secret);
}

TEST(Handshake, RefusesAReplayedAcceptance) {
  conversation seen{node(1), node(2)};
  dialer_handshake dialer{node(1), purpose::link, {}};
  EXPECT_EQ(give(dialer, seen.challenge).what, outcome::wait);
  EXPECT_EQ(give(dialer, seen.acceptor.accept()).why.code,
            refusal_code::wrong_secret);
}

TEST(Handshake, DoesNotTakeADialersProofForAnAcceptors) {
  const conversation seen{node(1), node(2)};
  dialer_handshake dialer{node(1), purpose::link, {}};
  give(dialer, seen.challenge);
  const auto own = std::string{core::as_text(parse(seen.proof).payload)};
  const auto forged =
      encode_frame(frame_type::accepted, encode(node(2).self) + own);
  EXPECT_EQ(give(dialer, forged).why.code, refusal_code::wrong_secret);
}

TEST(Handshake, NoticesEveryChangedByteOfAHello) {
  dialer_handshake dialer{node(1), purpose::link, core::node_id{2}};
  const auto hello = dialer.begin();
  for (std::size_t i = frame_head_size; i < hello.size(); ++i) {
    auto changed = hello;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    acceptor_handshake acceptor{node(2)};
    dialer_handshake same = dialer;
    auto step = give(acceptor, changed);
    if (step.what == outcome::wait)
      step = give(acceptor, give(same, step.send).send);
    EXPECT_EQ(step.what, outcome::failed) << "byte " << i;
  }
}

TEST(Handshake, RefusesFramesOutOfTurn) {
  acceptor_handshake acceptor{node(2)};
  EXPECT_EQ(acceptor.on_frame(frame_type::proof, {}).why.code,
            refusal_code::malformed);
  dialer_handshake dialer{node(1), purpose::link, {}};
  EXPECT_EQ(dialer.on_frame(frame_type::accepted, {}).why.code,
            refusal_code::malformed);
  conversation done{node(1), node(2)};
  EXPECT_EQ(give(done.acceptor, done.proof).what, outcome::failed);
}

TEST(Handshake, NeedsAVersionInCommon) {
  auto newer = node(1);
  newer.self.version = protocol_version + 5;
  newer.self.version_min = protocol_version + 1;
  conversation c{newer, node(2)};
  EXPECT_EQ(c.end.why.code, refusal_code::version);
  newer.self.version_min = protocol_version;
  conversation common{newer, node(2)};
  EXPECT_EQ(common.end.what, outcome::done) << to_string(common.end.why);
}

TEST(Handshake, SealsJoinMessages) {
  const auto frame = seal_join("key", frame_type::join_request, "let me in");
  const auto p = parse(frame);
  const auto text = open_join("key", p.payload);
  ASSERT_TRUE(text);
  EXPECT_EQ(core::as_text(*text), "let me in");
  EXPECT_FALSE(open_join("other", p.payload));
  auto changed = frame;
  changed[frame_head_size] = 'L';
  EXPECT_FALSE(open_join("key", parse(changed).payload));
  EXPECT_FALSE(open_join("key", core::as_bytes("short")));
}

} // namespace
} // namespace troupe::actors::links
