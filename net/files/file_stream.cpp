// SPDX-License-Identifier: Apache-2.0
#include "net/files/file_stream.hpp"

#include "actors/runtime/loop.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>
#include <variant>

namespace troupe::net::files {
namespace {

constexpr std::uint64_t piece_bytes = std::uint64_t{256} << 10U;

class file_stream final : public protocol {
public:
  file_stream(protocol_host& host,
              boost::asio::thread_pool::executor_type readers, open_file file,
              byte_range range)
      : host_(host), readers_(std::move(readers)),
        file_(std::make_shared<open_file>(std::move(file))), left_(range),
        me_(std::make_shared<file_stream*>(this)) {}
  file_stream(const file_stream&) = delete;
  file_stream& operator=(const file_stream&) = delete;
  ~file_stream() override { *me_ = nullptr; }

  void on_open(core::steady_time, effects&) override { read(); }
  std::size_t on_bytes(const input& in, core::steady_time, effects&) override {
    return in.bytes.size();
  }
  [[nodiscard]] std::size_t frame_bytes() const override { return 0; }
  void on_event(core::session_event event, core::steady_time,
                effects& out) override {
    // What is under way may end; the time of the node's end is bounded.
    if (std::holds_alternative<core::session_ended>(event) && left_.size == 0)
      finish("the node shuts down", out);
  }
  void on_flushed(core::steady_time, effects&) override { read(); }
  void on_tick(core::steady_time, effects&) override {}
  [[nodiscard]] std::optional<core::steady_time> deadline() const override {
    return std::nullopt;
  }
  void on_closed(effects&) override { left_.size = 0; }
  bool on_half_closed(core::steady_time, effects&) override {
    return left_.size > 0;
  }
  [[nodiscard]] std::string_view name() const override { return "file"; }

private:
  void read() {
    if (reading_ || left_.size == 0)
      return;
    reading_ = true;
    const auto count = std::min(left_.size, piece_bytes);
    boost::asio::post(readers_, [file = file_, first = left_.first, count,
                                 me = me_, &home = host_.home()] {
      auto piece = std::make_shared<std::string>(file->read(first, count));
      home.post([me, piece, count] {
        if (auto* self = *me)
          self->write(*piece, count);
      });
    });
  }

  void write(const std::string& piece, std::uint64_t wanted) {
    reading_ = false;
    const auto me = me_; // the connection may end on the way
    host_.run([&](effects& out) {
      out.output.append(core::shared_bytes::copy_of(piece));
      left_.first += piece.size();
      left_.size -= std::min<std::uint64_t>(left_.size, piece.size());
      if (piece.size() < wanted) {
        left_.size = 0;
        return finish("the file has become shorter", out);
      }
      if (left_.size == 0)
        finish("all of the file is sent", out);
    });
  }

  static void finish(std::string_view why, effects& out) {
    out.close = std::string{why};
  }

  protocol_host& host_;
  boost::asio::thread_pool::executor_type readers_;
  const std::shared_ptr<const open_file> file_;
  byte_range left_;
  bool reading_ = false;
  // Null once this is gone; touched on the loop only.
  const std::shared_ptr<file_stream*> me_;
};

} // namespace

std::unique_ptr<protocol>
make_file_stream(protocol_host& host,
                 boost::asio::thread_pool::executor_type readers,
                 open_file file, byte_range range) {
  return std::make_unique<file_stream>(host, std::move(readers),
                                       std::move(file), range);
}

} // namespace troupe::net::files
