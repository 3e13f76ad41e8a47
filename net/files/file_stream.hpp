// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/files/file_root.hpp"
#include "net/files/file_terms.hpp"
#include "net/protocol.hpp"
#include "net/protocol_host.hpp"

#include <boost/asio/thread_pool.hpp>

#include <memory>

namespace troupe::net::files {

/// The body of an answer that is too large for memory: reads the next piece on
/// `readers` when the one before has been written, and ends the connection
/// behind the last. A file that has become shorter meanwhile ends it early,
/// which the client sees by the length.
[[nodiscard]] std::unique_ptr<protocol>
make_file_stream(protocol_host& host,
                 boost::asio::thread_pool::executor_type readers,
                 open_file file, byte_range range);

} // namespace troupe::net::files
