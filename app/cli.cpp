// SPDX-License-Identifier: Apache-2.0
#include "app/cli.hpp"

#include "app/cli_builder.hpp"
#include "app/cli_flags.hpp"
#include "app/suggestions.hpp"
#include "app/value_text.hpp"
#include "app/version.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <sstream>

namespace troupe::app {
namespace {

/// The tree of commands. Lives as long as one parse.
class command_tree : private cli_builder {
public:
  command_tree() {
    root().set_version_flag("--version", version_text());
    root().footer("Try: troupe serve --data ./data\n"
                  "     troupe COMMAND --help");
    root().get_formatter()->column_width(34);
    add_serve();
    add_post();
    add_ping();
    add_inbox();
    add_channel_commands(*this);
    add_users();
    add_rights_commands(*this);
    add_lists();
    add_key_commands(*this);
    add_channels();
    add_nodes();
    add_cluster();
    add_recover();
    add_session_commands(*this);
    add_mqtt_commands(*this);
    add_audit_commands(*this);
    add_config();
    add_bench();
    add_ready();
    add_version();
    add_worker();
  }
  command_tree(const command_tree&) = delete;
  command_tree& operator=(const command_tree&) = delete;

  std::variant<command, cli_text> parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end()); // as CLI11 wants them
    try {
      root().parse(arguments);
    } catch (const CLI::Success& wanted) { // help and version
      std::ostringstream text;
      root().exit(wanted, text, text);
      return cli_text{exit_ok, text.str()};
    } catch (const CLI::ParseError& failure) {
      const auto unknown = root().remaining(true);
      return refuse(unknown.empty() ? std::string{failure.what()}
                                    : describe_unknown(unknown.front()));
    }
    if (chosen())
      return *chosen();
    return cli_text{exit_usage, root().help()};
  }

private:
  void add_config_flags(CLI::App* to, config_options& options) {
    to->add_option("--config", options.file, "Configuration file (TOML)")
        ->envname("TROUPE_CONFIG")
        ->type_name("FILE");
    for (const auto& each : short_flags) {
      const auto* row = find_setting(each.name);
      to->add_option_function<std::string>(
            each.flag,
            [&options, each](const std::string& text) {
              options.flags.push_back({each.flag, each.name, text});
            },
            std::string{row->help})
          ->type_name(each.form);
    }
    to->add_option_function<std::vector<std::string>>(
          "--set",
          [&options](const std::vector<std::string>& all) {
            for (const auto& each : all) {
              const auto equals = each.find('=');
              if (equals == std::string::npos)
                throw CLI::ValidationError(
                    "--set", "'" + each + "' is no section.key=value");
              options.flags.push_back(
                  {"--set", each.substr(0, equals), each.substr(equals + 1)});
            }
          },
          "Any setting; 'troupe config explain' lists them")
        ->allow_extra_args(false)
        ->type_name("SECTION.KEY=VALUE");
  }

  void add_client_flags(CLI::App* to, client_options& options) {
    add_parsed(to, "--server", options.server, parse_endpoint, "HOST:PORT",
               "Node to talk to [127.0.0.1:8080]")
        ->envname("TROUPE_SERVER");
    to->add_option("--as", options.uid, "User to log in as")
        ->required()
        ->type_name("UID");
    to->add_option("--device", options.device,
                   "Name of the user's device, which is the credential")
        ->required()
        ->type_name("NAME");
    to->add_flag("--create", options.create,
                 "Register the user first if there is none");
    add_duration(to, "--timeout", options.timeout,
                 "How long to wait for an answer [10s]");
  }

  void add_serve() {
    auto* at = root().add_subcommand("serve", "Run a node");
    add_config_flags(at, options_of<serve_options>(at).config);
    at->footer("SIGTERM and SIGINT drain the node, a second one ends it at "
               "once; SIGHUP reads\nthe configuration, certificates and log "
               "file again.");
  }

  void add_post() {
    auto* at =
        root().add_subcommand("post", "Send a message to users or lists");
    auto& options = options_of<post_options>(at);
    add_client_flags(at, options.client);
    add_names(at, "--to", options.to, "Users, on all of their devices");
    add_names(at, "--one", options.one, "Users, on one of their devices");
    add_names(at, "--list", options.lists, "Lists, without yourself");
    add_names(at, "--list-with-me", options.lists_with_sender,
              "Lists, with yourself");
    at->add_option_function<std::string>(
          "--ttl",
          [&options](const std::string& text) {
            const auto value = parse_duration(text);
            if (!value || value->count() < 1000)
              throw CLI::ValidationError("--ttl", value ? "must be 1ms or more"
                                                        : value.error().detail);
            options.ttl = std::chrono::duration_cast<milliseconds>(*value);
          },
          "Time to live; it is dropped if nobody came for it")
        ->type_name("DURATION");
    add_message(at, options);
    at->add_flag_callback(
        "--no-copy", [&options] { options.copy_to_own_devices = false; },
        "No copy to your own other devices");
    at->parse_complete_callback([&options] {
      if (options.to.empty() && options.one.empty() && options.lists.empty() &&
          options.lists_with_sender.empty())
        throw CLI::RequiredError("one of --to, --one, --list");
    });
    at->footer("Try: troupe post --as alice --device phone --create --to bob "
               "'hello'");
  }

  template <class Options>
  static void add_message(CLI::App* to, Options& options) {
    to->add_option("--etc", options.meta,
                   "JSON that belongs to the application, beside the text")
        ->type_name("JSON");
    to->add_option_function<std::string>(
          "TEXT",
          [&options](const std::string& text) {
            if (text != "-")
              options.text = text;
          },
          "The message; - or nothing reads standard input")
        ->type_name("");
  }

  void add_ping() {
    auto* at = root().add_subcommand(
        "ping", "Send a short message to whoever goes by an alias");
    auto& options = options_of<ping_options>(at);
    add_client_flags(at, options.client);
    at->add_option("ALIAS", options.alias, "Alias of the recipient")
        ->required();
    add_message(at, options);
  }

  void add_inbox() {
    auto* inbox = add_group("inbox", "Read messages");
    auto* at = inbox->add_subcommand(
        "tail", "Print messages as they arrive, from the oldest waiting");
    auto& options = options_of<inbox_tail_options>(at);
    add_client_flags(at, options.client);
    at->add_option("--window", options.window,
                   "Messages that may be on their way at once")
        ->check(CLI::Range(1, 65'536))
        ->capture_default_str();
    at->add_flag_callback(
        "--no-ack", [&options] { options.acknowledge = false; },
        "Leave the messages in the inbox");
    at->add_option("--count", options.count, "End after N messages")
        ->type_name("N");
    at->add_flag("--json", options.json, "One JSON object a message");
  }

  void add_users() {
    auto* users = add_group("user", "Manage users, aliases and devices");
    auto& add = add_admin_command<user_add_options>(
        users, "add", "Create a user with a first device");
    last()->add_option("UID", add.uid, "Name of the user")->required();
    last()
        ->add_option("--device", add.device, "Name of the first device")
        ->required()
        ->type_name("NAME");
    add_names(last(), "--alias", add.aliases, "Aliases");

    auto& show =
        add_admin_command<user_show_options>(users, "show", "Show one user");
    last()->add_option("UID", show.uid, "Name of the user")->required();

    auto& list =
        add_admin_command<user_list_options>(users, "list", "List users");
    last()->add_option("PREFIX", list.prefix, "Only names that begin so");
    last()
        ->add_option("--limit", list.limit, "Most users to list; 0 = all")
        ->capture_default_str();

    auto& remove = add_admin_command<user_remove_options>(
        users, "remove", "Remove a user with aliases, devices and inbox");
    last()->add_option("UID", remove.uid, "Name of the user")->required();

    auto& import = add_admin_command<user_import_options>(
        users, "import", "Add users, aliases and lists from an mqreg file");
    last()
        ->add_option("FILE", import.file, "The file; - is standard input")
        ->required();

    add_admin_command<user_export_options>(
        users, "export", "Print all users and lists as an mqreg file");

    auto& passwd = add_admin_command<user_passwd_options>(
        users, "passwd", "Set a password, read from standard input");
    last()->add_option("UID", passwd.uid, "Name of the user")->required();
    last()
        ->add_option("--file", passwd.file, "Read it from there")
        ->type_name("FILE");
    last()->add_flag("--remove", passwd.remove, "No password any more");

    auto& devices = add_admin_command<user_devices_options>(
        users, "devices", "Show the devices of a user");
    last()->add_option("UID", devices.uid, "Name of the user")->required();

    auto& inactive = add_admin_command<user_inactive_options>(
        users, "inactive", "List users and devices that were not seen lately");
    add_duration(last(), "--unseen-for", inactive.unseen_for,
                 "Not seen for so long")
        ->required();

    auto& purge = add_admin_command<user_purge_options>(
        users, "purge", "Remove users that were not seen lately");
    add_duration(last(), "--unseen-for", purge.unseen_for,
                 "Not seen for so long")
        ->required();
  }

  void add_lists() {
    auto* lists = add_group("list", "Manage distribution lists");
    auto& show = add_admin_command<list_show_options>(lists, "show",
                                                      "Show who is in a list");
    last()->add_option("LIST", show.list, "Name of the list")->required();

    add_admin_command<list_ls_options>(lists, "ls", "Show all lists");

    auto& add = add_admin_command<list_add_options>(
        lists, "add", "Add a user; makes the list if there is none");
    last()->add_option("LIST", add.list, "Name of the list")->required();
    last()->add_option("UID", add.uid, "Name of the user")->required();

    auto& remove = add_admin_command<list_remove_options>(
        lists, "remove", "Remove a user; the last one takes the list along");
    last()->add_option("LIST", remove.list, "Name of the list")->required();
    last()->add_option("UID", remove.uid, "Name of the user")->required();
  }

  void add_channels() {
    auto* channels = add_group("channel", "Look at the channels of a node");
    auto& list = add_admin_command<channel_list_options>(
        channels, "list", "Show channels with what goes through them");
    last()
        ->add_option("--sort", list.sort, "By what; largest first")
        ->check(CLI::IsMember({"listeners", "rate", "name"}))
        ->capture_default_str()
        ->type_name("FIGURE");
    last()
        ->add_option("--prefix", list.prefix, "Only topics that begin so")
        ->type_name("TEXT");
    last()
        ->add_option("--limit", list.limit, "At most so many")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str()
        ->type_name("N");
    last()->add_flag("--cluster", list.cluster, "Of all nodes together");

    auto& show = add_admin_command<channel_show_options>(
        channels, "show",
        "Show one channel: who listens, how much, what is "
        "kept");
    last()
        ->add_option("TOPIC", show.topic, "Its topic: levels with / between")
        ->required();
    last()
        ->add_option("--realm", show.realm, "Of the topic")
        ->capture_default_str()
        ->type_name("REALM");
  }

  void add_nodes() {
    auto* nodes = add_group("node", "Manage the nodes of a cluster");
    add_admin_command<node_list_options>(nodes, "list", "Show all nodes");

    auto& drain = add_admin_command<node_drain_options>(
        nodes, "drain", "Move everything that a node keeps to the others");
    last()->add_option("ID", drain.id, "Number of the node")->required();
    last()->add_flag("--wait", drain.wait, "Until it keeps nothing any more");

    auto& undrain = add_admin_command<node_undrain_options>(
        nodes, "undrain",
        "Let a drained node take its share and clients again");
    last()->add_option("ID", undrain.id, "Number of the node")->required();
    last()->add_flag("--wait", undrain.wait,
                     "Until it has a full part in all groups it shall keep");

    auto& replace = add_admin_command<node_replace_options>(
        nodes, "replace", "Give all that a node keeps to another one");
    last()
        ->add_option("OLD", replace.old_id,
                     "Number of the node that is lost or leaves; is drained")
        ->required();
    last()
        ->add_option("NEW", replace.new_id, "Number of the node that comes in")
        ->required();
    last()->add_flag_callback(
        "--no-wait", [&replace] { replace.wait = false; },
        "Do not wait until it is done");
    last()->footer("Start the new node first, with --join; 'troupe node list' "
                   "has the numbers.\nWhen it is done, 'troupe node remove "
                   "OLD' takes the old one out for good.");

    auto& remove = add_admin_command<node_remove_options>(
        nodes, "remove", "Take a drained or lost node out of the cluster");
    last()->add_option("ID", remove.id, "Number of the node")->required();
    last()->add_flag("--wait", remove.wait, "Until it is drained");
    last()->add_flag("--force", remove.force,
                     "Even if it still serves; groups may lose their majority");

    add_admin_command<rebalance_options>(
        &root(), "rebalance", "Let the preferred nodes lead their groups now");
  }

  void add_cluster() {
    auto* cluster = add_group("cluster", "Make what a cluster needs");
    auto* certs = cluster->add_subcommand(
        "certs", "Make certificates for TLS between nodes");
    auto& options = options_of<cluster_certs_options>(certs);
    certs
        ->add_option("--out", options.out,
                     "Folder of the authority and all it has signed")
        ->required()
        ->type_name("DIR");
    add_holders(certs, "--node", options.nodes,
                "A node and where it is found; once for each")
        ->required();
    certs
        ->add_option("--days", options.days,
                     "How long the nodes' certificates are good")
        ->check(CLI::Range(1, 36'500))
        ->type_name("DAYS")
        ->capture_default_str();
    certs
        ->add_option("--ca-days", options.ca_days,
                     "How long the authority is, if it is made now")
        ->check(CLI::Range(1, 36'500))
        ->type_name("DAYS")
        ->capture_default_str();
    certs->add_flag("--force", options.force,
                    "Make a node's certificate anew if there is one; the "
                    "authority stays");
    certs->footer("Try: troupe cluster certs --out certs --node a=10.0.0.1 "
                  "--node b=10.0.0.2,b.lan\nWith the same --out, nodes that "
                  "come later are signed by the same authority.");
  }

  void add_recover() {
    auto* at = root().add_subcommand(
        "recover", "Go on from one node when the majority is lost for ever");
    auto& options = options_of<recover_options>(at);
    at->add_option("--i-know-that-the-others-are-lost", options.confirmed,
                   "Do it; without this, only say what would be done and lost")
        ->type_name("CLUSTER-ID");
    add_config_flags(at, options.config);
    at->footer(
        "For a stopped node, with the flags it is started with. It becomes "
        "the only node of\nall its groups; the others are removed for good. "
        "What they acknowledged without it\nis lost: the command says which "
        "groups that can concern.");
  }

  void add_config() {
    auto* config =
        add_group("config", "Print, check and explain the configuration");
    options_of<config_default_options>(config->add_subcommand(
        "default", "Print a file with every setting, explained"));

    auto* check = config->add_subcommand(
        "check", "Name every mistake in a file by line and column");
    check
        ->add_option("FILE", options_of<config_check_options>(check).file,
                     "The file")
        ->required();

    auto* explained = config->add_subcommand(
        "explain", "Show the values in force and where each comes from");
    auto& options = options_of<config_explain_options>(explained);
    explained->add_option("KEY", options.name, "One setting: section.key");
    add_config_flags(explained, options.config);

    auto* reference = config->add_subcommand("reference", "");
    reference->group(""); // hidden: for docs/configuration.md
    options_of<config_reference_options>(reference);
  }

  void add_worker() {
    auto* at = root().add_subcommand("worker", "");
    at->group(""); // hidden: for agents
    at->add_option("NUMBER", options_of<worker_options>(at).number);
  }

  void add_bench() {
    auto* at = root().add_subcommand("bench", "Put load on a node and measure");
    at->prefix_command();
    at->set_help_flag(); // passed on like everything else
    auto& options = options_of<bench_options>(at);
    at->parse_complete_callback(
        [at, &options] { options.arguments = at->remaining(); });
  }

  void add_ready() {
    auto& ready = add_admin_command<ready_options>(
        &root(), "ready", "Ask a node whether it serves; the exit code tells");
    add_duration(last(), "--wait", ready.wait,
                 "Ask again for so long until it does");
  }

  void add_version() {
    options_of<version_options>(root().add_subcommand(
        "version", "Print version, commit, compiler and libraries"));
  }

  /// The command the line got to before it ended or went wrong.
  const CLI::App& deepest() const {
    const CLI::App* at = &root();
    while (!at->get_subcommands().empty())
      at = at->get_subcommands().front();
    return *at;
  }

  std::string describe_unknown(const std::string& word) const {
    const auto& at = deepest();
    std::vector<std::string> known;
    if (word.size() > 1 && word.front() == '-') {
      for (const auto* option : at.get_options())
        for (const auto& name : option->get_lnames())
          known.push_back("--" + name);
      const auto flag = word.substr(0, word.find('='));
      return "unknown flag '" + flag + "'" +
             did_you_mean(flag, {known.begin(), known.end()});
    }
    for (const auto* each :
         at.get_subcommands([](const CLI::App*) { return true; }))
      known.push_back(each->get_name());
    if (known.empty())
      return "unexpected argument '" + word + "'";
    return "unknown command '" + word + "'" +
           did_you_mean(word, {known.begin(), known.end()});
  }

  cli_text refuse(const std::string& why) const {
    std::string path = "troupe";
    for (const CLI::App* at = &root(); !at->get_subcommands().empty();) {
      at = at->get_subcommands().front();
      path += ' ' + at->get_name();
    }
    return {exit_usage, path + ": " + why + "\nSee '" + path + " --help'.\n"};
  }
};

} // namespace

std::variant<command, cli_text>
parse_command_line(const std::vector<std::string>& arguments) {
  return command_tree{}.parse(arguments);
}

} // namespace troupe::app
