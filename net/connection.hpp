// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/runtime/loop.hpp"
#include "core/assert.hpp"
#include "core/session_event.hpp"
#include "net/door.hpp"
#include "net/input_buffer.hpp"
#include "net/loop_sockets.hpp"
#include "net/output_queue.hpp"
#include "net/protocol_host.hpp"
#include "net/sniff.hpp"
#include "net/transport.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net {

/// One accepted socket from its first byte to its last: finds out what is
/// spoken (PROXY header, TLS, first bytes), then carries out the effects of
/// that protocol: reads when the socket is readable and the protocol wants
/// bytes, writes once a loop turn, keeps the deadlines, closes so that the
/// peer sees the last bytes.
///
/// Lives on one loop, kept alive by its loop_sockets until closed. Idle it
/// holds no buffer. Every wait has a deadline but that of a quiet, open
/// protocol, which TCP keep-alive watches.
class connection final : public std::enable_shared_from_this<connection>,
                         public actors::runtime::loop::flushable,
                         public core::session_link,
                         public protocol_host,
                         private poller::watcher {
public:
  /// Takes the socket `fd` (non-blocking) and begins. `lease` may be empty if
  /// the client's address is still to come in a PROXY header.
  static void start(loop_sockets& sockets, std::shared_ptr<const door> door,
                    int fd, connection_info info, address_lease lease);
  ~connection() override;

  [[nodiscard]] const connection_info& info() const override { return info_; }
  [[nodiscard]] std::uint64_t bytes_in() const noexcept { return bytes_in_; }
  [[nodiscard]] std::uint64_t bytes_out() const noexcept { return bytes_out_; }
  [[nodiscard]] std::size_t output_waiting() const noexcept {
    return output_.size();
  }

  /// The client is to connect to another node, if it has a session.
  void send_away();
  /// Somebody who may wants it gone: the protocol says goodbye, then the end.
  /// False: it speaks none that could (HTTP between two requests).
  bool dismiss();
  /// The node shuts down: the protocol says goodbye, then the end.
  void drain();
  /// Ends without ceremony. `reason` is for the log.
  void abort(std::string_view reason);
  /// The same because of a limit that somebody else keeps.
  void cut(refusal reason);

  // core::session_link, protocol_host
  void on_event(core::session_event event) override;
  void on_room() override;
  void run(const std::function<void(effects&)>& work) override;
  [[nodiscard]] actors::runtime::loop& home() override {
    return sockets_->home();
  }

private:
  friend class loop_sockets;
  friend class push_writer;

  enum class stage : std::uint8_t {
    proxy_header, ///< a PROXY header may or must come first
    detect,       ///< first bytes, still in the socket
    handshake,    ///< TLS
    detect_inner, ///< first bytes inside of TLS
    speaking,     ///< protocol_ is set
    closing,      ///< writes what is left
    lingering,    ///< our side is ended; reads to the peer's end
    closed,
  };
  /// One step of reading: is there more to do now?
  enum class step : std::uint8_t { more, wait };

  connection(loop_sockets& sockets, std::shared_ptr<const door> door, int fd,
             connection_info info, address_lease lease);

  // Opening (connection_opening.cpp).
  void set_socket_options();
  [[nodiscard]] const protocol_factory* only_protocol() const;
  step read_proxy_header();
  step accept_peer();
  step detect();
  step begin_tls();
  step shake_hands();
  step detect_inner();
  step choose(sniffed kind);
  step begin(const protocol_factory& make);
  step refuse(refusal reason, std::string_view text);
  /// Bytes that stay in the socket; none yet, or closed: nullopt.
  std::optional<core::bytes_view> peek(std::span<std::byte> into);

  void tell_observer();

  // Reading.
  void on_ready(std::uint32_t events) override;
  void work();
  [[nodiscard]] bool may_read() const;
  step read_for_protocol(std::size_t& budget);
  step read_into_scratch(std::size_t& budget);
  step read_into_frame(std::size_t need, std::size_t& budget);
  step after_read(const io_result& got);
  step protocol_error(std::string_view text);
  step read_away();
  std::size_t offer(core::bytes_view bytes, const core::shared_bytes* owner);
  [[nodiscard]] bool may_offer() const;
  void offer_held();
  void peer_ended();
  void broken();

  // Effects.
  template <class Call>
  void drive(Call&& call);
  void carry_out(effects& out);
  void replace_protocol(std::unique_ptr<protocol> successor);
  void send_commands(std::vector<core::session_command> commands);
  void keep_to_login_rate(std::vector<core::session_command>& commands);
  void after_effects();

  // Writing and closing.
  void flush() override;
  void write_out();
  [[nodiscard]] std::chrono::milliseconds stall_time() const;
  void begin_closing();
  void end_sending();
  void finish();
  void leave_protocol();

  // Time.
  [[nodiscard]] core::steady_time now() const;
  void set_deadline(std::chrono::milliseconds from_now);
  void arm();
  void on_timer();

  std::shared_ptr<loop_sockets> sockets_;
  std::shared_ptr<const door> door_;
  std::unique_ptr<transport> transport_;
  std::unique_ptr<protocol> protocol_;
  std::unique_ptr<session_port> session_;
  std::vector<core::session_event> events_; // came while driving_
  output_queue output_;
  input_buffer input_;
  connection_info info_;
  address_lease lease_;
  std::function<void(std::uint64_t)> at_end_;
  std::uint64_t at_end_from_ = 0; // of bytes_out_
  std::size_t slot_ = 0;          // in loop_sockets
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::size_t lingered_bytes_ = 0;

  // Of the current stage; of a write that waits; of the armed timer.
  core::steady_time deadline_ = core::steady_time::max();
  core::steady_time stall_deadline_ = core::steady_time::max();
  core::steady_time armed_ = core::steady_time::max();
  actors::runtime::timer_handle timer_;

  int fd_;
  stage stage_ = stage::detect;
  bool readable_ = false;    // an edge was seen and no EAGAIN since
  bool writable_ = true;     // no EAGAIN since the last edge
  bool hung_up_ = false;     // the kernel knows of the peer's end
  bool peer_ended_ = false;  // we have read the peer's end
  bool output_full_ = false; // back-pressure on reading
  bool driving_ = false;     // inside of a call to protocol_
  bool flush_due_ = false;   // on_flushed is owed
  bool close_wanted_ = false;
  bool abort_wanted_ = false;
  bool paused_ = false;   // as protocol_ said last
  bool reoffer_ = false;  // input_ has bytes the protocol now wants
  bool pushing_ = false;  // inside of run()
  bool queued_ = false;   // in the loop's push_writer
  bool observed_ = false; // door_->observer knows of it
};

template <class Call>
void connection::drive(Call&& call) {
  TROUPE_ASSERT(!driving_, "a protocol was entered twice");
  auto self = shared_from_this();
  driving_ = true;
  {
    effects out{output_};
    call(*protocol_, out);
    carry_out(out);
  }
  // Answers that came while the session was told; they may bring more.
  for (std::size_t i = 0; i < events_.size(); ++i) {
    if (close_wanted_ || abort_wanted_)
      break;
    auto event = std::move(events_[i]);
    effects out{output_};
    protocol_->on_event(std::move(event), now(), out);
    carry_out(out);
  }
  if (!events_.empty())
    events_ = {};
  driving_ = false;
  after_effects();
}

} // namespace troupe::net
