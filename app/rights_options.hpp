// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/admin_options.hpp"

#include <optional>
#include <string>
#include <vector>

/// Options of the commands about credentials and rights.
namespace troupe::app {

/// troupe user passwd
struct user_passwd_options {
  admin_options admin;
  std::string uid;
  std::string file = "-"; ///< its first line is the password
  bool remove = false;
};

/// troupe token …
struct token_add_options {
  admin_options admin;
  std::string uid;
  std::string label;
  milliseconds expires_in{}; ///< 0 = never
  std::vector<std::string> roles;
  std::vector<std::string> grants;
};
struct token_list_options {
  admin_options admin;
  std::string uid; ///< "" = all
};
struct token_revoke_options {
  admin_options admin;
  std::string id;
};

/// troupe grant …
struct grant_change_options {
  admin_options admin;
  bool give = true;
  std::string uid; ///< or
  std::string role;
  std::vector<std::string> grants;
};
struct grant_list_options {
  admin_options admin;
};

/// troupe role …
struct role_change_options {
  admin_options admin;
  bool give = true;
  std::string role;
  std::string uid;
};
struct role_list_options {
  admin_options admin;
};
struct role_remove_options {
  admin_options admin;
  std::string role;
};

/// troupe block …
struct block_change_options {
  admin_options admin;
  bool give = true;
  std::string uid;
  std::vector<std::string> blocked;
};
struct block_list_options {
  admin_options admin;
  std::string uid;
};

/// troupe ban …
struct ban_add_options {
  admin_options admin;
  std::string uid; ///< or
  std::string address;
  milliseconds lasts{}; ///< 0 = until it is lifted
  std::string reason;
};
struct ban_lift_options {
  admin_options admin;
  std::string uid; ///< or
  std::string address;
};
struct ban_list_options {
  admin_options admin;
};

} // namespace troupe::app
