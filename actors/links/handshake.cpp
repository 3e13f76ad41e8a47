// SPDX-License-Identifier: Apache-2.0
#include "actors/links/handshake.hpp"

#include <algorithm>

namespace troupe::actors::links {

namespace {

constexpr std::string_view dialer_label = "troupe-link-1 dialer";
constexpr std::string_view acceptor_label = "troupe-link-1 acceptor";
constexpr std::string_view join_label = "troupe-link-1 join";

using outcome = handshake_step::outcome;

handshake_step fail(refusal_code code, std::string text = {}) {
  handshake_step step;
  step.what = outcome::failed;
  step.why = {code, std::move(text)};
  step.send = refusal_frame(step.why);
  return step;
}

/// The other side gave up: nothing more to say to it.
handshake_step refused(core::bytes_view payload) {
  handshake_step step;
  step.what = outcome::failed;
  auto why = decode_refusal(payload);
  step.why = why ? *why : refusal{refusal_code::malformed, {}};
  step.why.text = step.why.text.empty() ? "said by the peer"
                                        : "the peer says: " + step.why.text;
  return step;
}

std::string hex(const cluster_name& name) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const auto each : name) {
    const auto value = std::to_integer<unsigned>(each);
    text += digits[value >> 4U];
    text += digits[value & 0xFU];
  }
  return text;
}

bool is_known(const cluster_name& name) { return name != cluster_name{}; }

/// 0 if there is none in common.
std::uint16_t common_version(const hello& peer) {
  const auto version = std::min(peer.version, protocol_version);
  const auto oldest = std::max(peer.version_min, protocol_version_min);
  return version >= oldest ? version : std::uint16_t{0};
}

} // namespace

std::string refusal_frame(const refusal& why) {
  return encode_frame(frame_type::refusal, encode(why));
}

// --------------------------------------------------------------------- dialer

dialer_handshake::dialer_handshake(handshake_options options, purpose why,
                                   core::node_id expected)
    : options_(std::move(options)), mine_(options_.self) {
  mine_.purpose = why;
  mine_.expected = expected;
  mine_.nonce = random_nonce();
  hello_text_ = encode(mine_);
}

std::string dialer_handshake::begin() const {
  return encode_frame(frame_type::hello, hello_text_);
}

handshake_step dialer_handshake::on_frame(frame_type type,
                                          core::bytes_view payload) {
  if (type == frame_type::refusal)
    return refused(payload);
  if (type == frame_type::challenge && challenge_text_.empty())
    return on_challenge(payload);
  if (type == frame_type::accepted && !challenge_text_.empty())
    return on_accepted(payload);
  return fail(refusal_code::malformed, "a frame out of turn");
}

handshake_step dialer_handshake::on_challenge(core::bytes_view payload) {
  const auto challenge = decode_challenge(payload);
  if (!challenge)
    return fail(refusal_code::malformed, challenge.error().detail);
  if (challenge->version < protocol_version_min ||
      challenge->version > protocol_version)
    return fail(refusal_code::version,
                "version " + std::to_string(challenge->version) + " chosen");
  challenge_text_ = core::as_text(payload);
  const auto proof =
      prove(options_.secret, dialer_label, {hello_text_, challenge_text_});
  handshake_step step;
  step.send = encode_frame(frame_type::proof, core::as_text(proof));
  return step;
}

handshake_step dialer_handshake::on_accepted(core::bytes_view payload) {
  if (payload.size() < proof_size)
    return fail(refusal_code::malformed, "an acceptance of wrong length");
  const auto hello_bytes = payload.first(payload.size() - proof_size);
  const auto theirs = core::as_text(hello_bytes);
  const auto wanted = prove(options_.secret, acceptor_label,
                            {hello_text_, challenge_text_, theirs});
  if (!same_proof(wanted, payload.last(proof_size)))
    return fail(refusal_code::wrong_secret,
                "the acceptor does not know the cluster secret");
  auto peer = decode_hello(hello_bytes);
  if (!peer)
    return fail(refusal_code::malformed, peer.error().detail);
  if (is_known(mine_.cluster) && peer->cluster != mine_.cluster)
    return fail(refusal_code::wrong_cluster,
                "the acceptor belongs to " + hex(peer->cluster));
  if (mine_.expected != core::node_id{} && peer->node != mine_.expected)
    return fail(refusal_code::wrong_node,
                "node " + std::to_string(peer->node.value()) + " answers");
  peer_ = std::move(*peer);
  keys_ = derive_keys(options_.secret, hello_text_, challenge_text_, theirs);
  handshake_step step;
  step.what = outcome::done;
  return step;
}

// ------------------------------------------------------------------- acceptor

acceptor_handshake::acceptor_handshake(handshake_options options)
    : options_(std::move(options)), mine_(options_.self) {}

handshake_step acceptor_handshake::on_frame(frame_type type,
                                            core::bytes_view payload) {
  if (type == frame_type::refusal)
    return refused(payload);
  if (type == frame_type::hello && hello_text_.empty())
    return on_hello(payload);
  if (type == frame_type::proof && !hello_text_.empty() && !authenticated_)
    return on_proof(payload);
  return fail(refusal_code::malformed, "a frame out of turn");
}

handshake_step acceptor_handshake::on_hello(core::bytes_view payload) {
  auto peer = decode_hello(payload);
  if (!peer)
    return fail(refusal_code::malformed, peer.error().detail);
  peer_ = std::move(*peer);
  const auto version = common_version(peer_);
  if (version == 0)
    return fail(refusal_code::version,
                "versions " + std::to_string(protocol_version_min) + " to " +
                    std::to_string(protocol_version) + " are spoken here, " +
                    std::to_string(peer_.version_min) + " to " +
                    std::to_string(peer_.version) + " there");
  const bool newcomer = peer_.purpose == purpose::join;
  if (peer_.cluster != mine_.cluster && !(newcomer && !is_known(peer_.cluster)))
    return fail(refusal_code::wrong_cluster,
                "the caller belongs to " + hex(peer_.cluster));
  if (peer_.expected != core::node_id{} && peer_.expected != mine_.node)
    return fail(refusal_code::wrong_node,
                "node " + std::to_string(peer_.expected.value()) +
                    " does not live here");
  if (!newcomer && (peer_.node == core::node_id{} ||
                    peer_.incarnation == links::incarnation{}))
    return fail(refusal_code::malformed, "a link of nobody");
  hello_text_ = core::as_text(payload);
  challenge_text_ = encode(challenge{version, random_nonce()});
  mine_.version = version;
  mine_.purpose = peer_.purpose;
  mine_.expected = peer_.node;
  mine_.nonce = random_nonce();
  mine_text_ = encode(mine_);
  handshake_step step;
  step.send = encode_frame(frame_type::challenge, challenge_text_);
  return step;
}

handshake_step acceptor_handshake::on_proof(core::bytes_view payload) {
  const auto wanted =
      prove(options_.secret, dialer_label, {hello_text_, challenge_text_});
  if (!same_proof(wanted, payload))
    return fail(refusal_code::wrong_secret,
                "the caller does not know the cluster secret");
  authenticated_ = true;
  keys_ =
      derive_keys(options_.secret, hello_text_, challenge_text_, mine_text_);
  handshake_step step;
  step.what = outcome::authenticated;
  return step;
}

std::string acceptor_handshake::accept() const {
  const auto proof = prove(options_.secret, acceptor_label,
                           {hello_text_, challenge_text_, mine_text_});
  return encode_frame(frame_type::accepted,
                      mine_text_ + std::string{core::as_text(proof)});
}

// ----------------------------------------------------------------------- join

std::string seal_join(std::string_view key, frame_type type,
                      std::string_view text) {
  const auto tag = prove(key, join_label, {text});
  return encode_frame(type,
                      std::string{text} + std::string{core::as_text(tag)});
}

core::result<core::bytes_view> open_join(std::string_view key,
                                         core::bytes_view payload) {
  if (payload.size() < proof_size)
    return core::error{core::errc::malformed, "a join message too short"};
  const auto text = payload.first(payload.size() - proof_size);
  const auto tag = prove(key, join_label, {core::as_text(text)});
  if (!same_proof(tag, payload.last(proof_size)))
    return core::error{core::errc::malformed,
                       "a join message changed on its way"};
  return text;
}

} // namespace troupe::actors::links
