// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = tls_settings;
constexpr row_maker<&settings::tls> in{"tls"};

constexpr std::array rows{
    in.row<&values::certificate>("certificate",
                                 "PEM file with the certificate and its chain.",
                                 on_reload()),
    in.row<&values::key>("key", "PEM file with the private key.", on_reload()),
    in.row<&values::client_ca>(
        "client_ca",
        "PEM file with authorities; clients then need a certificate of "
        "theirs.",
        on_reload()),
    in.row<&values::min_version>(
        "min_version", "Oldest TLS version that is accepted.", on_reload()),
};

} // namespace

section_table tls_section() {
  return {{"tls", "Certificates for the TLS listener."}, rows};
}

} // namespace troupe::app::table
