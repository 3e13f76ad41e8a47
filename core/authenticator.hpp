// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/principal.hpp"

#include <functional>
#include <string>

namespace troupe::core {

/// What a client shows at a door.
struct credentials {
  std::string realm = "default";
  /// Whose password it is, or "". With a bearer, who the client says it is:
  /// refused if that is somebody else; "" leaves it to the bearer.
  std::string uid;
  std::string password;
  /// A token of the directory or a JWT; "" for none. With neither this nor a
  /// uid the client comes without a name.
  std::string bearer;
  std::string client;  ///< see principal
  std::string address; ///< of the client, without the port
};

struct login_outcome {
  deny_reason why = deny_reason::none;
  principal who; ///< if it worked
};

/// Finds out who shows credentials. One a node; implemented in net/identity,
/// used by doors. Thread-safe.
class authenticator {
public:
  virtual ~authenticator() = default;

  using answer_function = std::function<void(login_outcome)>;

  /// Calls `answer` exactly once: at once from inside, if nothing slow is to
  /// be done, or later on another thread (a door posts to its loop). Never
  /// blocks. Attempts are limited by user and by address; what is refused for
  /// that says too_many_attempts without a look at the credentials.
  virtual void authenticate(credentials shown, answer_function answer) = 0;
};

} // namespace troupe::core
