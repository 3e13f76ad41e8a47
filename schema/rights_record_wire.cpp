// SPDX-License-Identifier: Apache-2.0
#include "schema/data_wire.hpp"
#include "schema/record_prefix.hpp"
#include "schema/record_wire.hpp"
#include "schema/rights_wire.hpp"

#include <capnp/message.h>

#include <schema/record.capnp.h>
#include <string_view>

namespace troupe::schema {
namespace {

using core::errc;

capnp::Data::Reader as_data(std::string_view text) {
  return {bytes_of(text), text.size()};
}

errc read(wire::Account::Reader from, std::size_t words,
          core::account_record& to) {
  to.password = to_string(from.getPassword());
  to.password_set = core::log_index{from.getPasswordSet()};
  to.scram = to_string(from.getScram());
  for (const auto failure :
       {read_names(from.getRoles(), words, errc::corrupt, to.roles),
        read_grants(from.getGrants(), words, errc::corrupt, to.grants),
        read_names(from.getTokens(), words, errc::corrupt, to.tokens)})
    if (failure != errc::ok)
      return failure;
  return errc::ok;
}

errc read(wire::Token::Reader from, std::size_t words, core::token_record& to) {
  to.realm = to_string(from.getRealm());
  to.uid = to_string(from.getUid());
  to.hash = to_string(from.getHash());
  to.label = to_string(from.getLabel());
  to.created = core::from_millis(from.getCreated());
  if (from.getHasExpiry())
    to.expires = core::from_millis(from.getExpires());
  for (const auto failure :
       {read_names(from.getRoles(), words, errc::corrupt, to.roles),
        read_grants(from.getGrants(), words, errc::corrupt, to.grants)})
    if (failure != errc::ok)
      return failure;
  return errc::ok;
}

} // namespace

core::shared_bytes encode_record(const core::account_record& from) {
  return write_record(
      record_kind::account, [&](capnp::MessageBuilder& message) {
        auto to = message.initRoot<wire::Account>();
        to.setPassword(as_data(from.password));
        to.setPasswordSet(from.password_set.value());
        write_names(from.roles, to.initRoles(list_size(from.roles.size())));
        write_grants(from.grants, to.initGrants(list_size(from.grants.size())));
        write_names(from.tokens, to.initTokens(list_size(from.tokens.size())));
        if (!from.scram.empty())
          to.setScram(as_data(from.scram));
      });
}

core::errc decode_record(core::bytes_view bytes, core::account_record& to) {
  return read_record(bytes, record_kind::account,
                     [&](capnp::MessageReader& message, std::size_t words) {
                       return read(message.getRoot<wire::Account>(), words, to);
                     });
}

core::shared_bytes encode_record(const core::role_record& from) {
  return write_record(record_kind::role, [&](capnp::MessageBuilder& message) {
    write_grants(from.grants, message.initRoot<wire::Role>().initGrants(
                                  list_size(from.grants.size())));
  });
}

core::errc decode_record(core::bytes_view bytes, core::role_record& to) {
  return read_record(bytes, record_kind::role,
                     [&](capnp::MessageReader& message, std::size_t words) {
                       return read_grants(
                           message.getRoot<wire::Role>().getGrants(), words,
                           errc::corrupt, to.grants);
                     });
}

core::shared_bytes encode_record(const core::token_record& from) {
  return write_record(record_kind::token, [&](capnp::MessageBuilder& message) {
    auto to = message.initRoot<wire::Token>();
    to.setRealm(as_data(from.realm));
    to.setUid(as_data(from.uid));
    to.setHash(as_data(from.hash));
    to.setLabel(as_data(from.label));
    to.setCreated(core::to_millis(from.created));
    to.setHasExpiry(from.expires.has_value());
    to.setExpires(from.expires ? core::to_millis(*from.expires) : 0);
    write_names(from.roles, to.initRoles(list_size(from.roles.size())));
    write_grants(from.grants, to.initGrants(list_size(from.grants.size())));
  });
}

core::errc decode_record(core::bytes_view bytes, core::token_record& to) {
  return read_record(bytes, record_kind::token,
                     [&](capnp::MessageReader& message, std::size_t words) {
                       return read(message.getRoot<wire::Token>(), words, to);
                     });
}

core::shared_bytes encode_record(const core::ban_record& from) {
  return write_record(record_kind::ban, [&](capnp::MessageBuilder& message) {
    auto to = message.initRoot<wire::Ban>();
    to.setSince(core::to_millis(from.since));
    to.setHasEnd(from.until.has_value());
    to.setUntil(from.until ? core::to_millis(*from.until) : 0);
    to.setReason(as_data(from.reason));
  });
}

core::errc decode_record(core::bytes_view bytes, core::ban_record& to) {
  return read_record(bytes, record_kind::ban,
                     [&](capnp::MessageReader& message, std::size_t) {
                       const auto from = message.getRoot<wire::Ban>();
                       to.since = core::from_millis(from.getSince());
                       if (from.getHasEnd())
                         to.until = core::from_millis(from.getUntil());
                       to.reason = to_string(from.getReason());
                       return errc::ok;
                     });
}

core::shared_bytes encode_record(const core::rights_totals& from) {
  return write_record(record_kind::rights_totals,
                      [&](capnp::MessageBuilder& message) {
                        auto to = message.initRoot<wire::RightsTotals>();
                        to.setBlocks(from.blocks);
                        to.setBans(from.bans);
                      });
}

core::errc decode_record(core::bytes_view bytes, core::rights_totals& to) {
  return read_record(bytes, record_kind::rights_totals,
                     [&](capnp::MessageReader& message, std::size_t) {
                       const auto from = message.getRoot<wire::RightsTotals>();
                       to = {from.getBlocks(), from.getBans()};
                       return errc::ok;
                     });
}

} // namespace troupe::schema
