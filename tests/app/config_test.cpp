// SPDX-License-Identifier: Apache-2.0
#include "app/config.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace troupe::app {
namespace {

/// A file that is gone after the test.
class scratch_file {
public:
  explicit scratch_file(std::string_view text) {
    std::string name = testing::TempDir() + "troupe-config-XXXXXX";
    const int fd = ::mkstemp(name.data());
    TROUPE_ASSERT(fd >= 0, "no scratch file");
    path_ = name;
    std::ofstream{path_} << text;
    ::close(fd);
  }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;
  ~scratch_file() { std::filesystem::remove(path_); }

  [[nodiscard]] const std::string& path() const { return path_; }

private:
  std::string path_;
};

std::vector<std::string> problems_of(std::string_view text) {
  std::vector<std::string> lines;
  for (const auto& problem : check_config_text(text, "t.toml").problems)
    lines.push_back(to_string(problem));
  return lines;
}

using lines = std::vector<std::string>;

TEST(Config, PrefersFlagThenEnvironmentThenFileThenDefault) {
  const scratch_file file{"[mq]\nwindow_max = 1\nrecipients_max = 2\n"
                          "login_rate_per_address = 3\n"};
  const auto config = load_config(
      {file.path(),
       {{"TROUPE_MQ__WINDOW_MAX", "10"}, {"TROUPE_MQ__RECIPIENTS_MAX", "20"}},
       {{"--set", "mq.window_max", "100"}}});
  ASSERT_TRUE(config.ok()) << to_string(config.problems.front());
  EXPECT_EQ(config.values.mq.window_max, 100U);
  EXPECT_EQ(config.values.mq.recipients_max, 20U);
  EXPECT_EQ(config.values.mq.login_rate_per_address, 3U);
  EXPECT_EQ(config.values.mq.ping_bytes_max, 4096U);

  const auto origin = [&config](std::string_view name) {
    return config.origins[index_of(*find_setting(name))];
  };
  EXPECT_EQ(origin("mq.window_max").source, value_source::flag);
  EXPECT_EQ(origin("mq.recipients_max").place, "TROUPE_MQ__RECIPIENTS_MAX");
  EXPECT_EQ(origin("mq.login_rate_per_address").place, file.path() + ":4:26");
  EXPECT_EQ(origin("mq.ping_bytes_max").source, value_source::built_in);
}

TEST(Config, MapsVariablesWithoutRegardToCase) {
  const auto config = load_config({{}, {{"troupe_Log__Level", "DEBUG"}}, {}});
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config.values.log.level, log_level::debug);
}

TEST(Config, RefusesUnknownVariables) {
  const auto config = load_config({{},
                                   {{"TROUPE_LISTEN__PUBLICK", "x"},
                                    {"TROUPE_NODE_DATA", "x"},
                                    {"TROUPE_FOO__BAR", "x"}},
                                   {}});
  ASSERT_EQ(config.problems.size(), 3U);
  EXPECT_EQ(to_string(config.problems[0]),
            "TROUPE_LISTEN__PUBLICK: unknown variable; did you mean "
            "'TROUPE_LISTEN__PUBLIC'?");
  EXPECT_EQ(config.problems[1].text,
            "unknown variable; did you mean 'TROUPE_NODE__DATA'?");
}

TEST(Config, PassesOverWhatOthersPutIntoTheEnvironment) {
  const auto config = load_config({{},
                                   {{"TROUPE_SERVICE_HOST", "10.0.0.1"},
                                    {"TROUPE_SERVICE_PORT_MQ", "8008"},
                                    {"TROUPE_PORT", "tcp://10.0.0.1:8008"},
                                    {"TROUPE_PORT_8008_TCP_ADDR", "10.0.0.1"},
                                    {"TROUPE_ADMIN_SERVICE_HOST", "10.0.0.1"},
                                    {"TROUPE_CONFIG", "x.toml"},
                                    {"TROUPE_PASSWORD", "of a client"},
                                    {"TROUPE_TOKEN", "of a client"},
                                    {"TROUPE_TEST_SEED", "1"}},
                                   {}});
  EXPECT_TRUE(config.ok());
}

TEST(Config, RefusesUnknownNamesOfFlags) {
  const auto config = load_config({{}, {}, {{"--set", "mq.windowmax", "1"}}});
  ASSERT_EQ(config.problems.size(), 1U);
  EXPECT_EQ(to_string(config.problems[0]),
            "--set: unknown setting 'mq.windowmax'; did you mean "
            "'mq.window_max'?");
}

TEST(ConfigFile, NamesEveryMistakeByPositionFromTopToBottom) {
  EXPECT_EQ(problems_of("[lissen]\n"
                        "[mq]\n"
                        "  windw_max = 5\n"
                        "login_timeout = 10\n"
                        "retry_interval = \"soon\"\n"
                        "[log]\n"
                        "format = \"xml\"\n"),
            (lines{"t.toml:1:2: unknown section 'lissen'; did you mean "
                   "'listen'?",
                   "t.toml:3:3: unknown key 'windw_max' in [mq]; did you mean "
                   "'window_max'?",
                   "t.toml:4:17: mq.login_timeout: expected a duration in "
                   "quotes, for example \"10s\"",
                   "t.toml:5:18: mq.retry_interval: 'soon' is no duration; "
                   "expected a number and us, ms, s, m, h or d, for example "
                   "10s",
                   "t.toml:7:10: log.format: 'xml' is none of text, json"}));
}

TEST(ConfigFile, SaysWhereTheSyntaxBreaks) {
  const auto found = problems_of("[mq]\nwindow_max = = 5\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].rfind("t.toml:2:", 0), 0U) << found[0];
}

TEST(ConfigFile, RefusesEachWrongType) {
  for (const auto* text : {
           "[ws]\ndeflate = \"true\"\n",
           "[ws]\ndeflate = 1\n",
           "[ws]\norigins = \"a\"\n",
           "[ws]\norigins = [1]\n",
           "[mq]\nwindow_max = \"5\"\n",
           "[mq]\nwindow_max = 5.0\n",
           "[mq]\nwindow_max = -5\n",
           "[mq]\nwindow_max = true\n",
           "[mq]\nmessage_bytes_max = 1.5\n",
           "[mq]\nlogin_timeout = 1\n",
           "[node]\ndata = 5\n",
           "[node]\ndata = [\"x\"]\n",
           "[listen]\npublic = 8080\n",
           "[listen]\nadmin = \"9090\"\n",
           "[log]\nlevel = 3\n",
           "node = 5\n",
           "[node.data]\nx = 1\n",
       })
    EXPECT_EQ(problems_of(text).size(), 1U) << text;
}

TEST(ConfigFile, AcceptsEachRightType) {
  EXPECT_EQ(problems_of("[node]\ndata = \"x\"\nspin = \"50us\"\n"
                        "[ws]\ndeflate = true\norigins = [\"a\", \"b\"]\n"
                        "[mq]\nwindow_max = 1_000\nping_bytes_max = 100\n"
                        "message_bytes_max = \"1MiB\"\n"
                        "[inbox]\nttl_default = 0\n"
                        "[listen]\npublic = \"[::1]:0\"\nmq = \"off\"\n"
                        "[log]\nlevel = \"warn\"\n"),
            lines{});
}

TEST(ConfigFile, ThatIsNotThereIsAProblem) {
  const auto config = load_config({"/nowhere/t.toml", {}, {}});
  ASSERT_EQ(config.problems.size(), 1U);
  EXPECT_EQ(to_string(config.problems[0]),
            "/nowhere/t.toml: cannot be read: No such file or directory");
}

TEST(ConfigRules, AdminOnTheNetworkNeedsAToken) {
  const auto found = problems_of("[listen]\nadmin = \"0.0.0.0:9090\"\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].rfind("t.toml:2:9: listen.admin: 0.0.0.0:9090 can be "
                           "reached from the network: set admin.token",
                           0),
            0U)
      << found[0];
  EXPECT_EQ(problems_of("[listen]\nadmin = \"0.0.0.0:9090\"\n"
                        "[admin]\ntoken = \"t\"\n"),
            lines{});
}

TEST(ConfigRules, TlsNeedsCertificateAndKey) {
  EXPECT_EQ(problems_of("[listen]\ntls = \":8443\"\n").size(), 2U);
}

TEST(ConfigRules, RefuseValuesThatContradictEachOther) {
  for (const auto* text : {
           "[node]\ndata = \"\"\n",
           "[mq]\nping_bytes_max = \"128MiB\"\n",
           "[inbox]\nbytes_max = \"1MiB\"\n",
           "[listen]\noutput_bytes_max = \"1MiB\"\n",
           "[listen]\nproxy_protocol = \"optional\"\n",
           "[listen]\ntrusted_proxies = [\"nobody\"]\n",
           "[ws]\nping_interval = \"2m\"\n",
           "[ws]\nping_interval = \"0\"\n",
           "[admin]\ntoken = \"a\"\ntoken_file = \"b\"\n",
           "[storage]\nquota_bytes = \"64MiB\"\n",
           "[inbox]\ndevice_inactive_after = \"30d\"\n"
           "user_inactive_after = \"1d\"\n",
       })
    EXPECT_EQ(problems_of(text).size(), 1U) << text;
}

constexpr const char* in_a_cluster = "[cluster]\nlisten = \"127.0.0.1:7001\"\n";

TEST(ConfigRules, ScramHasRoundsEnoughOrIsOff) {
  for (const char* good : {"0", "4096", "1000000"})
    EXPECT_EQ(problems_of("[auth]\nscram_iterations = " + std::string{good}),
              lines{});
  EXPECT_EQ(problems_of("[auth]\nscram_iterations = 4095"),
            lines{"t.toml:2:20: auth.scram_iterations: is 0, or at least 4096: "
                  "fewer are not served (RFC 7677)"});
  EXPECT_EQ(problems_of("[auth]\nscram_iterations = 1000001").size(), 1U);
}

TEST(ConfigRules, ANodeOfAClusterNeedsASecret) {
  const std::string listen = in_a_cluster;
  const auto found = problems_of(listen);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].rfind("t.toml:2:10: cluster.listen: needs a secret", 0),
            0U)
      << found[0];
  EXPECT_EQ(problems_of(listen + "secret = \"0123456789abcdef\"\n"), lines{});
  EXPECT_EQ(problems_of(listen + "secret_file = \"f\"\n"), lines{});
  const auto brief = problems_of(listen + "secret = \"0123456789abcde\"\n");
  ASSERT_EQ(brief.size(), 1U);
  EXPECT_EQ(brief[0], "t.toml:3:10: cluster.secret: is shorter than 16 "
                      "characters");
}

TEST(ConfigRules, RefuseACluster) {
  const std::string good = std::string{in_a_cluster} + "secret_file = \"f\"\n";
  for (const std::string more : {
           "secret = \"0123456789abcdef\"\n",
           "join = [\"nowhere\"]\n",
           "join = [\"10.0.0.1:0\"]\n",
           "join = [\"0.0.0.0:7001\"]\n",
           "advertise = \"here\"\n",
           "tls_ca = \"ca.pem\"\n",
           "tls_certificate = \"a\"\ntls_key = \"b\"\n",
       })
    EXPECT_EQ(problems_of(good + more).size(), 1U) << more;
  EXPECT_EQ(problems_of(good + "join = [\"a.example:7001\", "
                               "\"10.0.0.1:7001\"]\n"
                               "advertise = \"b.example:7001\"\n"
                               "tls_certificate = \"a\"\ntls_key = \"b\"\n"
                               "tls_ca = \"c\"\n"),
            lines{});
  EXPECT_EQ(problems_of("[cluster]\njoin = [\"10.0.0.1:7001\"]\n").size(), 1U);
  EXPECT_EQ(problems_of("[cluster]\nlisten = \"a.example:7001\"\n"
                        "secret_file = \"f\"\n")
                .size(),
            1U);
}

TEST(ClusterSecret, ComesFromTheFileIfThereIsOne) {
  settings values;
  EXPECT_EQ(*cluster_secret(values), "");
  values.cluster.secret = "0123456789abcdef";
  EXPECT_EQ(*cluster_secret(values), "0123456789abcdef");
  const scratch_file file{"a secret of the cluster\r\nsecond line\n"};
  values.cluster.secret_file = file.path();
  EXPECT_EQ(*cluster_secret(values), "a secret of the cluster");
  const scratch_file brief{"short\n"};
  values.cluster.secret_file = brief.path();
  EXPECT_FALSE(cluster_secret(values));
  values.cluster.secret_file = "/nowhere";
  EXPECT_FALSE(cluster_secret(values));
}

TEST(AdminToken, ComesFromTheFileIfThereIsOne) {
  settings values;
  EXPECT_EQ(*admin_token(values), "");
  values.admin.token = "inline";
  EXPECT_EQ(*admin_token(values), "inline");
  const scratch_file file{"secret\r\nsecond line\n"};
  values.admin.token_file = file.path();
  EXPECT_EQ(*admin_token(values), "secret");
  values.admin.token_file = "/nowhere";
  EXPECT_FALSE(admin_token(values));
}

TEST(ConfigText, DefaultFileIsValidAndIsTheDefaults) {
  const auto config = check_config_text(default_config_text(), "default.toml");
  EXPECT_TRUE(config.ok()) << to_string(config.problems.front());
  EXPECT_TRUE(differences(config.values, settings{}).empty());
  for (const auto& origin : config.origins)
    EXPECT_EQ(origin.source, value_source::file);
}

TEST(ConfigText, DefaultFileKeepsToEightyColumns) {
  std::istringstream text{default_config_text()};
  for (std::string line; std::getline(text, line);)
    EXPECT_LE(line.size(), 80U) << line;
}

TEST(ConfigText, ReferenceInDocsIsCurrent) {
  std::ifstream in{TROUPE_SOURCE_DIR "/docs/configuration.md"};
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), config_reference_text())
      << "run: troupe config reference > docs/configuration.md";
}

TEST(ConfigText, ExplainsValueOriginAndDefault) {
  const auto config = load_config({{}, {{"TROUPE_LOG__LEVEL", "warn"}}, {}});
  EXPECT_EQ(explain(config, *find_setting("log.level")),
            "log.level\n"
            "  value       warn\n"
            "  from        environment TROUPE_LOG__LEVEL\n"
            "  default     info\n"
            "  form        one of trace, debug, info, warn, error, off\n"
            "  variable    TROUPE_LOG__LEVEL\n"
            "  counts from reload\n"
            "  Least important kind of line that is written.\n");
}

TEST(ConfigText, NeverShowsASecret) {
  const auto config = load_config({{},
                                   {{"TROUPE_ADMIN__TOKEN", "hunter2"},
                                    {"TROUPE_CLUSTER__SECRET", "hunter2"}},
                                   {}});
  std::string all = explain_all(config);
  for (const auto& row : all_settings())
    all += explain(config, row);
  EXPECT_EQ(all.find("hunter2"), std::string::npos);
  EXPECT_NE(all.find("(set, not shown)"), std::string::npos);
}

} // namespace
} // namespace troupe::app
