// SPDX-License-Identifier: Apache-2.0
#pragma once

/// TROUPE_ASSERT(condition, "text"): a broken invariant is a programmer's
/// error and ends the process in every build type, with the place and the
/// text on stderr. Never use it for input: a peer must not be able to reach
/// one.

namespace troupe::core {

/// Prints the place and the text, then aborts.
[[noreturn]] void assertion_failed(const char* file, int line,
                                   const char* condition, const char* text);

} // namespace troupe::core

#define TROUPE_ASSERT(condition, text)                                         \
  do {                                                                         \
    if (!(condition)) [[unlikely]]                                             \
      ::troupe::core::assertion_failed(__FILE__, __LINE__, #condition, text);  \
  } while (false)
