// SPDX-License-Identifier: Apache-2.0
#include "tests/actors/links/link_node.hpp"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace troupe::test_support {

using namespace actors::links;

bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return true;
}

link_node::link_node(settings with) : with_(std::move(with)) {
  actors::runtime::runtime_options runtime;
  runtime.loops = with_.loops;
  config_ = std::make_unique<actors::runtime::runtime_config>(runtime);
  const auto enabled = enable_links(*config_, with_.tls);
  EXPECT_TRUE(enabled) << core::to_string(enabled.error());
  system_ = std::make_unique<caf::actor_system>(*config_);
  link_options options;
  options.cluster.fill(with_.cluster);
  options.self = core::node_id{with_.id};
  options.secret = with_.secret;
  options.listen = "127.0.0.1:" + std::to_string(with_.port);
  options.log = [this](auto level, auto, auto text) {
    const std::lock_guard lock{mutex_};
    log_.push_back(std::string{level} + " " + std::string{text});
  };
  if (with_.adjust)
    with_.adjust(options);
  auto opened = node_links::open(*system_, std::move(options));
  if (!opened) {
    ADD_FAILURE() << core::to_string(opened.error());
    return;
  }
  links_ = std::move(*opened);
  for (const auto k : with_.kinds)
    links_->on_message(k, [this](const received& message) {
      const std::lock_guard lock{mutex_};
      messages_.push_back(message);
      messages_.back().credit.reset();
    });
  links_->on_peer([this](const peer_event& event) {
    const std::lock_guard lock{mutex_};
    events_.push_back(event);
  });
  if (with_.prepare)
    with_.prepare(*links_);
  if (with_.prepare_with_system)
    with_.prepare_with_system(*system_, *links_);
  links_->start();
}

link_node::~link_node() { stop(); }

void link_node::stop() {
  links_.reset();
  system_.reset();
}

actors::runtime::scheduler& link_node::loops() {
  return actors::runtime::scheduler::of(*system_);
}

std::string link_node::address() const { return links_->listen_address(); }

void link_node::meet(link_node& other) {
  links_->set_peer(other.id(), {other.address()});
  other.links_->set_peer(id(), {address()});
}

void link_node::on_loop(std::size_t index, const std::function<void()>& work) {
  std::promise<void> done;
  loops().at(index).post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

core::result<void> link_node::send(link_node& to, kind k, std::uint64_t key,
                                   const std::string& text) {
  core::result<void> outcome;
  on_loop(0, [&] {
    outcome = links_->send(to.id(), k, key, core::shared_bytes::copy_of(text));
  });
  return outcome;
}

bool link_node::linked_to(const link_node& other) const {
  for (const auto& each : links_->peers())
    if (each.node == other.id())
      return each.state == peer_state::up;
  return false;
}

bool link_node::wait_for_link(const link_node& other) const {
  return eventually([&] { return linked_to(other) && other.linked_to(*this); });
}

peer_info link_node::peer(const link_node& other) const {
  for (const auto& each : links_->peers())
    if (each.node == other.id())
      return each;
  ADD_FAILURE() << "no such peer";
  return {};
}

std::vector<received> link_node::messages() const {
  const std::lock_guard lock{mutex_};
  return messages_;
}

std::size_t link_node::message_count() const {
  const std::lock_guard lock{mutex_};
  return messages_.size();
}

void link_node::forget_messages() {
  const std::lock_guard lock{mutex_};
  messages_.clear();
}

std::vector<peer_event> link_node::events() const {
  const std::lock_guard lock{mutex_};
  return events_;
}

bool link_node::logged(const std::string& part) const {
  const std::lock_guard lock{mutex_};
  for (const auto& line : log_)
    if (line.find(part) != std::string::npos)
      return true;
  return false;
}

std::string link_node::log_text() const {
  const std::lock_guard lock{mutex_};
  std::string all;
  for (const auto& line : log_)
    all += line + "\n";
  return all;
}

} // namespace troupe::test_support
