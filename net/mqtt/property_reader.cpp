// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/property_reader.hpp"

#include "net/mqtt/rules.hpp"

namespace troupe::net::mqtt {
namespace {

field_reader list_of(field_reader& packet) {
  const std::size_t bytes = packet.variable("property length");
  if (bytes > packet.left())
    packet.fail(rules::property_length);
  return packet.part(packet.failed() ? 0 : bytes);
}

} // namespace

property_reader::property_reader(field_reader& packet, packet_set where,
                                 sender from, std::size_t user_properties_max)
    : packet_(packet), list_(list_of(packet)), users_left_(user_properties_max),
      where_(where), from_(from) {}

bool property_reader::fail(const violation& what) {
  packet_.fail(what);
  return false;
}

bool property_reader::next(property_value& to) {
  if (packet_.failed() || list_.empty())
    return false;
  const auto id = list_.variable("property identifier");
  if (list_.failed())
    return fail(list_.failure());
  to.info = find_property(id);
  if (to.info == nullptr)
    return fail(broken(rules::unknown_property, version::v5));
  const auto& info = *to.info;
  if ((info.where & where_) == 0)
    return fail(broken(rules::property_not_here, version::v5, info.name));
  const auto seen = std::uint64_t{1} << id;
  if ((seen_ & seen) != 0 && (info.may_repeat & where_) == 0)
    return fail(broken(rules::property_twice, version::v5, info.name));
  seen_ |= seen;
  read_value(to);
  if (list_.failed())
    return fail(list_.failure());
  if (const auto* rule = broken_by(to))
    return fail(broken(*rule, version::v5, info.name));
  return true;
}

void property_reader::read_value(property_value& to) {
  const auto about = to.info->name;
  switch (to.info->type) {
  case property_type::byte:
    to.number = list_.byte(about);
    break;
  case property_type::two_bytes:
    to.number = list_.two_bytes(about);
    break;
  case property_type::four_bytes:
    to.number = list_.four_bytes(about);
    break;
  case property_type::variable:
    to.number = list_.variable(about);
    break;
  case property_type::text:
    to.first = list_.text(about);
    break;
  case property_type::binary:
    to.first = list_.binary(about);
    break;
  case property_type::text_pair:
    to.first = list_.text(about);
    to.second = list_.text(about);
    break;
  }
}

const rule* property_reader::broken_by(const property_value& read) {
  const auto& info = *read.info;
  const bool is_number = info.type <= property_type::variable;
  if (is_number && (read.number < info.least || read.number > info.most))
    return info.id == property::topic_alias ? &rules::alias_zero
                                            : &rules::property_value;
  switch (info.id) {
  case property::subscription_identifier:
    return (where_ & inside(packet_type::publish)) != 0 &&
                   from_ == sender::client
               ? &rules::subscription_id_from_client
               : nullptr;
  case property::session_expiry:
    return (where_ & inside(packet_type::disconnect)) != 0 &&
                   from_ == sender::server
               ? &rules::expiry_from_server
               : nullptr;
  case property::server_reference:
    return (where_ & inside(packet_type::disconnect)) != 0 &&
                   from_ == sender::client
               ? &rules::reference_from_client
               : nullptr;
  case property::response_topic:
    return read.first.find_first_of("+#") != std::string_view::npos
               ? &rules::response_wildcard
               : nullptr;
  case property::user:
    return users_left_-- == 0 ? &rules::too_many : nullptr;
  default:
    return nullptr;
  }
}

} // namespace troupe::net::mqtt
