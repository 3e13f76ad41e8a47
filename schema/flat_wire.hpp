// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/errc.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace capnp {
class MessageBuilder;
class MessageReader;
} // namespace capnp

/// Cap'n Proto messages from and to plain bytes: the one place that allocates
/// builders, limits readers and catches what they throw. For the _wire.cpp
/// files of this folder.
namespace troupe::schema {

template <class>
class function_ref;

/// A callable borrowed for the time of one call; unlike std::function it never
/// allocates.
template <class Result, class... Args>
class function_ref<Result(Args...)> {
public:
  // Never hides a copy: clang-tidy does not see the requires-clause.
  template <class Callable>
  requires(!std::is_same_v<std::remove_cvref_t<Callable>, function_ref>)
      // NOLINTNEXTLINE(bugprone-forwarding-reference-overload)
      function_ref(Callable&& callable)
      : object_(const_cast<void*>(
            static_cast<const void*>(std::addressof(callable)))),
        call_([](void* object, Args... args) -> Result {
          return (*static_cast<std::remove_reference_t<Callable>*>(object))(
              std::forward<Args>(args)...);
        }) {}

  Result operator()(Args... args) const {
    return call_(object_, std::forward<Args>(args)...);
  }

private:
  void* object_;
  Result (*call_)(void*, Args...);
};

/// Bytes with `before` free bytes, the message that `fill` builds in the
/// standard flat framing, and `behind` free bytes. `finish` gets the start of
/// all and the message's size and writes what is free. A message beyond the
/// bounds of Cap'n Proto is a programmer's error (assert). `fill` must not
/// build another message.
core::shared_bytes
write_flat(std::size_t before, std::size_t behind,
           function_ref<void(capnp::MessageBuilder&)> fill,
           function_ref<void(std::byte*, std::size_t)> finish);

/// Lets `read` look at the flat message that fills `flat` exactly; answers
/// what it answers, or `damaged` if the bytes are no such message or the
/// reader trips over them. The bytes may lie at any address. `words` is the
/// size of the message: no list that was written has more elements.
core::errc read_flat(
    core::bytes_view flat, core::errc damaged,
    function_ref<core::errc(capnp::MessageReader&, std::size_t words)> read);

} // namespace troupe::schema
