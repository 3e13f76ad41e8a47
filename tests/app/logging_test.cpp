// SPDX-License-Identifier: Apache-2.0
#include "app/json_text.hpp"
#include "app/logging.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace troupe::app {
namespace {

using namespace std::chrono_literals;

// 2026-11-21T03:15:00.007Z
constexpr auto moment = core::from_millis(1'795'230'900'007);

std::string json(std::string_view text) {
  std::string out;
  append_json(out, text);
  return out;
}

TEST(JsonText, EscapesWhatWouldBreakTheLine) {
  EXPECT_EQ(json("a\"b\\c\n\r\t\x01\x7f"), R"("a\"b\\c\n\r\t\u0001\u007f")");
  EXPECT_EQ(json(std::string_view{"\0", 1}), "\"\\u0000\"");
}

TEST(JsonText, KeepsUtf8AndReplacesWhatIsNot) {
  EXPECT_EQ(json("grün €𝄞"), "\"grün €𝄞\"");
  EXPECT_EQ(json("\xff"), R"("\ufffd")");
  EXPECT_EQ(json("a\xc3"), R"("a\ufffd")");                   // cut off
  EXPECT_EQ(json("\xc0\xaf"), R"("\ufffd\ufffd")");           // overlong
  EXPECT_EQ(json("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")"); // surrogate
  EXPECT_EQ(json("\xf4\x90\x80\x80"),
            R"("\ufffd\ufffd\ufffd\ufffd")"); // beyond U+10FFFF
}

TEST(LogLine, ForPeople) {
  EXPECT_EQ(format_line(log_format::text, moment, log_level::warn, "net",
                        "client cut off",
                        {{"bytes", 12},
                         {"peer", "[::1]:9"},
                         {"ok", false},
                         {"why", "a b"},
                         {"none", ""}}),
            "2026-11-21T03:15:00.007Z warn  net      client cut off bytes=12 "
            "peer=[::1]:9 ok=false why=\"a b\" none=\"\"");
}

TEST(LogLine, ForPrograms) {
  EXPECT_EQ(format_line(log_format::json, moment, log_level::info, "net",
                        "hello", {{"bytes", 12}, {"peer", "x\"y"}}),
            R"({"time":"2026-11-21T03:15:00.007Z","level":"info",)"
            R"("component":"net","message":"hello","bytes":12,)"
            R"("peer":"x\"y"})");
}

TEST(LogLine, StaysOneLineWhateverAPeerSends) {
  for (const auto format : {log_format::text, log_format::json}) {
    const auto line = format_line(format, moment, log_level::info, "mq",
                                  "bad\nmessage", {{"uid", "a\nb=c\x1b[0m"}});
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
  }
}

TEST(RepeatLimit, PassesAKeyOnceAnInterval) {
  repeat_limit limit{10s};
  core::steady_time now{};
  EXPECT_EQ(limit.pass("a", now), 0U);
  EXPECT_EQ(limit.pass("a", now + 1s), std::nullopt);
  EXPECT_EQ(limit.pass("b", now + 1s), 0U);
  EXPECT_EQ(limit.pass("a", now + 9s), std::nullopt);
  EXPECT_EQ(limit.pass("a", now + 10s), 2U);
  EXPECT_EQ(limit.pass("a", now + 20s), 0U);
}

TEST(RepeatLimit, RemembersABoundedNumberAndThenLetsPass) {
  repeat_limit limit{10s};
  core::steady_time now{};
  for (int i = 0; i < 5000; ++i)
    EXPECT_EQ(limit.pass(std::to_string(i), now), 0U);
  EXPECT_EQ(limit.pass("0", now), std::nullopt);
  EXPECT_EQ(limit.pass("4999", now), 0U);
  EXPECT_EQ(limit.pass("4999", now + 10s), 0U); // room again
  EXPECT_EQ(limit.pass("4999", now + 10s), std::nullopt);
}

class LoggerFile : public testing::Test {
protected:
  LoggerFile() {
    std::string name = testing::TempDir() + "troupe-log-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    options_.file = folder_ / "troupe.log";
  }
  ~LoggerFile() override { std::filesystem::remove_all(folder_); }

  static std::string read(const std::filesystem::path& path) {
    std::ifstream in{path};
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

  std::filesystem::path folder_;
  log_settings options_;
};

TEST_F(LoggerFile, WritesFromItsLevelOn) {
  options_.level = log_level::warn;
  auto log = std::move(*logger::open(options_));
  EXPECT_FALSE(log->enabled(log_level::info));
  log->write(log_level::info, "app", "quiet");
  log->write(log_level::warn, "app", "loud");
  log->set_level(log_level::debug);
  log->write(log_level::debug, "app", "now");
  log->flush();
  const auto text = read(options_.file);
  EXPECT_EQ(text.find("quiet"), std::string::npos);
  EXPECT_NE(text.find("loud\n"), std::string::npos);
  EXPECT_NE(text.find("now\n"), std::string::npos);
}

TEST_F(LoggerFile, LevelOffWritesNothing) {
  options_.level = log_level::off;
  auto log = std::move(*logger::open(options_));
  log->write(log_level::error, "app", "x");
  log->flush();
  EXPECT_EQ(read(options_.file), "");
}

TEST_F(LoggerFile, ReopensUnderTheSameName) {
  auto log = std::move(*logger::open(options_));
  log->write(log_level::warn, "app", "first");
  std::filesystem::rename(options_.file, folder_ / "old.log");
  ASSERT_TRUE(log->reopen());
  log->write(log_level::warn, "app", "second");
  EXPECT_NE(read(folder_ / "old.log").find("first"), std::string::npos);
  EXPECT_NE(read(options_.file).find("second"), std::string::npos);
  EXPECT_EQ(read(options_.file).find("first"), std::string::npos);
}

TEST_F(LoggerFile, ThatCannotBeOpenedIsAnError) {
  options_.file = folder_ / "file" / "troupe.log";
  std::ofstream{folder_ / "file"} << "not a folder";
  EXPECT_FALSE(logger::open(options_));
}

TEST_F(LoggerFile, HookLimitsRepeatedWarningsOnly) {
  auto log = std::move(*logger::open(options_));
  const auto say = log->hook("storage");
  for (int i = 0; i < 3; ++i) {
    say(log_level::warn, "disk is nearly full");
    say(log_level::info, "segment made");
  }
  log->flush();
  const auto text = read(options_.file);
  const auto count = [&text](std::string_view what) {
    int found = 0;
    for (auto at = text.find(what); at != std::string::npos;
         at = text.find(what, at + 1))
      ++found;
    return found;
  };
  EXPECT_EQ(count("disk is nearly full"), 1);
  EXPECT_EQ(count("segment made"), 3);
  EXPECT_EQ(count(" storage "), 4);
}

} // namespace
} // namespace troupe::app
