// SPDX-License-Identifier: Apache-2.0
#include "app/cli.hpp"

#include <gtest/gtest.h>

namespace troupe::app {
namespace {

using words = std::vector<std::string>;

/// The options of a line that must be right.
template <class Options>
Options parsed(const words& line) {
  const auto outcome = parse_command_line(line);
  if (const auto* text = std::get_if<cli_text>(&outcome)) {
    ADD_FAILURE() << text->text;
    return {};
  }
  const auto* options = std::get_if<Options>(&std::get<command>(outcome));
  if (options == nullptr) {
    ADD_FAILURE() << "another command";
    return {};
  }
  return *options;
}

/// The complaint about a line that must be wrong.
std::string refused(const words& line) {
  const auto outcome = parse_command_line(line);
  const auto* text = std::get_if<cli_text>(&outcome);
  if (text == nullptr || text->exit_code != exit_usage) {
    ADD_FAILURE() << "was not refused";
    return {};
  }
  return text->text.substr(0, text->text.find('\n'));
}

TEST(CommandLine, ServeCollectsSettingsInOrder) {
  const auto options = parsed<serve_options>(
      {"serve", "--data", "/tmp/d", "--listen", "127.0.0.1:0", "--admin",
       "[::1]:0", "--mq-listen=:8008", "--config", "t.toml", "--log-format",
       "json", "--loops", "2", "--set", "mq.window_max=5", "--set",
       "node.name=a=b"});
  EXPECT_EQ(options.config.file, "t.toml");
  std::vector<std::string> flags;
  for (const auto& each : options.config.flags)
    flags.push_back(each.flag + ' ' + each.name + ' ' + each.value);
  std::sort(flags.begin(), flags.end());
  EXPECT_EQ(flags,
            (words{"--admin listen.admin [::1]:0", "--data node.data /tmp/d",
                   "--listen listen.public 127.0.0.1:0",
                   "--log-format log.format json", "--loops node.loops 2",
                   "--mq-listen listen.mq :8008", "--set mq.window_max 5",
                   "--set node.name a=b"}));
}

TEST(CommandLine, RightsAreGivenAndTaken) {
  const auto token = parsed<token_add_options>(
      {"token", "add", "anna", "--label", "lamp", "--expires-in", "1h",
       "--role", "r,s", "--grant", "publish:a/%u"});
  EXPECT_EQ(token.uid, "anna");
  EXPECT_EQ(token.expires_in, std::chrono::hours{1});
  EXPECT_EQ(token.roles, (words{"r", "s"}));
  EXPECT_EQ(token.grants, words{"publish:a/%u"});
  const auto grant = parsed<grant_change_options>(
      {"grant", "remove", "--role", "r", "call:a", "call:b"});
  EXPECT_FALSE(grant.give);
  EXPECT_EQ(grant.role, "r");
  EXPECT_EQ(grant.grants, (words{"call:a", "call:b"}));
  const auto role = parsed<role_change_options>({"role", "give", "r", "anna"});
  EXPECT_TRUE(role.give);
  EXPECT_EQ(role.uid, "anna");
  const auto block =
      parsed<block_change_options>({"block", "add", "anna", "bob", "carl"});
  EXPECT_EQ(block.blocked, (words{"bob", "carl"}));
  const auto ban = parsed<ban_add_options>(
      {"ban", "add", "--address", "192.0.2.7", "--for", "10m"});
  EXPECT_EQ(ban.address, "192.0.2.7");
  EXPECT_EQ(ban.lasts, std::chrono::minutes{10});
  EXPECT_TRUE(parsed<user_passwd_options>({"user", "passwd", "anna"}).file ==
              "-");
}

TEST(CommandLine, RightsAreOfAUserOrOfARoleNotOfBoth) {
  for (const auto& line :
       {words{"grant", "add", "publish:a"},
        words{"grant", "add", "--user", "u", "--role", "r", "publish:a"},
        words{"grant", "add", "--user", "u"}, words{"ban", "add"},
        words{"ban", "lift", "--user", "u", "--address", "::1"},
        words{"token", "add"}, words{"block", "add", "anna"}})
    EXPECT_FALSE(refused(line).empty());
}

TEST(CommandLine, AuditTakesTermsAsTheNodeNamesThem) {
  const auto query = parsed<audit_query_options>(
      {"audit", "query", "--kind", "post,login", "--user", "anna", "--accepted",
       "false", "--since", "1h", "--limit", "7"});
  EXPECT_EQ(
      query.terms,
      (std::vector<std::pair<std::string, std::string>>{
          {"kind", "post,login"}, {"user", "anna"}, {"accepted", "false"}}));
  EXPECT_EQ(query.since, std::chrono::hours{1});
  EXPECT_EQ(query.limit, 7U);
  EXPECT_FALSE(query.lines);
  const auto all = parsed<audit_query_options>(
      {"audit", "export", "--folder", "data/audit"});
  EXPECT_EQ(all.folder, "data/audit");
  EXPECT_EQ(all.limit, 0U);
  EXPECT_TRUE(all.lines);
  const auto verify = parsed<audit_verify_options>(
      {"audit", "verify", "data/audit", "--key-file", "k", "--anchor", "7:ab"});
  EXPECT_EQ(verify.folder, "data/audit");
  EXPECT_EQ(verify.key_file, "k");
  EXPECT_EQ(verify.anchor, "7:ab");
  EXPECT_FALSE(refused({"audit", "verify"}).empty());
}

TEST(CommandLine, SessionsAreChosenByNodeUserAndProtocol) {
  const auto list = parsed<session_list_options>(
      {"session", "list", "--node", "2", "--user", "anna", "--protocol", "mq"});
  EXPECT_EQ(list.node, 2U);
  EXPECT_EQ(list.uid, "anna");
  EXPECT_EQ(list.protocol, "mq");
  EXPECT_EQ(list.limit, 1000U);
  EXPECT_EQ(parsed<session_show_options>({"session", "show", "7"}).id, "7");
  EXPECT_EQ(parsed<session_kick_options>({"session", "kick", "7", "8"}).ids,
            (std::vector<std::string>{"7", "8"}));
  EXPECT_EQ(
      parsed<session_kick_options>({"session", "kick", "--user", "u"}).uid,
      "u");
  EXPECT_EQ(parsed<mqtt_kick_options>({"mqtt", "kick", "pump"}).client, "pump");
  EXPECT_EQ(
      parsed<mqtt_trace_options>({"mqtt", "trace", "pump", "--count", "3"})
          .count,
      3U);
  const auto records = parsed<records_options>(
      {"session", "records", "--from", "2026-11-22T01:02:03Z", "--until",
       "2026-11-22T02:00:00Z", "--event", "closed", "--lines"});
  ASSERT_TRUE(records.from && records.until);
  EXPECT_EQ(core::to_millis(*records.until) - core::to_millis(*records.from),
            57 * 60'000 + 57'000);
  EXPECT_EQ(records.event, "closed");
  EXPECT_TRUE(records.lines);
  for (const auto& line :
       {words{"session"}, words{"session", "show"}, words{"session", "kick"},
        words{"session", "kick", "7", "--user", "u"},
        words{"session", "list", "--node", "0"},
        words{"session", "records", "--event", "came"},
        words{"session", "records", "--from", "yesterday"},
        words{"session", "records", "--from", "2026-11-22T01:02:03Z", "--since",
              "1h"}})
    EXPECT_FALSE(refused(line).empty());
}

TEST(CommandLine, PostTakesRecipientsOfEachKind) {
  const auto options = parsed<post_options>(
      {"post", "--server", "h:1", "--as", "alice", "--device", "n0", "--to",
       "bob,carol", "--to", "dave", "--one", "erin", "--list", "team", "--ttl",
       "1h", "--no-copy", "hello world"});
  EXPECT_EQ(options.client.server, (endpoint{"h", 1}));
  EXPECT_EQ(options.client.uid, "alice");
  EXPECT_EQ(options.client.device, "n0");
  EXPECT_EQ(options.to, (words{"bob", "carol", "dave"}));
  EXPECT_EQ(options.one, words{"erin"});
  EXPECT_EQ(options.lists, words{"team"});
  EXPECT_EQ(options.ttl, std::chrono::hours{1});
  EXPECT_FALSE(options.copy_to_own_devices);
  EXPECT_EQ(options.text, "hello world");
}

TEST(CommandLine, PostReadsStandardInputForADashOrNothing) {
  const words base{"post", "--as", "a", "--device", "d", "--to", "b"};
  EXPECT_FALSE(parsed<post_options>(base).text);
  auto dash = base;
  dash.emplace_back("-");
  EXPECT_FALSE(parsed<post_options>(dash).text);
  EXPECT_TRUE(parsed<post_options>(dash).copy_to_own_devices);
}

TEST(CommandLine, PingAndTail) {
  const auto ping = parsed<ping_options>(
      {"ping", "--as", "a", "--device", "d", "bobby", "short"});
  EXPECT_EQ(ping.alias, "bobby");
  EXPECT_EQ(ping.text, "short");
  const auto tail = parsed<inbox_tail_options>(
      {"inbox", "tail", "--as", "a", "--device", "d", "--window", "64",
       "--no-ack", "--json", "--count", "3", "--timeout", "500ms"});
  EXPECT_EQ(tail.window, 64U);
  EXPECT_FALSE(tail.acknowledge);
  EXPECT_TRUE(tail.json);
  EXPECT_EQ(tail.count, 3U);
  EXPECT_EQ(tail.client.timeout, std::chrono::milliseconds{500});
}

TEST(CommandLine, PubAndSubOfChannels) {
  const auto pub = parsed<pub_options>({"pub", "--server", "h:1", "--as",
                                        "anna", "--type", "x/y", "news", "hi"});
  EXPECT_EQ(pub.door, via::msgbus);
  EXPECT_EQ(to_string(pub.peer.server), "h:1");
  EXPECT_EQ(pub.peer.user, "anna");
  EXPECT_EQ(pub.type, "x/y");
  EXPECT_EQ(pub.target, "news");
  EXPECT_EQ(pub.text, "hi");
  EXPECT_FALSE(parsed<pub_options>({"pub", "news", "-"}).text);
  const auto sub = parsed<sub_options>(
      {"sub", "--via", "msgbus", "--type", "text/*", "--sender", "anna",
       "--since", "1-2", "--json", "--count", "3", "a/b"});
  EXPECT_EQ(sub.door, via::msgbus);
  EXPECT_EQ(sub.types, "text/*");
  EXPECT_EQ(sub.senders, "anna");
  EXPECT_EQ(sub.since, "1-2");
  EXPECT_TRUE(sub.json);
  EXPECT_EQ(sub.count, 3U);
  EXPECT_EQ(sub.channel, "a/b");
  EXPECT_EQ(parsed<sub_options>({"sub"}).door, via::sse);
}

TEST(CommandLine, PubAndSubOfInboxesNeedAUserAndADevice) {
  const auto sub = parsed<sub_options>(
      {"sub", "--via", "mq", "--as", "bob", "--device", "n0", "--create"});
  EXPECT_EQ(sub.door, via::mq);
  EXPECT_EQ(sub.peer.device, "n0");
  EXPECT_TRUE(sub.peer.create);
  EXPECT_EQ(refused({"pub", "--via", "mq", "bob", "hi"}),
            "troupe pub: --via: mq needs --as and --device");
  EXPECT_NE(refused({"sub", "--via", "mq", "--as", "b", "--device", "d", "x"}),
            "");
  EXPECT_NE(refused({"sub", "--device", "d", "news"}), "");
  EXPECT_NE(refused({"sub", "--via", "smoke", "news"}), "");
  EXPECT_NE(refused({"pub", "a b", "x"}), "");
}

TEST(CommandLine, PubAndSubByZenconnNeedAChannelAndSayJsonOrText) {
  const auto pub = parsed<pub_options>(
      {"pub", "--via", "zenconn", "--type", "application/json", "a b", "[1]"});
  EXPECT_EQ(pub.door, via::zenconn);
  EXPECT_EQ(pub.target, "a b");
  EXPECT_EQ(parsed<sub_options>({"sub", "--via", "zenconn", "*"}).door,
            via::zenconn);
  EXPECT_EQ(refused({"sub", "--via", "zenconn"}),
            "troupe sub: CHANNEL: zenconn needs one");
  EXPECT_NE(refused({"sub", "--via", "zenconn", "--type", "x/*", "a"}), "");
  EXPECT_NE(refused({"pub", "--via", "zenconn", "--type", "x/y", "a", "b"}),
            "");
  EXPECT_NE(refused({"pub", "--via", "zenconn", "--as", "anna", "a", "b"}), "");
}

TEST(CommandLine, PubAndSubTakeATokenInsteadOfAName) {
  EXPECT_EQ(
      parsed<pub_options>({"pub", "--token", "trp_x", "a", "x"}).peer.token,
      "trp_x");
  EXPECT_EQ(parsed<sub_options>({"sub", "--token", "trp_x"}).peer.token,
            "trp_x");
  EXPECT_EQ(refused({"sub", "--token", "x", "--as", "anna", "news"}),
            "troupe sub: --token: goes without --as and --password");
  EXPECT_NE(refused({"sub", "--via", "mq", "--as", "b", "--device", "d",
                     "--token", "x"}),
            "");
}

TEST(CommandLine, UserCommands) {
  const auto add = parsed<user_add_options>(
      {"user", "add", "alice", "--device", "n0", "--alias", "al,ice", "--admin",
       "127.0.0.1:1", "--token", "t", "--json"});
  EXPECT_EQ(add.uid, "alice");
  EXPECT_EQ(add.aliases, (words{"al", "ice"}));
  EXPECT_EQ(add.admin.address.port, 1);
  EXPECT_EQ(add.admin.token, "t");
  EXPECT_TRUE(add.admin.json);
  EXPECT_EQ(parsed<user_show_options>({"user", "show", "a"}).uid, "a");
  EXPECT_EQ(parsed<user_list_options>({"user", "list"}).prefix, "");
  EXPECT_EQ(parsed<user_list_options>({"user", "list", "a"}).prefix, "a");
  EXPECT_EQ(parsed<user_remove_options>({"user", "remove", "a"}).uid, "a");
  EXPECT_EQ(parsed<user_import_options>({"user", "import", "mqreg"}).file,
            "mqreg");
  parsed<user_export_options>({"user", "export"});
  EXPECT_EQ(parsed<user_devices_options>({"user", "devices", "a"}).uid, "a");
  EXPECT_EQ(
      parsed<user_inactive_options>({"user", "inactive", "--unseen-for", "30d"})
          .unseen_for,
      std::chrono::hours{720});
  parsed<user_purge_options>({"user", "purge", "--unseen-for", "1d"});
}

TEST(CommandLine, ListCommands) {
  EXPECT_EQ(parsed<list_show_options>({"list", "show", "l"}).list, "l");
  parsed<list_ls_options>({"list", "ls"});
  const auto add = parsed<list_add_options>({"list", "add", "l", "bob"});
  EXPECT_EQ(add.list, "l");
  EXPECT_EQ(add.uid, "bob");
  EXPECT_EQ(parsed<list_remove_options>({"list", "remove", "l", "bob"}).uid,
            "bob");
}

TEST(CommandLine, ConfigCommands) {
  parsed<config_default_options>({"config", "default"});
  EXPECT_EQ(parsed<config_check_options>({"config", "check", "f"}).file, "f");
  EXPECT_FALSE(parsed<config_explain_options>({"config", "explain"}).name);
  const auto one = parsed<config_explain_options>(
      {"config", "explain", "mq.window_max", "--set", "mq.window_max=2"});
  EXPECT_EQ(one.name, "mq.window_max");
  EXPECT_EQ(one.config.flags.size(), 1U);
  parsed<config_reference_options>({"config", "reference"});
  parsed<version_options>({"version"});
}

TEST(CommandLine, BenchPassesEverythingOn) {
  EXPECT_EQ(parsed<bench_options>(
                {"bench", "fanout", "--clients", "100", "-h", "--help"})
                .arguments,
            (words{"fanout", "--clients", "100", "-h", "--help"}));
}

TEST(CommandLine, TakesNamesOfCommandsForPlainWords) {
  EXPECT_EQ(parsed<post_options>(
                {"post", "--as", "a", "--device", "d", "--to", "user", "ping"})
                .text,
            "ping");
  EXPECT_EQ(parsed<user_show_options>({"user", "show", "list"}).uid, "list");
  EXPECT_EQ(parsed<user_show_options>({"user", "show", "show"}).uid, "show");
  EXPECT_EQ(parsed<list_add_options>({"list", "add", "user", "add"}).uid,
            "add");
  EXPECT_EQ(parsed<bench_options>({"bench", "post", "bench"}).arguments,
            (words{"post", "bench"}));
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(refused({"serv", "--data", "x"}),
            "troupe: unknown command 'serv'; did you mean 'serve'?");
  EXPECT_EQ(refused({"serve", "--lisen", "x"}),
            "troupe serve: unknown flag '--lisen'; did you mean '--listen'?");
  EXPECT_EQ(refused({"serve", "--lisen=x"}),
            "troupe serve: unknown flag '--lisen'; did you mean '--listen'?");
  EXPECT_EQ(refused({"user", "ad", "alice"}),
            "troupe user: unknown command 'ad'; did you mean 'add'?");
  EXPECT_EQ(refused({"config", "check", "a", "b"}),
            "troupe config check: unexpected argument 'b'");
  EXPECT_EQ(refused({"post", "--too", "bob"}),
            "troupe post: unknown flag '--too'; did you mean '--to'?");
  EXPECT_EQ(refused({"--verbose"}), "troupe: unknown flag '--verbose'");
}

TEST(CommandLine, RefusesWrongValues) {
  EXPECT_EQ(refused({"serve", "--set", "x"}),
            "troupe serve: --set: 'x' is no section.key=value");
  for (const auto& line : std::vector<words>{
           {"post", "--as", "a", "--device", "d", "x"},
           {"post", "--as", "a", "--to", "b", "x"},
           {"post", "--as", "a", "--device", "d", "--to", "b", "--ttl", "0",
            "x"},
           {"inbox", "tail", "--as", "a", "--device", "d", "--window", "0"},
           {"ping", "--as", "a", "--device", "d"},
           {"user", "list", "--admin", "nowhere"},
           {"user", "purge"},
           {"config", "check"},
           {"serve", "--data"},
       })
    EXPECT_NE(refused(line), "");
}

TEST(CommandLine, AnswersAHalfCommandWithHelp) {
  for (const auto& line : std::vector<words>{{}, {"user"}, {"config"}}) {
    const auto outcome = parse_command_line(line);
    const auto& text = std::get<cli_text>(outcome);
    EXPECT_EQ(text.exit_code, exit_usage);
    EXPECT_NE(text.text.find("Subcommands:"), std::string::npos);
  }
}

TEST(CommandLine, HelpAndVersionAreNoFailure) {
  const auto help = std::get<cli_text>(parse_command_line({"serve", "--help"}));
  EXPECT_EQ(help.exit_code, exit_ok);
  EXPECT_NE(help.text.find("--mq-listen"), std::string::npos);
  const auto version = std::get<cli_text>(parse_command_line({"--version"}));
  EXPECT_EQ(version.exit_code, exit_ok);
  EXPECT_EQ(version.text.rfind("troupe ", 0), 0U);
  const auto all = std::get<cli_text>(parse_command_line({"--help"}));
  EXPECT_EQ(all.text.find("reference"), std::string::npos);
}

TEST(CommandLine, CertsTakesNodesWithTheirHosts) {
  const auto options = parsed<cluster_certs_options>(
      {"cluster", "certs", "--out", "d", "--node", "a=10.0.0.1,a.lan", "--node",
       "b", "--days", "30"});
  EXPECT_EQ(options.out, "d");
  ASSERT_EQ(options.nodes.size(), 2U);
  EXPECT_EQ(options.nodes[0].name, "a");
  EXPECT_EQ(options.nodes[0].hosts, (words{"10.0.0.1", "a.lan"}));
  EXPECT_EQ(options.nodes[1].name, "b");
  EXPECT_TRUE(options.nodes[1].hosts.empty());
  EXPECT_EQ(options.days, 30U);
  // Names become files and parts of a certificate.
  for (const auto* name :
       {"ca", "../a", "", "a=x,DNS:evil/y", "a=", "a b", ".a", "a=h\nDNS:x"})
    refused({"cluster", "certs", "--out", "d", "--node", name});
  EXPECT_NE(refused({"cluster", "cert", "--out", "d"}).find("'certs'"),
            std::string::npos);
}

TEST(CommandLine, RecoverTakesTheFlagsOfServeAndAConfirmation) {
  const auto asked = parsed<recover_options>(
      {"recover", "--data", "/d", "--config", "t.toml"});
  EXPECT_TRUE(asked.confirmed.empty());
  EXPECT_EQ(asked.config.file, "t.toml");
  ASSERT_EQ(asked.config.flags.size(), 1U);
  const auto meant = parsed<recover_options>(
      {"recover", "--i-know-that-the-others-are-lost", "0123"});
  EXPECT_EQ(meant.confirmed, "0123");
  refused({"recover", "--i-know-that-the-others-are-lost"});
  EXPECT_NE(refused({"recove"}).find("did you mean 'recover'"),
            std::string::npos);
}

TEST(CommandLine, ReplaceTakesTwoNodes) {
  const auto options =
      parsed<node_replace_options>({"node", "replace", "2", "4", "--no-wait"});
  EXPECT_EQ(options.old_id, 2U);
  EXPECT_EQ(options.new_id, 4U);
  EXPECT_FALSE(options.wait);
  EXPECT_TRUE(parsed<node_replace_options>({"node", "replace", "2", "4"}).wait);
  refused({"node", "replace", "2"});
  EXPECT_NE(refused({"node", "undrian", "2"}).find("did you mean 'undrain'"),
            std::string::npos);
}

} // namespace
} // namespace troupe::app
