// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/certificate_name.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace troupe::net::mqtt {
namespace {

TEST(MqttCertificateName, IsTheFirstCommonNameOfASubject) {
  const std::vector<std::pair<const char*, const char*>> table{
      {"CN=lamp", "lamp"},
      {"O=house,CN=lamp,CN=other", "lamp"},
      {"CN=lamp+OU=left,O=house", "lamp"},
      {R"(CN=lamp\, left,O=x)", "lamp, left"},
      {R"(CN=a\2Cb)", "a,b"},
      {R"(CN=J\C3\BCrgen)", "J\xC3\xBCrgen"},
      {R"(O=a\,CN=forged,OU=b)", ""},
      {"XCN=a", ""},
      {"CN=", ""},
      {"", ""},
  };
  for (const auto& [subject, name] : table)
    EXPECT_EQ(common_name_of(subject), name) << subject;
}

} // namespace
} // namespace troupe::net::mqtt
