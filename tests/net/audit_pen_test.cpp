// SPDX-License-Identifier: Apache-2.0
#include "net/audit_pen.hpp"
#include "net/ip_endpoint.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net {
namespace {

/// Remembers the last entry.
class one_entry final : public core::audit_sink {
public:
  [[nodiscard]] bool has_room() const noexcept override { return room; }
  core::audit_ticket record(const core::audit_entry& what) override {
    ++records;
    kind = what.kind;
    accepted = what.accepted;
    session = what.session;
    targets = what.targets;
    size = what.size;
    text = std::string{what.realm} + " " + std::string{what.user} + " " +
           std::string{what.address} + " " + std::string{what.target} + " " +
           std::string{what.type} + " " + std::string{what.reason};
    payload = std::string{what.payload.text()};
    return 7;
  }
  [[nodiscard]] bool is_kept(core::audit_ticket) const noexcept override {
    return true;
  }
  void when_kept(core::audit_ticket, std::function<void()> then) override {
    then();
  }

  bool room = true;
  int records = 0;
  core::audit_kind kind{};
  bool accepted = false;
  std::uint64_t session = 0;
  std::uint32_t targets = 0;
  std::uint64_t size = 0;
  std::string text;
  std::string payload;
};

connection_info client() {
  connection_info info;
  info.id = connection_id{5};
  info.peer = *parse_endpoint("192.0.2.7:4711");
  return info;
}

TEST(AuditPen, WritesWhatWasDoneByWhomAndFromWhere) {
  one_entry sink;
  const audit_pen pen{&sink, "shop"};
  door_note what;
  what.kind = core::audit_kind::publish;
  what.user = "alice";
  what.target = "rooms/1";
  what.type = "text/plain";
  what.payload = core::shared_bytes::copy_of("hello");
  EXPECT_EQ(pen.note(client(), what), 7U);
  EXPECT_EQ(sink.text, "shop alice 192.0.2.7 rooms/1 text/plain ");
  EXPECT_EQ(sink.kind, core::audit_kind::publish);
  EXPECT_TRUE(sink.accepted);
  EXPECT_EQ(sink.session, 5U);
  EXPECT_EQ(sink.targets, 1U);
  EXPECT_EQ(sink.size, 5U);
  EXPECT_EQ(sink.payload, "hello");
}

TEST(AuditPen, WritesARefusalWithItsReason) {
  one_entry sink;
  const audit_pen pen{&sink, "default"};
  pen.note(client(), {core::audit_kind::login, "eve", {}, {}, "expired"});
  EXPECT_EQ(sink.text, "default eve 192.0.2.7   expired");
  EXPECT_FALSE(sink.accepted);
  EXPECT_EQ(sink.targets, 0U);
}

TEST(AuditPen, WritesNothingWithoutALog) {
  const audit_pen pen;
  EXPECT_EQ(pen.note(client(), {}), 0U);
  EXPECT_TRUE(pen.has_room());
}

TEST(AuditPen, SaysWhenThereIsNoRoom) {
  one_entry sink;
  const audit_pen pen{&sink, "default"};
  EXPECT_TRUE(pen.has_room());
  sink.room = false;
  EXPECT_FALSE(pen.has_room());
}

} // namespace
} // namespace troupe::net
