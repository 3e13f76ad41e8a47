// SPDX-License-Identifier: Apache-2.0
#include "app/relay_wire.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::app {
namespace {

relayed_request sample_call() {
  relayed_request call{7, 3, {}};
  call.request.method = "GET";
  call.request.path = "/actors/shards/1";
  call.request.query = {{"limit", "10"}, {"after", ""}};
  return call;
}

TEST(RelayWire, ARequestComesBack) {
  const auto found = decode_relayed_request(encode(sample_call()).view());
  ASSERT_TRUE(found) << to_string(found.error());
  EXPECT_EQ(found->number, 7u);
  EXPECT_EQ(found->key, 3u);
  EXPECT_EQ(found->request.method, "GET");
  EXPECT_EQ(found->request.path, "/actors/shards/1");
  EXPECT_EQ(found->request.query, sample_call().request.query);
}

TEST(RelayWire, AnAnswerComesBack) {
  const relayed_response sample{9, {404, "text/plain", "no", {}}};
  const auto found = decode_relayed_response(encode(sample).view());
  ASSERT_TRUE(found) << to_string(found.error());
  EXPECT_EQ(found->number, 9u);
  EXPECT_EQ(found->response.status, 404u);
  EXPECT_EQ(found->response.content_type, "text/plain");
  EXPECT_EQ(found->response.body, "no");
}

TEST(RelayWire, WhatIsCutOffIsMalformed) {
  const auto call = encode(sample_call());
  const auto answer = encode(relayed_response{9, {200, "a/b", "body", {}}});
  for (std::size_t n = 0; n < call.size(); ++n)
    EXPECT_FALSE(decode_relayed_request(call.view().first(n))) << n;
  for (std::size_t n = 0; n < answer.size(); ++n)
    EXPECT_FALSE(decode_relayed_response(answer.view().first(n))) << n;
}

TEST(RelayWire, RefusesWhatNoNodeSends) {
  auto call = sample_call();
  call.request.path = "actors";
  EXPECT_FALSE(decode_relayed_request(encode(call).view()));
  call = sample_call();
  call.request.path.assign(100'000, '/');
  EXPECT_FALSE(decode_relayed_request(encode(call).view()));
  call = sample_call();
  call.request.query.assign(65, {"a", "b"});
  EXPECT_FALSE(decode_relayed_request(encode(call).view()));
  EXPECT_FALSE(decode_relayed_response(
      encode(relayed_response{1, {100, "a/b", "", {}}}).view()));
  EXPECT_FALSE(decode_relayed_response(
      encode(relayed_response{1, {200, "a/b\r\nX: y", "", {}}}).view()));
  const std::string newer(64, '\3');
  EXPECT_EQ(decode_relayed_request(core::as_bytes(newer)).error().code,
            core::errc::newer_format);
}

TEST(RelayWire, AnEndOfSomethingComesBackAndNoOtherChange) {
  auto call = sample_call();
  call.request.method = "DELETE";
  const auto found = decode_relayed_request(encode(call).view());
  ASSERT_TRUE(found) << to_string(found.error());
  EXPECT_EQ(found->request.method, "DELETE");
  call.request.method = "POST";
  EXPECT_FALSE(decode_relayed_request(encode(call).view()));
}

} // namespace
} // namespace troupe::app
