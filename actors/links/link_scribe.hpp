// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/stream.hpp>
#include <caf/io/scribe.hpp>
#include <caf/openssl/session.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::actors::links {

/// What CAF's network may get to see of one connection, and who is told of
/// its end.
struct scribe_rules {
  /// Actor number of the gate: no other actor can be reached.
  std::uint64_t gate = 0;
  /// envelope_prefix(): no other message passes.
  std::string prefix;
  std::size_t payload_bytes_max = 0;
  /// Once, when CAF has let go of the connection; on any thread.
  std::function<void()> on_closed;
  /// Messages that were read and thrown away.
  std::shared_ptr<std::atomic<std::uint64_t>> swallowed;
};

/// A connection as CAF's BASP broker sees it, but guarded: CAF believes every
/// length and serves every request of a peer (notes: allocation of 4 GiB by
/// 32 bytes, remote kill, remote configuration). Here a frame above the bound
/// ends the connection, and of all that BASP knows only handshakes and
/// envelopes for the gate pass; the rest is swallowed. The socket has proven
/// itself before; with a session it speaks TLS.
///
/// Belongs to CAF's network thread from the first configure_read on.
class link_scribe final : public caf::io::scribe {
public:
  /// Takes the descriptor. `session` null: plain.
  link_scribe(caf::io::network::default_multiplexer& network, int descriptor,
              caf::openssl::session_ptr session, std::string address,
              scribe_rules rules);
  ~link_scribe() override;

  void configure_read(caf::io::receive_policy::config config) override;
  void ack_writes(bool enable) override;
  std::vector<char>& wr_buf() override;
  std::vector<char>& rd_buf() override;
  void flush() override;
  void graceful_shutdown() override;
  std::string addr() const override { return address_; }
  std::uint16_t port() const override { return 0; }
  void add_to_loop() override;
  void remove_from_loop() override;
  bool consume(caf::execution_unit* unit, const void* bytes,
               std::size_t size) override;

private:
  class guarded_stream final : public caf::io::network::stream {
  public:
    guarded_stream(caf::io::network::default_multiplexer& network,
                   int descriptor, caf::openssl::session_ptr session);
    void handle_event(caf::io::network::operation operation) override;

  private:
    caf::openssl::session_ptr session_;
  };

  enum class expects : std::uint8_t { head, payload, waste };
  bool on_head(caf::execution_unit* unit, std::string_view head);
  bool on_payload(caf::execution_unit* unit, std::string_view payload);
  void read_next(expects what, std::size_t size);
  void hang_up();

  const std::string address_;
  const scribe_rules rules_;
  bool launched_ = false;
  expects next_ = expects::head;
  std::vector<char> head_; // held back until its payload is known
  guarded_stream stream_;
};

} // namespace troupe::actors::links
