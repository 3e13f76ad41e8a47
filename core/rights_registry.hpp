// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/rights_command.hpp"
#include "core/rights_store.hpp"

#include <cstddef>
#include <string_view>

namespace troupe::core {

inline constexpr std::size_t roles_per_account_max = 100;
inline constexpr std::size_t tokens_per_account_max = 100;
inline constexpr std::size_t grants_per_holder_max = 1'000;
inline constexpr std::size_t blocks_per_user_max = 10'000;
inline constexpr std::size_t bans_max = 10'000;
/// Of hashes, labels, reasons and ids of tokens.
inline constexpr std::size_t rights_text_bytes_max = 512;

/// Roles that need not be given: everybody without a name has the one,
/// everybody with a name the other.
inline constexpr std::string_view role_of_anonymous = "anonymous";
inline constexpr std::string_view role_of_users = "user";

/// Applies one command about rights; on a failure nothing has changed.
/// Deterministic. Failures:
/// - name_invalid: a uid, role, token id or address that is none;
/// - too_large: a text above its bound; too_many: above the bounds above;
/// - malformed: a grant that is none, a hash that is empty where one is needed;
/// - user_exists: add_token with an id that is given already;
/// - not_found: a role, token or ban that is not there; taking from an account
///   that is none. Taking what somebody does not have is no failure.
error apply(rights_store& store, std::string_view realm,
            const rights_command& command, timestamp time, log_index index);

/// What a user leaves behind when he is removed: his account with its tokens,
/// and whom he has blocked. A ban of his name stays.
void forget_rights(rights_store& store, std::string_view realm,
                   std::string_view uid);

} // namespace troupe::core
