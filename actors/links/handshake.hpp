// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/hello_codec.hpp"
#include "actors/links/secret_proof.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Both sides of the conversation before a link or a join call:
///
///   dialer                                acceptor
///   hello  ---------------------------->
///          <----------------------------  challenge
///   proof  ---------------------------->
///          <----------------------------  accepted (its hello, its proof)
///
/// Either may say `refusal` instead and hang up. The one who comes proves
/// first: a stranger learns a version and a nonce, nothing it could try
/// secrets on. Pure state machines: whole frames in, bytes out; deadlines and
/// sockets belong to the caller.
namespace troupe::actors::links {

struct handshake_options {
  std::string secret;
  /// What this node says of itself; purpose, expected and nonce are filled in.
  hello self;
};

struct handshake_step {
  enum class outcome : std::uint8_t {
    wait,          ///< for the next frame
    authenticated, ///< acceptor: say accept() or refuse() now
    done,          ///< dialer: the link id and the peer are known
    failed,        ///< send and hang up
  };
  outcome what = outcome::wait;
  std::string send;
  refusal why; ///< failed
};

class dialer_handshake {
public:
  /// `expected` 0: whoever is there.
  dialer_handshake(handshake_options options, purpose why,
                   core::node_id expected);

  /// The first bytes to send.
  [[nodiscard]] std::string begin() const;
  handshake_step on_frame(frame_type type, core::bytes_view payload);

  /// After `done`.
  [[nodiscard]] const hello& peer() const { return peer_; }
  [[nodiscard]] const session_keys& keys() const { return keys_; }

private:
  handshake_step on_challenge(core::bytes_view payload);
  handshake_step on_accepted(core::bytes_view payload);

  const handshake_options options_;
  hello mine_;
  std::string hello_text_;
  std::string challenge_text_; // empty: not seen yet
  hello peer_;
  session_keys keys_;
};

class acceptor_handshake {
public:
  explicit acceptor_handshake(handshake_options options);

  handshake_step on_frame(frame_type type, core::bytes_view payload);

  /// After `authenticated`: the bytes of the answer, once.
  [[nodiscard]] std::string accept() const;

  [[nodiscard]] bool authenticated() const { return authenticated_; }
  /// What the peer says of itself; proven after `authenticated`.
  [[nodiscard]] const hello& peer() const { return peer_; }
  /// After `authenticated`.
  [[nodiscard]] const session_keys& keys() const { return keys_; }

private:
  handshake_step on_hello(core::bytes_view payload);
  handshake_step on_proof(core::bytes_view payload);

  const handshake_options options_;
  hello mine_;
  std::string mine_text_;
  std::string hello_text_; // empty: not seen yet
  std::string challenge_text_;
  hello peer_;
  session_keys keys_;
  bool authenticated_ = false;
};

/// The bytes that tell a peer why not.
std::string refusal_frame(const refusal& why);

/// A message of a join call: text, then its tag under the session's key, so
/// that nobody on the way can change it unseen.
std::string seal_join(std::string_view key, frame_type type,
                      std::string_view text);
/// The text without its tag; malformed if the tag does not match.
core::result<core::bytes_view> open_join(std::string_view key,
                                         core::bytes_view payload);

} // namespace troupe::actors::links
