// SPDX-License-Identifier: Apache-2.0
#include "app/workers/line.hpp"
#include "tests/app/workers/sample_words.hpp"
#include "tests/app/workers/two_loops.hpp"

#include <gtest/gtest.h>

#include <array>
#include <mutex>
#include <optional>
#include <sys/socket.h>

namespace troupe::app::workers {
namespace {

using test::eventually;

/// Records what a line says. Filled on the line's loop, read by the test.
struct recorder final : line_user {
  std::mutex mutex;
  std::vector<word> found;
  std::optional<loss> lost;
  int rooms = 0;

  void on_word(word what) override {
    const std::lock_guard lock{mutex};
    found.push_back(std::move(what));
  }
  void on_room() override {
    const std::lock_guard lock{mutex};
    ++rooms;
  }
  void on_lost(loss why) override {
    const std::lock_guard lock{mutex};
    lost = why;
  }
  template <class Question>
  auto look(Question question) {
    const std::lock_guard lock{mutex};
    return question(*this);
  }
};

/// Two ends on two loops, or one and a bare socket.
class Line : public test::two_loops {
protected:
  ~Line() override {
    for (std::size_t i = 0; i < 2; ++i)
      on_loop(i, [&] {
        if (lines_[i])
          lines_[i]->close();
      });
  }

  void open(std::size_t i) {
    on_loop(i, [&] {
      lines_[i] = line::open(loop(i), std::move(sockets_[i]), users_[i]);
    });
  }
  std::size_t heard(std::size_t i) {
    return users_[i].look([](auto& u) { return u.found.size(); });
  }
  client_number client_of(std::size_t i, std::size_t place) {
    return users_[i].look([&](auto& u) {
      return std::get<words::closed>(u.found.at(place)).client;
    });
  }
  bool is_lost(std::size_t i, loss why) {
    return eventually(
        [&] { return users_[i].look([&](auto& u) { return u.lost == why; }); });
  }
  void write_raw(const std::string& bytes) {
    ASSERT_EQ(::send(sockets_[1].get(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
  }

  std::array<recorder, 2> users_;
  std::array<std::shared_ptr<line>, 2> lines_;
};

TEST_F(Line, CarriesWordsInOrderBothWays) {
  open(0);
  open(1);
  constexpr client_number count = 20'000;
  for (std::size_t i = 0; i < 2; ++i)
    loop(i).post([this, i] {
      for (client_number n = 0; n < count; ++n)
        lines_[i]->send(words::closed{n, 0, 0});
    });
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(eventually([&] { return heard(i) == count; }));
    for (client_number n = 0; n < count; ++n)
      ASSERT_EQ(client_of(i, n), n);
  }
}

TEST_F(Line, CarriesFramesLargerThanAnyBufferBetweenSmallOnes) {
  open(0);
  open(1);
  constexpr std::size_t sizes[] = {0, 100, 262'144 - 100, 262'144, 9'000'000};
  loop(0).post([&] {
    for (const auto size : sizes) {
      lines_[0]->send(large_delivery(size));
      lines_[0]->send(words::beat{});
    }
  });
  ASSERT_TRUE(eventually([&] { return heard(1) == 10; }));
  for (std::size_t i = 0; i < 5; ++i)
    users_[1].look([&](auto& u) {
      const auto& e = std::get<words::event>(u.found[2 * i]);
      const auto& m = *std::get<core::delivery>(e.what).message;
      EXPECT_EQ(m, sample_message(sizes[i]));
      EXPECT_TRUE(std::holds_alternative<words::beat>(u.found[2 * i + 1]));
    });
}

TEST_F(Line, WordsThatGoFirstPassThoseThatWait) {
  open(0);
  loop(0).post([&] {
    for (int i = 0; i < 100; ++i) // more than the socket takes
      lines_[0]->send(large_delivery(100'000));
  });
  // The socket is full and stays so.
  std::size_t waiting = 0;
  ASSERT_TRUE(eventually([&] {
    on_loop(0, [&] { waiting = lines_[0]->waiting(); });
    return waiting > 0 && waiting < 100;
  }));
  on_loop(0, [&] {
    EXPECT_TRUE(lines_[0]->full());
    lines_[0]->send_first(words::drain{});
  });
  open(1);
  ASSERT_TRUE(eventually([&] { return heard(1) == 101; }));
  EXPECT_FALSE(users_[1].look([](auto& u) {
    return std::holds_alternative<words::drain>(u.found.back());
  }));
  // And there was room again.
  EXPECT_TRUE(eventually(
      [&] { return users_[0].look([](auto& u) { return u.rooms == 1; }); }));
}

TEST_F(Line, WordsThatGoLastLetOthersPassAndAreBounded) {
  open(0);
  std::size_t offered = 0;
  on_loop(0, [&] {
    while (offered < 1000 && lines_[0]->offer(large_delivery(1 << 20)))
      ++offered;
    EXPECT_FALSE(lines_[0]->full()); // they are in nobody's way
    lines_[0]->send_last(words::closed{1, 0, 0});
    lines_[0]->send(words::closed{2, 0, 0});
  });
  EXPECT_GE(offered, line::last_bytes_max >> 20);
  EXPECT_LE(offered, (line::last_bytes_max >> 20) + 1);
  open(1);
  ASSERT_TRUE(eventually([&] { return heard(1) == offered + 2; }));
  EXPECT_EQ(client_of(1, offered + 1), 1U);
  EXPECT_EQ(client_of(1, 0), 2U);
}

TEST_F(Line, TellsAllThatWasSaidBeforeItTellsOfTheEnd) {
  open(0);
  open(1);
  loop(0).post([&] {
    for (client_number n = 0; n < 1000; ++n)
      lines_[0]->send(words::closed{n, 0, 0});
  });
  ASSERT_TRUE(eventually([&] {
    bool idle = false;
    on_loop(0, [&] { idle = lines_[0]->idle(); });
    return idle;
  }));
  on_loop(0, [&] { lines_[0]->close(); });
  ASSERT_TRUE(is_lost(1, loss::closed));
  EXPECT_EQ(heard(1), 1000U);
  EXPECT_TRUE(users_[0].look([](auto& u) { return !u.lost.has_value(); }));
  // Whoever goes on talking does no harm.
  on_loop(1, [&] { lines_[1]->send(words::beat{}); });
}

TEST_F(Line, IsLostWithBytesThatAreNoWord) {
  open(0);
  write_raw(std::string("\1\0\0\0\1", 5)); // a beat
  write_raw(std::string("\1\0\0\0\x99", 5));
  ASSERT_TRUE(is_lost(0, loss::nonsense));
  EXPECT_EQ(heard(0), 1U);
}

TEST_F(Line, IsLostWithAFrameAboveTheLimit) {
  open(0);
  write_raw("\xFF\xFF\xFF\x7F");
  ASSERT_TRUE(is_lost(0, loss::nonsense));
}

TEST_F(Line, IsLostInTheMiddleOfAFrame) {
  open(0);
  write_raw(std::string("\0\0\x10\0x", 5)); // 1 MiB, and one byte of it
  sockets_[1].reset();
  ASSERT_TRUE(is_lost(0, loss::closed));
  EXPECT_EQ(heard(0), 0U);
}

} // namespace
} // namespace troupe::app::workers
