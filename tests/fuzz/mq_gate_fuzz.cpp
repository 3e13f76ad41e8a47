// SPDX-License-Identifier: Apache-2.0

// A whole conversation with a protocol object: each byte picks what happens
// next, some take an argument or a run of raw bytes from the input. Checks
// what no peer and no session may be able to break.
#include "core/assert.hpp"
#include "net/mq/client_codec.hpp"
#include "net/mq/mq_over_draft.hpp"
#include "net/mq/mq_over_ws.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

using namespace troupe;
using namespace troupe::net;
using namespace troupe::net::mq;

namespace {

class bytes_source {
public:
  bytes_source(const std::uint8_t* data, std::size_t size)
      : at_(data), end_(data + size) {}
  [[nodiscard]] bool empty() const { return at_ == end_; }
  std::uint8_t next() { return empty() ? std::uint8_t{0} : *at_++; }
  std::string_view take(std::size_t count) {
    count = std::min(count, static_cast<std::size_t>(end_ - at_));
    const std::string_view taken{reinterpret_cast<const char*>(at_), count};
    at_ += count;
    return taken;
  }

private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

class conversation {
public:
  conversation(const std::uint8_t* data, std::size_t size) : in_(data, size) {
    options_.requests_max = 8;
    options_.output_bytes_max = 2048;
    over_ws_ = (in_.next() & 1) != 0;
    if (over_ws_)
      subject_ = std::make_unique<mq_over_ws>(options_, ws_settings_,
                                              ws::deflate_agreement{});
    else
      subject_ = std::make_unique<mq_over_draft>(options_);
  }

  void run() {
    call([&](effects& out) { subject_->on_open(now_, out); });
    while (!in_.empty() && !over_)
      step();
    call([&](effects& out) { subject_->on_closed(out); });
    TROUPE_ASSERT(goodbyes_ == 1 || session_over_, "close_session once");
    TROUPE_ASSERT(!subject_->deadline(), "a timer after the end");
  }

private:
  void step() {
    switch (in_.next() % 10) {
    case 0:
      return receive(std::string{in_.take(in_.next())});
    case 1:
      return say(login_request{"a", "n", window()});
    case 2:
      return say(post_request{"1",
                              {{"b", core::recipient_kind::all_devices}},
                              {{}, core::as_bytes(in_.take(in_.next()))}});
    case 3:
      return say(list_edit_request{"2", "l", "add", "m"});
    case 4:
      return say(ack_packet{core::to_string(core::message_id{
                                static_cast<std::int64_t>(in_.next()), 0}),
                            "ok"});
    case 5:
      return say_raw_header();
    case 6:
      return answer();
    case 7:
      return deliver();
    case 8:
      now_ += core::milliseconds{in_.next() * 100};
      return call([&](effects& out) { subject_->on_tick(now_, out); });
    case 9:
      return flush();
    }
  }

  std::optional<std::uint32_t> window() {
    const auto asked = in_.next();
    return asked == 0 ? std::nullopt : std::optional<std::uint32_t>{asked};
  }
  void say(const client_packet& packet) {
    std::string message;
    if (append_message(message, packet))
      receive(framed(message));
  }
  void say_raw_header() {
    const auto raw = std::string{in_.take(in_.next())};
    char length[5] = {};
    std::snprintf(length, sizeof length, "%-4zx", raw.size());
    receive(framed(length + raw + std::string{in_.take(in_.next() % 8)}));
  }
  std::string framed(std::string_view message) const {
    std::byte header[ws::frame_header_bytes_max];
    const auto size =
        over_ws_
            ? ws::write_frame_header(header, {ws::opcode::binary, true, false,
                                              ws::mask_key{}, message.size()})
            : write_frame_header(header, message.size());
    return std::string{core::as_text({header, size})}.append(message);
  }

  void receive(std::string bytes) {
    unread_ += bytes;
    offer();
  }
  void offer() {
    while (!unread_.empty() && !over_ && !subject_->paused()) {
      std::size_t used = 0;
      call([&](effects& out) {
        used = subject_->on_bytes({core::as_bytes(unread_)}, now_, out);
      });
      TROUPE_ASSERT(used <= unread_.size(), "used more than there is");
      unread_.erase(0, used);
      if (used == 0)
        break;
    }
  }

  void answer() {
    const auto how = in_.next();
    if (pending_.empty())
      return;
    const auto command = pending_.front();
    pending_.pop_front();
    const core::error failure{how % 4 == 0 ? static_cast<core::errc>(in_.next())
                                           : core::errc::ok,
                              "detail"};
    std::visit([&](const auto& what) { reply(what, failure); }, command);
    offer();
  }
  void reply(const core::login& what, const core::error& failure) {
    core::logged_in event;
    event.request = what.request;
    event.failure = failure;
    event.window = what.window;
    logged_in_ = failure.code == core::errc::ok;
    window_ = what.window;
    send(event);
  }
  void reply(const core::post& what, const core::error& failure) {
    send(core::posted{what.request, in_.next() % 2 == 0, {failure}, {}});
  }
  void reply(const core::post_to_alias& what, const core::error& failure) {
    send(core::posted{what.request, in_.next() % 2 == 0, {failure}, {}});
  }
  void reply(const core::edit_list& what, const core::error& failure) {
    send(core::list_edited{what.request, failure});
  }
  void reply(const core::register_user& what, const core::error& failure) {
    send(core::user_registered{what.request, failure, what.aliases});
  }
  void reply(const core::change_aliases& what, const core::error& failure) {
    send(core::user_registered{what.request, failure, what.aliases});
  }
  void reply(const core::add_device& what, const core::error& failure) {
    send(core::device_added{what.request, failure, core::device_offset{1}});
  }
  void reply(const core::acknowledge&, const core::error&) {}
  void reply(const core::close_session&, const core::error&) {}

  void deliver() {
    const auto kind = in_.next();
    if (kind == 255) {
      session_over_ = true;
      return send(
          core::session_ended{{static_cast<core::errc>(in_.next()), {}}});
    }
    core::message message;
    message.id = {static_cast<std::int64_t>(++position_), 0};
    message.kind = static_cast<core::message_kind>(kind % 3);
    message.sender = in_.take(in_.next() % 16);
    message.payload = core::shared_bytes::copy_of(in_.take(in_.next()));
    send(core::delivery{core::inbox_position{position_},
                        std::make_shared<const core::message>(message)});
  }
  void send(core::session_event event) {
    call(
        [&](effects& out) { subject_->on_event(std::move(event), now_, out); });
  }
  void flush() {
    output_.clear();
    call([&](effects& out) { subject_->on_flushed(now_, out); });
    offer();
  }

  template <class Call>
  void call(Call&& what) {
    effects out{output_};
    const auto before = output_.size();
    what(out);
    if (over_)
      TROUPE_ASSERT(output_.size() == before && out.commands.empty() &&
                        !out.close,
                    "something after the close");
    for (auto& command : out.commands)
      note(command);
    over_ = over_ || out.close.has_value();
  }
  void note(core::session_command& command) {
    TROUPE_ASSERT(goodbyes_ == 0, "a command after close_session");
    if (std::holds_alternative<core::close_session>(command)) {
      ++goodbyes_;
    } else if (const auto* ack = std::get_if<core::acknowledge>(&command)) {
      TROUPE_ASSERT(logged_in_ && ack->up_to.value() > acknowledged_ &&
                        ack->up_to.value() <= position_,
                    "an ack for something unknown");
      acknowledged_ = ack->up_to.value();
    } else {
      pending_.push_back(std::move(command));
      TROUPE_ASSERT(pending_.size() <= options_.requests_max,
                    "more requests than allowed");
    }
  }

  bytes_source in_;
  gate_options options_;
  ws_options ws_settings_;
  std::unique_ptr<protocol> subject_;
  output_queue output_;
  std::deque<core::session_command> pending_;
  std::string unread_;
  core::steady_time now_{std::chrono::hours{1}};
  std::uint64_t position_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint32_t window_ = 1;
  int goodbyes_ = 0;
  bool over_ws_ = false;
  bool logged_in_ = false;
  bool session_over_ = false;
  bool over_ = false;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  conversation{data, size}.run();
  return 0;
}
