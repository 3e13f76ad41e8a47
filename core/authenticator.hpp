// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/principal.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

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
  /// Of a login in several steps: for the client, who is to be told that it
  /// worked, or what was wrong with what it said.
  std::string last_words{};
};

/// What a login in several steps has come to.
struct login_step {
  /// Nothing: it is the client's turn again.
  std::optional<login_outcome> outcome;
  std::string challenge; ///< for the client, if it is
};

/// A login in several steps, in which a client proves that it knows something
/// without saying it. Of one client; not thread-safe. Who gives it up in the
/// midst has failed.
class login_dialogue {
public:
  virtual ~login_dialogue() = default;

  /// What the client says, first and then each time it is its turn. Never
  /// blocks.
  virtual login_step hear(std::string_view said) = 0;
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

  /// Whether clients can log in by this method of several steps, by its name
  /// among SASL's mechanisms.
  [[nodiscard]] virtual bool serves(std::string_view method) const {
    static_cast<void>(method);
    return false;
  }
  /// Begins such a login; it must not outlive this. Of `shown` realm, client
  /// and address count, and a uid if it may be of that user only. Attempts are
  /// limited as above. REQUIRES: serves(method).
  virtual std::unique_ptr<login_dialogue> begin(std::string_view method,
                                                credentials shown) {
    static_cast<void>(method);
    static_cast<void>(shown);
    return nullptr;
  }
};

} // namespace troupe::core
