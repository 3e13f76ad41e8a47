// SPDX-License-Identifier: Apache-2.0
#include "app/cli.hpp"
#include "app/serve.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace troupe::app {
namespace {

/// A node that does as the test says and records what it was asked.
struct script {
  std::function<void(const service_context&)> on_start = [](auto&) {};
  std::optional<core::error> start_error;
  bool drains = true;
  std::vector<std::uint64_t> reloaded_windows;
  std::string token;
  bool drained = false;
};

class scripted_service final : public service {
public:
  scripted_service(script& plan, const service_context& context)
      : plan_(plan), context_(context) {}

  core::result<bound_addresses> start() override {
    plan_.token = context_.admin_token;
    if (plan_.start_error)
      return *plan_.start_error;
    plan_.on_start(context_);
    return bound_addresses{
        {"127.0.0.1", 4711}, {}, {}, endpoint{"127.0.0.1", 4712}};
  }
  node_facts facts() const override {
    return {core::node_id{7}, "box", context_.values.node.data, false};
  }
  core::result<void> reload(const settings& fresh) override {
    plan_.reloaded_windows.push_back(fresh.mq.window_max);
    ::raise(SIGTERM); // a test reloads once, then stops
    return {};
  }
  void drain(std::function<void()> done) override {
    plan_.drained = true;
    if (plan_.drains)
      done();
  }

private:
  script& plan_;
  service_context context_;
};

class Serve : public testing::Test {
protected:
  Serve() {
    std::string name = testing::TempDir() + "troupe-serve-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    flag("log.file", log_path());
    plan_.on_start = [](auto&) { ::raise(SIGTERM); };
  }
  ~Serve() override { std::filesystem::remove_all(folder_); }

  void flag(std::string name, std::string value) {
    options_.config.flags.push_back(
        {"--set", std::move(name), std::move(value)});
  }
  void write_config(std::string_view text) {
    options_.config.file = folder_ / "t.toml";
    std::ofstream{*options_.config.file} << text;
  }
  std::string log_path() const { return folder_ / "troupe.log"; }
  std::string log_text() const {
    std::ifstream in{log_path()};
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

  int run() {
    terminal screen{in_, out_, err_};
    const auto factory = [this](const service_context& context) {
      return std::make_unique<scripted_service>(plan_, context);
    };
    return run_serve(options_, environment_, factory, screen);
  }

  std::filesystem::path folder_;
  serve_options options_;
  environment_list environment_;
  script plan_;
  std::istringstream in_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(Serve, PrintsTheBannerAndDrainsOnASignal) {
  EXPECT_EQ(run(), exit_ok);
  EXPECT_TRUE(plan_.drained);
  EXPECT_NE(out_.str().find("troupe ready public=127.0.0.1:4711 "
                            "admin=http://127.0.0.1:4712\n"),
            std::string::npos);
  EXPECT_NE(log_text().find("drained"), std::string::npos);
  EXPECT_EQ(err_.str(), "");
}

TEST_F(Serve, GivesUpDrainingWhenTimeIsUp) {
  plan_.drains = false;
  flag("node.drain_timeout", "0");
  EXPECT_EQ(run(), exit_ok);
  EXPECT_NE(log_text().find("gave up draining"), std::string::npos);
}

TEST_F(Serve, RefusesAWrongConfiguration) {
  flag("mq.windowmax", "1");
  EXPECT_EQ(run(), exit_usage);
  EXPECT_NE(err_.str().find("did you mean 'mq.window_max'?"),
            std::string::npos);
  EXPECT_EQ(out_.str(), "");
}

TEST_F(Serve, RefusesAnOpenAdminListenerWithoutToken) {
  flag("listen.admin", "0.0.0.0:9090");
  EXPECT_EQ(run(), exit_usage);
  EXPECT_NE(err_.str().find("can be reached from the network"),
            std::string::npos);
}

TEST_F(Serve, HandsOverTheTokenOfTheFile) {
  std::ofstream{folder_ / "token"} << "hunter2\n";
  flag("admin.token_file", folder_ / "token");
  EXPECT_EQ(run(), exit_ok);
  EXPECT_EQ(plan_.token, "hunter2");
  EXPECT_EQ(out_.str().find("hunter2"), std::string::npos);
  EXPECT_EQ(log_text().find("hunter2"), std::string::npos);
}

TEST_F(Serve, SaysWhyANodeDoesNotStart) {
  plan_.start_error = core::error{core::errc::in_use, "./data"};
  EXPECT_EQ(run(), exit_failed);
  EXPECT_EQ(err_.str(), "troupe serve: in use by another process: ./data\n");
}

TEST_F(Serve, EndsWhenTheNodeCannotGoOn) {
  plan_.on_start = [](const service_context& context) {
    context.failed({core::errc::io_error, "fsync"});
  };
  EXPECT_EQ(run(), exit_failed);
  EXPECT_FALSE(plan_.drained);
  EXPECT_NE(log_text().find("input/output error: fsync"), std::string::npos);
}

TEST_F(Serve, ReloadsTheFile) {
  write_config("[mq]\nwindow_max = 1\n");
  plan_.on_start = [this](const service_context& context) {
    EXPECT_EQ(context.values.mq.window_max, 1U);
    write_config("[mq]\nwindow_max = 2\n[node]\nname = \"other\"\n");
    ::raise(SIGHUP);
  };
  EXPECT_EQ(run(), exit_ok);
  EXPECT_EQ(plan_.reloaded_windows, std::vector<std::uint64_t>{2});
  const auto log = log_text();
  EXPECT_NE(log.find("setting changed setting=mq.window_max value=2"),
            std::string::npos);
  EXPECT_NE(log.find("needs a restart setting=node.name"), std::string::npos);
}

TEST_F(Serve, KeepsItsSettingsIfTheNewOnesAreWrong) {
  write_config("");
  plan_.on_start = [this](const service_context&) {
    write_config("[mq]\nwindow_max = 0\n");
    ::raise(SIGHUP);
    ::raise(SIGTERM);
  };
  // Of waiting signals Linux hands out the lowest number first: SIGHUP.
  EXPECT_EQ(run(), exit_ok);
  EXPECT_TRUE(plan_.reloaded_windows.empty());
  EXPECT_NE(log_text().find("not reloaded"), std::string::npos);
}

using ServeDeathTest = Serve;

TEST_F(ServeDeathTest, SecondSignalEndsAtOnce) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  plan_.drains = false;
  plan_.on_start = [](const service_context&) {
    ::raise(SIGTERM);
    ::raise(SIGINT);
  };
  EXPECT_EXIT((void)run(), testing::ExitedWithCode(130), "");
}

} // namespace
} // namespace troupe::app
