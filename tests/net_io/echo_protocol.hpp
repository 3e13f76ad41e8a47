// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/protocol.hpp"
#include "net/protocol_host.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::net::test {

/// What all echoes of one test have seen.
struct echo_record {
  std::atomic<int> opened{0};
  std::atomic<int> closed{0}; ///< on_closed
  std::atomic<int> destroyed{0};
  std::atomic<int> flushed{0};
  std::atomic<int> ticks{0};
  std::atomic<int> frames{0};
  std::atomic<int> frames_in_place{0}; ///< kept without a copy
  std::atomic<int> events{0};
};

/// Frames of a length (4 bytes, big-endian) and a body, sent back as they
/// are; but
///   "close"    says "bye" and closes     "abort"   cuts
///   "fill N"   sends a frame of N bytes  "login"   logs in
///   "tick"     wants a tick soon         "pause"   wants no bytes till one
/// A delivery is sent as its payload, another event as "event".
class echo_protocol final : public protocol {
public:
  explicit echo_protocol(std::shared_ptr<echo_record> record)
      : record_(std::move(record)) {}
  ~echo_protocol() override { ++record_->destroyed; }

  static std::string frame(std::string_view body) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8)
      out.push_back(static_cast<char>((body.size() >> shift) & 0xff));
    return out.append(body);
  }

  void on_open(core::steady_time, effects&) override { ++record_->opened; }

  std::size_t on_bytes(const input& in, core::steady_time now,
                       effects& out) override {
    std::size_t used = 0;
    while (!paused_ && !out.close && !out.abort) {
      auto rest = in.bytes.subspan(used);
      need_ = frame_size(rest);
      if (need_ == 0 || rest.size() < need_)
        return used;
      auto body = rest.subspan(4, need_ - 4);
      used += need_;
      ++record_->frames;
      on_frame(in, body, now, out);
    }
    need_ = 0;
    return used;
  }

  [[nodiscard]] std::size_t frame_bytes() const override { return need_; }
  [[nodiscard]] bool paused() const override { return paused_; }

  void on_event(core::session_event event, core::steady_time,
                effects& out) override {
    ++record_->events;
    if (auto* d = std::get_if<core::delivery>(&event)) {
      out.output.append(frame(d->message->payload.text()));
    } else if (std::holds_alternative<core::session_ended>(event)) {
      out.output.append(frame("ended"));
      out.close = "session ended";
    } else if (auto* l = std::get_if<core::logged_in>(&event)) {
      out.output.append(frame(l->failure.code == core::errc::ok
                                  ? "welcome"
                                  : to_string(l->failure.code)));
    } else {
      out.output.append(frame("event"));
    }
  }

  void on_flushed(core::steady_time, effects&) override { ++record_->flushed; }
  void on_tick(core::steady_time, effects& out) override {
    ++record_->ticks;
    deadline_.reset();
    paused_ = false;
    out.output.append(frame("ticked"));
  }
  [[nodiscard]] std::optional<core::steady_time> deadline() const override {
    return deadline_;
  }
  void on_closed(effects& out) override {
    ++record_->closed;
    out.output.append(frame("half"));
  }
  [[nodiscard]] std::string_view name() const override { return "echo"; }

private:
  static std::size_t frame_size(core::bytes_view bytes) {
    if (bytes.size() < 4)
      return 0;
    std::size_t size = 0;
    for (int i = 0; i < 4; ++i)
      size = size << 8 |
             std::to_integer<std::size_t>(bytes[static_cast<std::size_t>(i)]);
    return size + 4;
  }

  void on_frame(const input& in, core::bytes_view body, core::steady_time now,
                effects& out) {
    auto text = core::as_text(body);
    if (text == "close") {
      out.output.append(frame("bye"));
      out.close = "asked to";
    } else if (text == "abort") {
      out.abort = true;
    } else if (text.starts_with("fill ")) {
      auto size = std::stoul(std::string{text.substr(5)});
      out.output.append(
          core::shared_bytes::copy_of(frame(std::string(size, 'x'))));
    } else if (text == "login") {
      out.commands.emplace_back(core::login{1, "alice", "phone", 1, {}});
    } else if (text == "tick" || text == "pause") {
      deadline_ = now + std::chrono::milliseconds{1};
      paused_ = text == "pause";
    } else {
      if (in.owner != nullptr)
        ++record_->frames_in_place;
      auto kept = in.keep(body);
      out.output.append(frame({}).replace(0, 4, frame(text), 0, 4));
      out.output.append(kept);
    }
  }

  std::shared_ptr<echo_record> record_;
  std::optional<core::steady_time> deadline_;
  std::size_t need_ = 0;
  bool paused_ = false;
};

inline protocol_factory make_echo(std::shared_ptr<echo_record> record) {
  return [record](protocol_host&) {
    return std::make_unique<echo_protocol>(record);
  };
}

} // namespace troupe::net::test
