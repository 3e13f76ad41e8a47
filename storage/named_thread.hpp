// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace troupe::storage {

/// Gives the calling thread a name that tools show (at most 15 characters).
void name_this_thread(const char* name);

/// Asks for a place before the I/O loops when both want a processor: a thread
/// that wakes from a flush holds up everybody who waits for it. Has no effect
/// where the process may not do so.
void prefer_this_thread();

} // namespace troupe::storage
