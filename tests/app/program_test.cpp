// SPDX-License-Identifier: Apache-2.0
#include "app/cli.hpp"
#include "app/program.hpp"
#include "app/version.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace troupe::app {
namespace {

class Program : public testing::Test {
protected:
  int run(const std::vector<std::string>& arguments) {
    terminal screen{in_, out_, err_};
    return run_program(arguments, parts_, screen);
  }

  program_parts parts_;
  std::istringstream in_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(Program, PrintsHelpToStandardOutput) {
  EXPECT_EQ(run({"--help"}), exit_ok);
  EXPECT_NE(out_.str().find("serve"), std::string::npos);
  EXPECT_EQ(err_.str(), "");
}

TEST_F(Program, PrintsComplaintsToStandardError) {
  EXPECT_EQ(run({"srve"}), exit_usage);
  EXPECT_EQ(out_.str(), "");
  EXPECT_EQ(err_.str(), "troupe: unknown command 'srve'; did you mean "
                        "'serve'?\nSee 'troupe --help'.\n");
}

TEST_F(Program, CarriesOutACommand) {
  EXPECT_EQ(run({"version"}), exit_ok);
  EXPECT_EQ(out_.str(), version_text());
}

TEST_F(Program, SaysWhichPartItLacks) {
  EXPECT_EQ(run({"bench", "x"}), exit_failed);
  EXPECT_EQ(err_.str(), "troupe: this build has no 'bench'\n");
}

TEST_F(Program, HandsTheLoadGeneratorItsArguments) {
  std::vector<std::string> seen;
  parts_.bench = [&seen](const bench_options& options, terminal&) {
    seen = options.arguments;
    return 7;
  };
  EXPECT_EQ(run({"bench", "post", "--rate", "5"}), 7);
  EXPECT_EQ(seen, (std::vector<std::string>{"post", "--rate", "5"}));
}

TEST_F(Program, ReportsWhatLibrariesThrow) {
  parts_.bench = [](const bench_options&, terminal&) -> int {
    throw std::runtime_error{"no such device"};
  };
  EXPECT_EQ(run({"bench"}), exit_failed);
  EXPECT_EQ(err_.str(), "troupe: no such device\n");
}

} // namespace
} // namespace troupe::app
