// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/temporary_folder.hpp"

#include <string>

namespace troupe::test_support {

/// A small certificate authority in a folder of its own.
class test_authority {
public:
  test_authority();

  struct files {
    std::string certificate;
    std::string key;
  };
  /// A new certificate signed by this authority.
  files issue(const std::string& name);
  /// Its own certificate.
  [[nodiscard]] std::string file() const;

private:
  test::temporary_folder folder_;
};

} // namespace troupe::test_support
