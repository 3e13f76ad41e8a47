// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/assert.hpp"
#include "core/errc.hpp"

#include <string>
#include <utility>
#include <variant>

namespace troupe::core {

/// Why something failed: a code to decide by and a text for people. The
/// detail names the thing concerned (a uid, a path), never a secret.
struct [[nodiscard]] error {
  errc code = errc::ok;
  std::string detail;

  friend bool operator==(const error&, const error&) = default;
};

/// "code: detail", for logs and the command line.
std::string to_string(const error& e);

/// A value or an error; spelled like std::expected so that it can become it.
template <class T>
class [[nodiscard]] result {
public:
  using value_type = T;

  result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  result(core::error e) : state_(std::in_place_index<1>, std::move(e)) {}
  result(errc code) : state_(std::in_place_index<1>, core::error{code, {}}) {}

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// REQUIRES: has_value().
  [[nodiscard]] T& value() & {
    TROUPE_ASSERT(has_value(), "result holds an error");
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] const T& value() const& {
    TROUPE_ASSERT(has_value(), "result holds an error");
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T&& value() && {
    TROUPE_ASSERT(has_value(), "result holds an error");
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// REQUIRES: !has_value().
  [[nodiscard]] const core::error& error() const& {
    TROUPE_ASSERT(!has_value(), "result holds a value");
    return *std::get_if<1>(&state_);
  }

private:
  std::variant<T, core::error> state_;
};

/// Success without a value, or an error.
template <>
class [[nodiscard]] result<void> {
public:
  using value_type = void;

  result() = default;
  result(core::error e) : error_(std::move(e)) {}
  result(errc code) : error_{code, {}} {}

  [[nodiscard]] bool has_value() const noexcept {
    return error_.code == errc::ok;
  }
  explicit operator bool() const noexcept { return has_value(); }

  /// REQUIRES: !has_value().
  [[nodiscard]] const core::error& error() const& {
    TROUPE_ASSERT(!has_value(), "result holds no error");
    return error_;
  }

private:
  core::error error_;
};

} // namespace troupe::core
