// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = cluster_settings;
constexpr row_maker<&settings::cluster> in{"cluster"};

constexpr std::array rows{
    in.row<&values::shards>(
        "shards",
        "Shards the inboxes are spread over; a node that joins takes over "
        "the cluster's.",
        {.min = 1, .max = 4'096, .effect = takes_effect::once}),
    in.row<&values::listen>(
        "listen",
        "Address for the other nodes, commonly port 7001; off if the node "
        "stays alone."),
    in.row<&values::advertise>(
        "advertise",
        "HOST:PORT at which other nodes find this one; empty takes "
        "cluster.listen, or the host's name if that is every address."),
    in.row<&values::join>(
        "join",
        "HOST:PORT of nodes to join with an empty data folder; a name may "
        "stand for several. Without it a new node founds a cluster."),
    in.row<&values::secret>(
        "secret",
        "What all nodes of the cluster know and nobody else, 16 "
        "characters or more.",
        secret()),
    in.row<&values::secret_file>(
        "secret_file",
        "File that holds the secret, instead of cluster.secret."),
    in.row<&values::replace_after>(
        "replace_after",
        "A node that was not heard of for so long loses its share to "
        "others, if there are enough for every group, and gets one again "
        "when it is back; the same on all nodes. 0 = never.",
        between(0, 30 * 24 * 3'600 * s)),
    in.row<&values::drain_spread>(
        "drain_spread",
        "When this node is drained, its clients are sent to other nodes "
        "one by one over so long.",
        between(0, 3'600 * s)),
    in.row<&values::tls_certificate>(
        "tls_certificate",
        "PEM file with this node's certificate: encrypts the links."),
    in.row<&values::tls_key>(
        "tls_key", "PEM file with the key of cluster.tls_certificate."),
    in.row<&values::tls_ca>(
        "tls_ca",
        "PEM file with the authority that all nodes' certificates are of; "
        "use one for the cluster only."),
};

} // namespace

section_table cluster_section() {
  return {{"cluster", "How nodes form a cluster."}, rows};
}

} // namespace troupe::app::table
