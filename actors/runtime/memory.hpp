// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace troupe::actors::runtime {

/// Lets the C library's allocator keep what is freed instead of giving it
/// back to the system at once. By default the heap of every thread but the
/// first shrinks as soon as its end is free, so that the output buffers of a
/// busy loop are unmapped and faulted in again with every turn: measured, this
/// takes a third to a half of the CPU of a fan-out (bench/README.md). Costs at
/// most 64 MiB a heap. For the whole process; called by main before the first
/// thread.
void keep_freed_memory() noexcept;

} // namespace troupe::actors::runtime
