// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/runtime/loop.hpp"
#include "app/workers/words.hpp"
#include "net/input_buffer.hpp"
#include "net/output_queue.hpp"
#include "net/owned_fd.hpp"
#include "net/poller.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace troupe::app::workers {

/// The largest frame: the largest message a node may be told to take, and
/// what stands around it.
inline constexpr std::size_t frame_bytes_max = std::size_t{1040} << 20;

/// Why a line has ended.
enum class loss : std::uint8_t {
  closed,   ///< the other end is gone
  nonsense, ///< it says what can't be read
};

/// Who is at one end of a line. Called on its loop.
class line_user {
public:
  virtual void on_word(word what) = 0;
  /// full() was true and is not any more.
  virtual void on_room() = 0;
  /// All that was said before has been told. The last call.
  virtual void on_lost(loss why) = 0;

protected:
  ~line_user() = default;
};

/// One end of the line between an agent and a worker: words over a stream
/// socket, in order, written once a turn of the loop.
///
/// Words wait as they are and are encoded when the socket has room, a bounded
/// number of bytes ahead, so what waits costs no more than what it refers to.
/// How much may wait is for the senders: an agent's events are within the
/// credit of its sessions' inboxes, a worker reads no client while full().
///
/// Lives on one loop; used there only.
class line final : public std::enable_shared_from_this<line>,
                   public actors::runtime::loop::flushable,
                   private net::poller::watcher {
public:
  /// `socket` is non-blocking. `user` lives until close() or on_lost().
  static std::shared_ptr<line> open(actors::runtime::loop& home,
                                    net::owned_fd socket, line_user& user);
  ~line() override;

  void send(word what);
  /// Ahead of what waits: for words that are not about clients.
  void send_first(word what);
  /// Behind what waits, in order among themselves: for channels, which nobody
  /// was promised anything about.
  void send_last(word what);
  /// The same, if there is room; false: it is lost.
  [[nodiscard]] bool offer(word what);
  /// Bytes that may wait for that.
  static constexpr std::size_t last_bytes_max = std::size_t{16} << 20;

  /// More than a few turns' worth waits.
  [[nodiscard]] bool full();
  /// Whether anything came since the last call.
  [[nodiscard]] bool heard() { return std::exchange(heard_, false); }
  /// Words that have not been written.
  [[nodiscard]] std::size_t waiting() const {
    return waiting_.size() + first_.size() + last_.size();
  }
  /// Nothing waits, in here.
  [[nodiscard]] bool idle() const { return waiting() == 0 && out_.empty(); }

  /// No call of the user follows.
  void close();

private:
  line(actors::runtime::loop& home, net::owned_fd socket, line_user& user);

  void on_ready(std::uint32_t events) override;
  void flush() override;
  void fill();
  void forget_all();
  bool read_some();
  bool read_large();
  void take_frames();
  void tell(core::bytes_view frame, const core::shared_bytes* owner);
  void lose(loss why);
  void wake_up();

  actors::runtime::loop& home_;
  std::shared_ptr<net::poller> poller_;
  net::owned_fd socket_;
  line_user* user_; // null: closed

  std::deque<word> first_;
  std::deque<word> waiting_;
  std::deque<word> last_;
  std::size_t waiting_bytes_ = 0;
  std::size_t last_bytes_ = 0;
  net::output_queue out_;

  std::vector<std::byte> buffer_;
  std::size_t filled_ = 0;
  net::input_buffer large_;     // a frame that does not fit the buffer
  std::size_t large_bytes_ = 0; // 0: none

  bool writable_ = true;
  bool unwritable_ = false; // for good; what was said is still read
  bool was_full_ = false;
  bool heard_ = false;
  bool reading_ = false;
};

} // namespace troupe::app::workers
