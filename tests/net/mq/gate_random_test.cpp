// SPDX-License-Identifier: Apache-2.0

// A random peer and a random broker against what must always hold. The driver
// itself checks that nothing happens after a close.
#include "net/mq/message_decoder.hpp"
#include "tests/net/mq/mq_driver.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>

namespace troupe::net::mq {
namespace {

class random_talk {
public:
  random_talk(unsigned seed, int packets) : random_(seed) {
    options_.requests_max = 4;
    options_.output_bytes_max = 4096;
    while (packets > 0) {
      peer_ = std::make_unique<mq_driver>(options_);
      asked_.clear();
      pending_.clear();
      in_flight_.clear();
      last_position_ = acknowledged_;
      logged_in_ = false;
      window_ = 1;
      while (packets > 0 && !peer_->is_closed && !session_closed()) {
        --packets;
        step();
        check_output(); // what was sent before what was acknowledged
        check_commands();
        if (testing::Test::HasFatalFailure())
          return;
      }
      check_end();
    }
  }

private:
  unsigned pick(unsigned count) {
    return static_cast<unsigned>(random_() % count);
  }

  void step() {
    switch (pick(10)) {
    case 0:
      return peer_->receive(log_in());
    case 1:
    case 2:
      return post();
    case 3:
      return list_edit();
    case 4:
      return acknowledge();
    case 5:
    case 6:
      return deliver();
    case 7:
      return answer();
    case 8:
      return peer_->flush();
    case 9:
      return rarely();
    }
  }
  void rarely() {
    switch (pick(12)) {
    case 0:
      return peer_->receive(packet(R"({"op":"nope"})"));
    case 1:
      return peer_->receive(close_frame);
    case 2:
      return peer_->receive(std::string(3, static_cast<char>(pick(256))));
    case 3:
      return peer_->peer_gone();
    case 4:
      return peer_->event(core::session_ended{});
    case 5:
    case 6:
    case 7:
      return peer_->advance(core::milliseconds{pick(12'000)});
    case 8:
      return peer_->receive(packet(
          R"({"op":"register","userId":"alice","newNode":"","aliases":"a"})"));
    default:
      return peer_->advance(core::milliseconds{pick(100)});
    }
  }

  std::string log_in() {
    return packet(R"({"op":"login","userId":"alice","nodeId":"n0")" +
                  (pick(2) != 0 ? ",\"window\":" + std::to_string(1 + pick(6))
                                : std::string{}) +
                  "}");
  }
  void post() {
    if (!logged_in_ && pick(8) != 0)
      return;
    const auto id = std::to_string(pick(5));
    peer_->receive(packet(R"({"op":"post","id":")" + id + R"(","to":{"b":1}})",
                          std::string(pick(200), 'x')));
  }
  void list_edit() {
    if (!logged_in_)
      return;
    const char* types[] = {"add", "remove", "invite"};
    peer_->receive(packet(R"({"op":"listEdit","id":"e","to":"l","type":")" +
                          std::string{types[pick(3)]} + R"(","member":"m"})"));
  }
  void acknowledge() {
    if (!logged_in_)
      return;
    // Something in flight, something old, or nonsense.
    auto position = acknowledged_ + pick(8);
    peer_->receive(packet(R"({"op":"ack","id":")" +
                          core::to_string(delivery(position).message->id) +
                          "\",\"type\":\"" + (pick(6) != 0 ? "ok" : "no") +
                          "\"}"));
  }
  void deliver() {
    if (logged_in_)
      peer_->event(delivery(++last_position_, "x"));
  }

  /// Answers a pending command, any of them.
  void answer() {
    if (pending_.empty())
      return;
    const auto which = pick(static_cast<unsigned>(pending_.size()));
    const auto command = pending_[which];
    pending_.erase(pending_.begin() + which);
    const core::error failure{
        pick(8) == 0 ? core::errc::unavailable : core::errc::ok, {}};
    std::visit(
        [&](const auto& what) {
          using command_type = std::decay_t<decltype(what)>;
          if constexpr (std::is_same_v<command_type, core::login>) {
            logged_in_ = failure.code == core::errc::ok;
            window_ = what.window;
            core::logged_in event;
            event.request = what.request;
            event.failure = failure;
            event.window = what.window;
            peer_->event(event);
          } else if constexpr (std::is_same_v<command_type, core::post>) {
            ++answered_posts_;
            peer_->event(core::posted{what.request, pick(4) != 0, {}, {}});
          } else if constexpr (std::is_same_v<command_type, core::edit_list>) {
            ++answered_posts_;
            peer_->event(core::list_edited{what.request, failure});
          } else if constexpr (std::is_same_v<command_type,
                                              core::register_user> ||
                               std::is_same_v<command_type,
                                              core::change_aliases>) {
            peer_->event(core::user_registered{what.request, failure, {"a"}});
          }
        },
        command);
  }

  void check_commands() {
    for (auto& command : peer_->commands) {
      ASSERT_FALSE(session_closed()) << "a command after close_session";
      if (std::holds_alternative<core::close_session>(command)) {
        asked_.insert(0);
        continue;
      }
      if (const auto* ack = std::get_if<core::acknowledge>(&command)) {
        const auto position = ack->up_to.value();
        ASSERT_TRUE(in_flight_.count(position) == 1) << "unknown position";
        in_flight_.erase(in_flight_.begin(), in_flight_.upper_bound(position));
        acknowledged_ = position;
        continue;
      }
      const auto number = std::visit(
          [](const auto& what) -> core::request_number {
            if constexpr (requires { what.request; })
              return what.request;
            else
              return 0;
          },
          command);
      ASSERT_NE(number, 0U);
      ASSERT_TRUE(asked_.insert(number).second) << "a number used twice";
      pending_.push_back(std::move(command));
    }
    peer_->commands.clear();
    ASSERT_LE(pending_.size(), options_.requests_max);
    ASSERT_LE(in_flight_.size(), window_) << "more than the window";
  }
  [[nodiscard]] bool session_closed() const { return asked_.count(0) != 0; }

  void check_output() {
    auto bytes = peer_->take_output();
    std::string_view rest = bytes;
    message_decoder decoder;
    while (!rest.empty()) {
      const auto next = decode_frame(core::as_bytes(rest), 1 << 20);
      if (next.what == frame::status::close) {
        ASSERT_EQ(rest, close_frame) << "bytes behind the close";
        ASSERT_TRUE(peer_->is_closed);
        return;
      }
      ASSERT_EQ(next.what, frame::status::message);
      const auto read = decoder.decode_reply(next.payload);
      ASSERT_TRUE(read) << core::as_text(next.payload);
      if (const auto* deliver = std::get_if<deliver_packet>(&*read))
        note_in_flight(deliver->id);
      else if (std::holds_alternative<ack_packet>(*read))
        ++acks_;
      else if (std::holds_alternative<quit_packet>(*read)) {
        ASSERT_EQ(rest.substr(next.bytes), close_frame);
      }
      rest.remove_prefix(next.bytes);
    }
    ASSERT_EQ(acks_, answered_posts_);
  }
  void note_in_flight(std::string_view id) {
    const auto millis = std::stoll(std::string{id});
    in_flight_.insert(static_cast<std::uint64_t>(millis - 1795221369872));
    ASSERT_GT(*in_flight_.begin(), acknowledged_);
  }
  void check_end() { acks_ = answered_posts_ = 0; }

  std::mt19937 random_;
  gate_options options_;
  std::unique_ptr<mq_driver> peer_;
  std::deque<core::session_command> pending_;
  std::set<core::request_number> asked_; // 0: the session is closed
  std::set<std::uint64_t> in_flight_;
  std::uint64_t last_position_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint32_t window_ = 1;
  std::size_t acks_ = 0;
  std::size_t answered_posts_ = 0;
  bool logged_in_ = false;
};

TEST(MqGate, HoldsItsPromisesUnderRandomTalk) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    random_talk{seed, 10'000};
    if (HasFatalFailure())
      return;
  }
}

} // namespace
} // namespace troupe::net::mq
