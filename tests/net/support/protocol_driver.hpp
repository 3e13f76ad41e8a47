// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/protocol.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::net {

/// Plays the connection and the session around a protocol object, in virtual
/// time. Checks what holds for every protocol on the way.
class protocol_driver {
public:
  explicit protocol_driver(std::unique_ptr<protocol> subject)
      : subject_(std::move(subject)) {
    run([&](effects& out) { subject_->on_open(now, out); });
  }

  /// Bytes from the peer; what the protocol does not use is kept for later.
  void receive(std::string_view bytes) {
    unread_ += bytes;
    offer();
  }
  void event(core::session_event what) {
    run([&](effects& out) { subject_->on_event(std::move(what), now, out); });
    offer();
  }
  /// Everything sent reaches the operating system.
  void flush() {
    sent += take_output();
    run([&](effects& out) { subject_->on_flushed(now, out); });
    offer();
  }
  /// Lets time pass, with each deadline on the way.
  void advance(core::milliseconds time) {
    const auto until = now + time;
    for (int ticks = 0; ticks < 1000; ++ticks) {
      const auto due = subject_->deadline();
      if (!due || *due > until)
        break;
      now = std::max(now, *due);
      run([&](effects& out) { subject_->on_tick(now, out); });
    }
    now = until;
  }
  void peer_gone() {
    run([&](effects& out) { subject_->on_closed(out); });
  }

  /// What was written since the last look.
  std::string take_output() {
    std::string bytes;
    while (!output.empty()) {
      iovec pieces[16];
      const auto count = output.gather(pieces, 16);
      std::size_t total = 0;
      for (std::size_t i = 0; i < count; ++i) {
        bytes.append(static_cast<const char*>(pieces[i].iov_base),
                     pieces[i].iov_len);
        total += pieces[i].iov_len;
      }
      output.consume(total);
    }
    return std::exchange(sent, {}) + bytes;
  }
  /// The oldest command not yet taken. Fails the test if it is another kind.
  template <class Command>
  Command take() {
    if (commands.empty()) {
      ADD_FAILURE() << "no command";
      return {};
    }
    auto first = std::move(commands.front());
    commands.erase(commands.begin());
    if (auto* found = std::get_if<Command>(&first))
      return std::move(*found);
    ADD_FAILURE() << "another command: index " << first.index();
    return {};
  }

  [[nodiscard]] protocol& subject() { return *subject_; }

  core::steady_time now{std::chrono::hours{1}};
  output_queue output;
  std::vector<core::session_command> commands;
  std::string closed; ///< the text of the close effect
  bool is_closed = false;
  bool aborted = false;

private:
  void offer() {
    // As a connection does: again and again until nothing is used.
    while (!unread_.empty() && !is_closed && !subject_->paused()) {
      std::size_t used = 0;
      run([&](effects& out) {
        used = subject_->on_bytes({core::as_bytes(unread_)}, now, out);
      });
      ASSERT_LE(used, unread_.size());
      unread_.erase(0, used);
      if (used == 0)
        break;
    }
  }
  template <class Call>
  void run(Call&& call) {
    effects out{output};
    const auto before = output.size();
    call(out);
    if (is_closed) {
      EXPECT_EQ(output.size(), before) << "output after close";
      EXPECT_TRUE(out.commands.empty()) << "command after close";
      EXPECT_FALSE(out.close) << "closed twice";
    }
    for (auto& command : out.commands)
      commands.push_back(std::move(command));
    if (out.close) {
      is_closed = true;
      closed = *out.close;
      aborted = out.abort;
      EXPECT_FALSE(subject_->deadline()) << "a timer after close";
      EXPECT_FALSE(subject_->paused()) << "paused after close";
    }
  }

  std::unique_ptr<protocol> subject_;
  std::string unread_;
  std::string sent;
};

} // namespace troupe::net
