// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "net/http_router.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace troupe::net::files {

struct site_options {
  std::string root; ///< folder
  /// Server field of answers.
  std::string server = "msgbus";
  /// Files up to this are answered in one piece; larger ones are read as the
  /// client takes them, on a connection that ends with them.
  std::size_t whole_bytes_max = std::size_t{256} << 10U;
  /// Requests that may wait for the disk; more get 503.
  std::size_t waiting_max = 256;
};

/// Gives away the files of a folder: GET and HEAD, one range, ETag and
/// Last-Modified with their conditions, gzip for what it makes smaller (a
/// "NAME.gz" beside the file that is not older, or made on the spot).
///
/// Files are read on a thread of its own. Shared by all loops; its end, after
/// that of the network, waits for what is being read.
class file_site : public http_handler {
public:
  /// Errors: those of file_root::open().
  static core::result<std::shared_ptr<file_site>> open(site_options options);
};

} // namespace troupe::net::files
