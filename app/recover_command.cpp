// SPDX-License-Identifier: Apache-2.0
#include "app/cli.hpp"
#include "app/commands.hpp"
#include "app/joining.hpp"
#include "app/recovery.hpp"
#include "core/clock.hpp"

#include <algorithm>
#include <ostream>

namespace troupe::app {
namespace {

constexpr const char* name = "recover";
constexpr const char* confirming_flag = "--i-know-that-the-others-are-lost";

int refuse(const core::error& why, terminal& screen) {
  screen.err << "troupe " << name << ": "
             << (why.detail.empty() ? core::to_string(why) : why.detail)
             << '\n';
  return exit_failed;
}

std::string groups_text(std::vector<std::uint32_t> groups) {
  std::string text;
  for (const auto g : groups)
    text += (text.empty() ? "" : ", ") +
            (g == 0 ? std::string{"the directory"} : std::to_string(g));
  return text;
}

/// Exactly what the operator gives up, and nothing milder.
void print_losses(const recovery& plan, std::ostream& out) {
  const auto with = [&](recovery_loss loss) {
    std::vector<std::uint32_t> all;
    for (const auto& part : plan.groups())
      if (part.loss == loss)
        all.push_back(part.group.value());
    return all;
  };
  const auto none = with(recovery_loss::none);
  const auto recent = with(recovery_loss::recent);
  const auto unknown = with(recovery_loss::unknown);
  out << "\nWhat may be lost:\n";
  if (recent.empty() && unknown.empty())
    out << "  Nothing that was acknowledged: every acknowledgement needed "
           "this node.\n";
  else if (!none.empty())
    out << "  Groups " << groups_text(none)
        << ": nothing that was acknowledged.\n";
  if (!recent.empty())
    out << "  Groups " << groups_text(recent)
        << ": what the lost nodes acknowledged without this one,\n"
           "  which is what came after it had stopped or had lost touch with "
           "them.\n";
  if (!unknown.empty())
    out << "  Groups " << groups_text(unknown)
        << ": this node only had a copy under way; whatever it\n"
           "  had not got yet is lost.\n";
  out << "  What was not acknowledged may be there or not, as after any "
         "crash.\n";
}

void print_plan(const recovery& plan, std::ostream& out) {
  out << "node " << plan.identity().node.value() << " of cluster "
      << storage::to_string(plan.identity().cluster)
      << " becomes the only node of all " << plan.groups().size()
      << " groups.\n\nRemoved for good, because they are lost:\n";
  for (const auto& [id, record] : plan.lost())
    out << "  node " << id.value() << " (" << record.name << ", "
        << record.address << ")\n";
  print_losses(plan, out);
  out << "\nWhile any of them runs, or could run again with its data, do not "
         "do this:\nthey could go on as a cluster of their own, and the two "
         "would never be one again.\n";
}

/// A node that answers is not lost.
core::result<void> ask_the_lost(const recovery& plan, const settings& values,
                                terminal& screen) {
  const auto secret = cluster_secret(values);
  if (!secret)
    return secret.error();
  if (secret->empty()) {
    screen.err << "troupe " << name
               << ": without the cluster's secret (--cluster-secret-file) the "
                  "others can't be asked whether they live\n";
    return {};
  }
  const log_line quiet = [](auto, auto, auto) {};
  for (const auto& [id, record] : plan.lost()) {
    cluster_options options;
    options.secret = *secret;
    options.tls = {values.cluster.tls_certificate, values.cluster.tls_key,
                   values.cluster.tls_ca};
    returning_node self;
    self.cluster = plan.identity().cluster;
    self.request.node = plan.identity().node;
    self.request.token = plan.token();
    self.request.name = "recovery";
    self.request.address = "localhost:1";
    self.request.has_log = true;
    self.addresses = {record.address};
    const auto heard = ask_to_return(options, self, quiet);
    if (!heard || heard->given)
      return core::error{core::errc::not_permitted,
                         "node " + std::to_string(id.value()) + " answers at " +
                             record.address +
                             ": it is not lost. Stop it first, if it is to be "
                             "given up"};
  }
  return {};
}

} // namespace

int run(const recover_options& options, terminal& screen) {
  const auto config = load_config(
      {options.config.file, process_environment(), options.config.flags});
  if (!config.ok()) {
    for (const auto& problem : config.problems)
      screen.err << to_string(problem) << '\n';
    return exit_usage;
  }
  const auto& values = config.values;
  auto plan = recovery::open({values.node.data, values.storage.segment_bytes,
                              values.storage.reserve_bytes});
  if (!plan)
    return refuse(plan.error(), screen);
  print_plan(**plan, screen.out);
  const auto cluster = storage::to_string((*plan)->identity().cluster);
  if (options.confirmed.empty()) {
    screen.out << "\nNothing was changed. If it is to be done, say so with the "
                  "id of the cluster:\n  troupe recover --data "
               << values.node.data << " ... " << confirming_flag << ' '
               << cluster << '\n';
    return exit_failed;
  }
  if (options.confirmed != cluster)
    return refuse({core::errc::not_permitted,
                   "'" + options.confirmed +
                       "' is not the id of this node's cluster, which is " +
                       cluster + ": nothing was changed"},
                  screen);
  if (auto alone = ask_the_lost(**plan, values, screen); !alone)
    return refuse(alone.error(), screen);
  const core::system_clock clock;
  if (auto done = (*plan)->carry_out(clock.wall()); !done)
    return refuse(done.error(), screen);
  screen.out << "\nDone, and noted in recoveries.jsonl of the folder. Start "
                "the node as before; others join\nwith empty folders and "
                "--join.\n";
  return exit_ok;
}

} // namespace troupe::app
