// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/packet_text.hpp"
#include "net/mqtt/trace.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace troupe::net::mqtt {
namespace {

using namespace std::chrono_literals;
using texts = std::vector<std::string>;

texts of(const trace::page& page) {
  texts all;
  for (const auto& each : page.lines)
    all.push_back(each.text);
  return all;
}

class MqttTrace : public testing::Test {
protected:
  MqttTrace() {
    limits.lines_max = 5;
    limits.lines_per_second = 3;
    limits.clients_max = 2;
    limits.patience = 10s;
  }
  std::shared_ptr<trace> look(const std::string& client) {
    return book().look(client, now, fresh);
  }
  trace_book& book() {
    if (!book_)
      book_ = std::make_unique<trace_book>(limits);
    return *book_;
  }

  trace_limits limits;
  core::steady_time now{1h};
  core::timestamp wall = core::from_millis(1'700'000'000'000);
  bool fresh = false;

private:
  std::unique_ptr<trace_book> book_;
};

TEST_F(MqttTrace, IsReadOnFromWhereOneWas) {
  const auto it = look("a");
  it->note(wall, trace_way::received, "one");
  it->note(wall, trace_way::sent, "two");
  const auto first = it->read(0);
  EXPECT_EQ(of(first), (texts{"one", "two"}));
  EXPECT_EQ(first.next, 2U);
  EXPECT_EQ(first.lines[1].way, trace_way::sent);
  EXPECT_TRUE(it->read(first.next).lines.empty());
  it->note(wall, trace_way::event, "three");
  EXPECT_EQ(of(it->read(first.next)), texts{"three"});
}

TEST_F(MqttTrace, LeavesOutWhatIsTooMuchAndSaysSo) {
  const auto it = look("a");
  for (int i = 1; i <= 10; ++i)
    it->note(wall, trace_way::sent, std::to_string(i));
  auto page = it->read(0);
  EXPECT_EQ(of(page), (texts{"1", "2", "3"}));
  EXPECT_EQ(page.next, 10U);
  EXPECT_EQ(page.left_out, 7U);
  for (int i = 11; i <= 16; ++i)
    it->note(wall + (i - 10) * 1s, trace_way::sent, std::to_string(i));
  page = it->read(page.next);
  EXPECT_EQ(of(page), (texts{"12", "13", "14", "15", "16"}));
  EXPECT_EQ(page.left_out, 1U);
}

TEST_F(MqttTrace, ANumberOfAnotherNodeReadsAll) {
  const auto it = look("a");
  it->note(wall, trace_way::sent, "one");
  const auto page = it->read(77);
  EXPECT_EQ(of(page), texts{"one"});
  EXPECT_EQ(page.next, 1U);
  EXPECT_EQ(page.left_out, 0U);
}

TEST_F(MqttTrace, IsForgottenWhenNobodyLooks) {
  const auto it = look("a");
  EXPECT_TRUE(fresh);
  EXPECT_EQ(look("a"), it);
  EXPECT_FALSE(fresh);
  now += 9s;
  EXPECT_EQ(book().find("a", now), it);
  EXPECT_EQ(book().find("b", now), nullptr);
  EXPECT_FALSE(it->over(now));
  look("a");
  now += 9s;
  EXPECT_FALSE(it->over(now));
  now += 1s;
  EXPECT_TRUE(it->over(now));
  EXPECT_EQ(book().find("a", now), nullptr);
  EXPECT_NE(look("a"), it);
  EXPECT_TRUE(fresh);
}

TEST_F(MqttTrace, SoManyClientsAtOnce) {
  EXPECT_NE(look("a"), nullptr);
  EXPECT_NE(look("b"), nullptr);
  EXPECT_EQ(look("c"), nullptr);
  now += 10s;
  EXPECT_NE(look("c"), nullptr);
}

TEST(MqttPacketText, SaysWhatAPacketIsAbout) {
  publish said;
  said.topic = "a/b";
  said.level = qos::at_least_once;
  said.id = packet_id{7};
  said.retain = true;
  said.payload = core::shared_bytes::copy_of("12345");
  EXPECT_EQ(describe(any_packet{said}),
            R"(PUBLISH qos1 id=7 "a/b" retain 5 bytes)");
  subscribe asked;
  asked.id = packet_id{1};
  asked.filters = {{"a/#", qos::exactly_once}, {"b", qos::at_most_once}};
  EXPECT_EQ(describe(any_packet{asked}),
            R"(SUBSCRIBE id=1 "a/#" qos2 "b" qos0)");
  puback ack;
  ack.id = packet_id{7};
  ack.reason = reason_code::quota_exceeded;
  EXPECT_EQ(describe(any_packet{ack}).substr(0, 17), "PUBACK id=7 0x97 ");
}

TEST(MqttPacketText, KeepsSecretsAndLinesWhole) {
  connect asked;
  asked.client_id = "evil\nPUBLISH";
  asked.user_name = "anna";
  asked.password = "geheim";
  const auto text = describe(any_packet{asked});
  EXPECT_EQ(text.find("geheim"), std::string::npos);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_NE(text.find(R"(user="anna" with a password)"), std::string::npos);
  auth shown;
  shown.authentication_data = "geheim";
  EXPECT_EQ(describe(any_packet{shown}).find("geheim"), std::string::npos);
}

TEST(MqttPacketText, IsBounded) {
  publish said;
  const std::string long_one = std::string(199, 'x') + "ü" + "yyy";
  said.topic = long_one;
  const auto text = describe(any_packet{said});
  EXPECT_LT(text.size(), 260U);
  EXPECT_NE(text.find(std::string(199, 'x') + "\"…"), std::string::npos);
  subscribe asked;
  asked.id = packet_id{1};
  for (int i = 0; i < 1000; ++i)
    asked.filters.push_back({"a", qos::at_most_once});
  EXPECT_NE(describe(any_packet{asked}).find("and 990 more"),
            std::string::npos);
}

} // namespace
} // namespace troupe::net::mqtt
