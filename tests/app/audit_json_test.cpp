// SPDX-License-Identifier: Apache-2.0
#include "app/audit_admin.hpp"
#include "app/audit_json.hpp"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include <string>

namespace troupe::app {
namespace {

namespace json = boost::json;
namespace audit = storage::audit;

net::http_request
asking(std::vector<std::pair<std::string, std::string>> query) {
  net::http_request request;
  request.query = std::move(query);
  return request;
}

TEST(AuditJson, ReadsTimesAsPeopleAndProgramsWriteThem) {
  EXPECT_EQ(*parse_time("1700000000123"), core::from_millis(1700000000123));
  EXPECT_EQ(*parse_time("2023-11-14T22:13:20Z"),
            core::from_millis(1700000000000));
  EXPECT_EQ(*parse_time("2023-11-14T22:13:20.123Z"),
            core::from_millis(1700000000123));
  for (const char* bad :
       {"", "yesterday", "2023-11-14", "2023-11-14T22:13:20",
        "2023-11-14T22:13:20.1Z", "2023-11-14T22:13:20.1234Z",
        "2023-11-14T22:13:20+01:00", "2023-11-14T22:13:20..1Z"})
    EXPECT_FALSE(parse_time(bad)) << bad;
}

TEST(AuditJson, ReadsTermsOfASearch) {
  const auto terms = read_search(asking({{"kind", "post, login"},
                                         {"user", "alice"},
                                         {"accepted", "false"},
                                         {"after", "7"},
                                         {"limit", "3"}}));
  ASSERT_TRUE(terms);
  EXPECT_EQ(terms->kinds.size(), 2U);
  EXPECT_EQ(terms->user, "alice");
  EXPECT_EQ(terms->accepted, false);
  EXPECT_EQ(terms->after, 7U);
  EXPECT_FALSE(read_search(asking({{"kind", "nothing"}})));
  EXPECT_FALSE(read_search(asking({{"accepted", "maybe"}})));
  EXPECT_FALSE(read_search(asking({{"session", "-1"}})));
  EXPECT_FALSE(read_search(asking({{"usr", "alice"}})));
  EXPECT_TRUE(read_search(asking({{"limit", "7"}})));
}

TEST(AuditJson, ReadsAnAnchorAsItIsWritten) {
  audit::log_view log;
  log.last_sequence = 9;
  log.last_hash[3] = std::byte{0xAB};
  const auto shown = view_of(log);
  const auto anchor =
      parse_anchor(std::string{shown.at("anchor").get_string()});
  ASSERT_TRUE(anchor);
  EXPECT_EQ(anchor->sequence, 9U);
  EXPECT_EQ(anchor->hash, log.last_hash);
  EXPECT_FALSE(parse_anchor("9"));
  EXPECT_FALSE(parse_anchor("9:ab"));
  EXPECT_FALSE(parse_anchor("0:" + std::string(64, '0')));
}

TEST(AuditJson, ShowsRecipientsAndPayloads) {
  audit::record what;
  what.target = "bob\ncarol";
  what.targets = 2;
  what.payload = core::as_bytes("hi");
  auto row = view_of(what, core::node_id{3}, {});
  EXPECT_EQ(json::serialize(row.at("to")), R"(["bob","carol"])");
  EXPECT_EQ(row.at("payload"), "hi");
  what.payload = core::as_bytes("\xFF\xFE");
  row = view_of(what, core::node_id{3}, {});
  EXPECT_EQ(row.at("payload_base64url"), "__4");
  what.kind = core::audit_kind::publish;
  what.target = "\xFF";
  EXPECT_EQ(view_of(what, core::node_id{3}, {}).at("target"), "?");
}

TEST(AuditJson, HidesWhatIsSecretInRequests) {
  EXPECT_EQ(without_secrets(R"j({"uid":"a","password":"geheim"})j"),
            R"j({"uid":"a","password":"(secret)"})j");
  EXPECT_EQ(without_secrets(R"j({"uid":"a","password":null})j"),
            R"j({"uid":"a","password":null})j");
  EXPECT_EQ(without_secrets(R"j([{"in":{"device":"geheim"}}])j"),
            R"j([{"in":{"device":"(secret)"}}])j");
  EXPECT_EQ(without_secrets("uid=a&password=geheim"), "");
  EXPECT_EQ(without_secrets("\"geheim\""), "");
  EXPECT_EQ(without_secrets(""), "");
}

TEST(AuditJson, LeavesPayloadsToTheSettingForThem) {
  EXPECT_EQ(without_secrets(R"j({"topic":"a","data":"hello"})j"),
            R"j({"topic":"a","data":"(5 bytes)"})j");
}

} // namespace
} // namespace troupe::app
