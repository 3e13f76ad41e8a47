// SPDX-License-Identifier: Apache-2.0
#include "app/spdlog_ear.hpp"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <string>
#include <utility>
#include <vector>

namespace troupe::app {
namespace {

TEST(SpdlogEar, HearsWhatIsSaidWhileItLives) {
  std::vector<std::pair<log_level, std::string>> heard;
  {
    const spdlog_ear ear{[&heard](log_level level, std::string_view text) {
      heard.emplace_back(level, text);
    }};
    spdlog::debug("connection {} ends", 7);
    spdlog::warn("no room");
    spdlog::error("no way");
  }
  spdlog::error("nobody hears this");
  EXPECT_EQ(heard, (std::vector<std::pair<log_level, std::string>>{
                       {log_level::debug, "connection 7 ends"},
                       {log_level::warn, "no room"},
                       {log_level::error, "no way"}}));
}

} // namespace
} // namespace troupe::app
