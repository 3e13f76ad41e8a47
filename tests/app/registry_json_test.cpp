// SPDX-License-Identifier: Apache-2.0
#include "app/registry_json.hpp"
#include "core/directory_machine.hpp"
#include "tests/support/memory_directory_store.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace troupe;
using core::errc;

constexpr std::string_view registry =
    R"({"uid":{"alice":{"nodes":{"n0":0},"aliases":["al","ice"]},)"
    R"("bob":{"nodes":{"n0":0,"n1":1},"aliases":[]}},)"
    R"("alias":{"al":"alice","ice":"alice"},)"
    R"("list":{"thelist":{"alice":1,"bob":"hijack"}}})"
    "\n";

class RegistryJson : public testing::Test {
protected:
  void import(std::string_view text) {
    const auto batches = app::parse_registry(text, "default");
    ASSERT_TRUE(batches) << core::to_string(batches.error());
    for (const auto& batch : *batches)
      EXPECT_EQ(machine_.apply({}, {{}, {}, batch}).failure.code, errc::ok);
  }
  std::string exported() const {
    std::string text;
    app::export_registry(core::directory{store_}, "default",
                         [&](std::string_view piece) {
                           text += piece;
                           return true;
                         });
    return text;
  }
  static errc code_of(std::string_view text) {
    const auto batches = app::parse_registry(text, "default");
    return batches ? errc::ok : batches.error().code;
  }

  test::memory_directory_store store_;
  core::directory_machine machine_{store_};
};

TEST_F(RegistryJson, ImportsAndExportsTheSameDocument) {
  import(registry);
  EXPECT_EQ(exported(), registry);
}

TEST_F(RegistryJson, AnEmptyRegistryIsOne) {
  import("{}");
  EXPECT_EQ(exported(), "{\"uid\":{},\"alias\":{},\"list\":{}}\n");
}

TEST_F(RegistryJson, AListOfNobodyIsLeftToTheDirectory) {
  import(R"({"list":{"l":{}}})");
  EXPECT_EQ(store_, test::memory_directory_store{});
}

TEST_F(RegistryJson, TheAliasTableDecides) {
  import(R"({"uid":{"a":{"nodes":{"n":0},"aliases":["x","y"]},)"
         R"("b":{"nodes":{"n":0},"aliases":["x"]}},)"
         R"("alias":{"x":"b","z":"a"}})");
  const core::directory directory{store_};
  EXPECT_EQ(directory.find_user("default", "a")->aliases,
            (std::vector<std::string>{"y", "z"}));
  EXPECT_EQ(directory.uid_of_alias("default", "x"), "b");
}

TEST_F(RegistryJson, NamesAreBytes) {
  import("{\"uid\":{\"\\u00e4\\\"\":{\"nodes\":{\"n\":0}},"
         "\"\xFF\":{\"nodes\":{\"n\":0}}}}");
  const auto text = exported();
  test::memory_directory_store again;
  std::swap(store_, again);
  import(text);
  EXPECT_EQ(store_, again);
  EXPECT_TRUE(store_.user("default", "\xFF"));
  EXPECT_TRUE(store_.user("default", "\xC3\xA4\""));
}

TEST_F(RegistryJson, BigRegistriesComeInBatchesWithTheListsLast) {
  std::string text = R"({"list":{"all":{"u0":1},"most":{"u1":1}},"uid":{)";
  for (std::size_t i = 0; i < 2 * app::users_per_import + 1; ++i)
    text += (i == 0 ? "\"u" : ",\"u") + std::to_string(i) +
            R"(":{"nodes":{"n":0}})";
  text += "}}";
  const auto batches = app::parse_registry(text, "default");
  ASSERT_TRUE(batches);
  ASSERT_EQ(batches->size(), 4U);
  EXPECT_EQ((*batches)[0].users.size(), app::users_per_import);
  EXPECT_EQ((*batches)[2].users.size(), 1U);
  EXPECT_TRUE((*batches)[2].lists.empty());
  EXPECT_EQ((*batches)[3].lists.size(), 2U);
  import(text);
  EXPECT_EQ(store_.totals("default"), (core::realm_totals{1001, 1001, 0, 2}));
}

TEST_F(RegistryJson, UsersThatCannotBeAreLeftToTheDirectory) {
  const auto batches = app::parse_registry(
      R"({"uid":{"a":{"nodes":{"n":-1}},"b":{"nodes":{"n":100}},)"
      R"("c":{},"d":{"nodes":{"n":99}}}})",
      "default");
  ASSERT_TRUE(batches);
  const auto outcome = machine_.apply({}, {{}, {}, batches->front()});
  EXPECT_EQ(outcome.imported.users_refused, 3U);
  EXPECT_EQ(outcome.imported.users_added, 1U);
}

TEST_F(RegistryJson, SaysWhatIsNoRegistry) {
  for (const char* text :
       {"", "[]", "{", R"({"uid":[]})", R"({"uid":{"a":1}})",
        R"({"uid":{"a":{"nodes":1}}})", R"({"uid":{"a":{"nodes":{"n":"0"}}}})",
        R"({"uid":{"a":{"aliases":"x"}}})", R"({"uid":{"a":{"aliases":[1]}}})",
        R"({"alias":{"a":1}})", R"({"list":{"l":1}})",
        R"({"list":{"l":{"a":null}}})", "[[[[[[[[[[[[[[]]]]]]]]]]]]]]"})
    EXPECT_EQ(code_of(text), errc::malformed) << text;
}

TEST_F(RegistryJson, ExportsInPiecesAndStopsWhenAsked) {
  for (int i = 0; i < 5000; ++i)
    store_.put_user("default", "user" + std::to_string(i),
                    {{}, {{core::device_offset{0}, "n0", {}, {}}}, {}});
  int pieces = 0;
  app::export_registry(core::directory{store_}, "default",
                       [&](std::string_view) { return ++pieces < 2; });
  EXPECT_EQ(pieces, 2);
}

} // namespace
