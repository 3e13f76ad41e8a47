// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/operation.hpp"
#include "core/session_command.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace troupe::actors {

/// register: the user enters the directory, then gets an inbox; only then is
/// it answered. Should the node die in between, the first login makes up for
/// the inbox. What is left of an inbox of that name (a removal was cut short)
/// goes first: nobody inherits from a stranger.
class register_operation final : public operation {
public:
  explicit register_operation(core::register_user command);
  void start() override;
  void on_answer(directory_answer& answer) override;
  void on_answer(shard_answer& answer) override;
  void on_timeout() override;

private:
  void fail(core::error why);

  core::register_user command_;
  std::size_t waiting_ = 0;
  core::user_registered event_;
};

/// Re-register of a logged-in user: new aliases, and the news of it to every
/// device of the user.
class change_aliases_operation final : public operation {
public:
  change_aliases_operation(core::change_aliases command, std::string own_uid);
  void start() override;
  void on_answer(directory_answer& answer) override;
  void on_answer(shard_answer& answer) override;
  void on_timeout() override;

private:
  core::change_aliases command_;
  std::string own_uid_;
  core::user_registered event_;
};

/// addNode: the device enters the directory, then the inbox, where it inherits
/// what its predecessor has not acknowledged.
class add_device_operation final : public operation {
public:
  explicit add_device_operation(core::add_device command);
  void start() override;
  void on_answer(directory_answer& answer) override;
  void on_answer(shard_answer& answer) override;
  void on_timeout() override;

private:
  core::add_device command_;
  core::device_added event_;
};

/// listEdit: the directory changes the list, then the members hear of it (and
/// the invited user gets the invitation); answered when all that is durable.
class edit_list_operation final : public operation {
public:
  edit_list_operation(core::edit_list command, std::string caller);
  void start() override;
  void on_answer(directory_answer& answer) override;
  void on_answer(list_expansion& answer) override;
  void on_answer(shard_answer& answer) override;
  void on_timeout() override;

private:
  void announce(std::vector<std::string> members);
  void send(core::message message, std::vector<std::string> recipients);
  void finish_if_done();

  core::edit_list command_;
  std::string caller_;
  core::list_change change_;
  std::size_t waiting_ = 0;
  core::list_edited event_;
};

} // namespace troupe::actors
