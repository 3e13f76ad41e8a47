# SPDX-License-Identifier: Apache-2.0
@0x9ba44f2d93e725a2;

# Values in the state of a replication group; docs/formats/records.md has the
# keys and what stands in front of each value. Names are Data: any bytes.
# Times are milliseconds since 1970. Fields are only ever added, at the end.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("troupe::schema::wire");

using Command = import "command.capnp";

# ------------------------------------------------------------ data shards

struct InboxHead {
  number @0 :UInt64;
  first @1 :UInt64;
  last @2 :UInt64;
  count @3 :UInt64;
  bytes @4 :UInt64;
  singles @5 :UInt64;
  lost @6 :UInt64;
  cursors @7 :List(Cursor);
}

struct Cursor {
  device @0 :UInt8;
  acknowledged @1 :UInt64;
  seen @2 :Int64;
  inheritance @3 :List(Inherited);
}

struct Inherited {
  ancestor @0 :UInt8;
  until @1 :UInt64;
}

# The position is in the key.
struct InboxEntry {
  source @0 :UInt64;
  ordinal @1 :UInt16;
  except @2 :Int16 = -1; # -1: none
  weight @3 :UInt32;
  single @4 :Bool;
  hasExpiry @5 :Bool;
  expires @6 :Int64;
  recipient @7 :UInt32; # of the command, for a session
}

struct Expiry {
  owner @0 :Command.Owner;
}

struct Deduplicated {
  millis @0 :Int64;
  number @1 :UInt64;
  until @2 :Int64;
  key @3 :Data; # only if the record's key holds a hash of it
}

struct Policy {
  policy @0 :Command.InboxPolicy;
}

# Realm and topic are in the key.
struct RetainedKey {
  source @0 :UInt64; # log index, also the revision
  changed @1 :Int64;
  expires @2 :Int64;
  weight @3 :UInt32;
  hasExpiry @4 :Bool;
  topic @5 :Data; # only if the record's key holds a hash of it
}

# A key that expires; the rest is in the record's key.
struct KeyPlace {
  realm @0 :Data = 0x"64 65 66 61 75 6c 74"; # "default"
  topic @1 :Data;
}

struct RetainedKeyPolicy {
  policy @0 :Command.KeyPolicy;
}

# The name is in the key.
struct Session {
  uid @0 :Data;
  generation @1 :UInt64; # log index
  epoch @2 :UInt64; # log index
  created @3 :Int64;
  protocol @4 :Data;
  expiry @5 :Int64; # milliseconds
  closed @6 :Int64;
  receiveMax @7 :UInt16;
  hasExpiry @8 :Bool;
  isClosed @9 :Bool;
  willDue @10 :Bool;
  expired @11 :Bool;
  will @12 :Command.SessionWill; # null: none
}

struct SessionPackets {
  received @0 :List(ReceivedPacket);
  awaiting @1 :List(UInt16);
}

struct ReceivedPacket {
  packet @0 :UInt16;
  number @1 :UInt64;
}

struct StoredSessionPolicy {
  policy @0 :Command.SessionPolicy;
}

# A count; what it counts is in the key.
struct Number {
  value @0 :UInt64;
}

# ----------------------------------------------------------------- shared

struct Origin {
  floor @0 :UInt64;
  bits @1 :List(UInt64);
  used @2 :Int64;
}

# -------------------------------------------------------------- directory

struct User {
  created @0 :Int64;
  devices @1 :List(Device);
  aliases @2 :List(Data);
}

struct Device {
  offset @0 :UInt8;
  name @1 :Data;
  created @2 :Int64;
  inherits @3 :Int16 = -1; # -1: none
}

struct Alias {
  uid @0 :Data;
}

struct DistributionList {
  created @0 :Int64;
  members @1 :UInt64;
}

struct Member {
  state @0 :UInt8; # core::membership
  alias @1 :Data;
  since @2 :Int64;
}

struct Totals {
  users @0 :UInt64;
  devices @1 :UInt64;
  aliases @2 :UInt64;
  lists @3 :UInt64;
}

# ---------------------------------------------------------------- cluster

struct Node {
  name @0 :Data;
  address @1 :Data;
  incarnation @2 :UInt64;
  state @3 :UInt8; # core::node_state
  token @4 :Data;
  admitted @5 :Int64;
}

# The group is in the key.
struct Replicas {
  nodes @0 :List(UInt32);
}

struct Cluster {
  lastNode @0 :UInt32;
  featureLevel @1 :UInt32;
}

# ----------------------------------------------------------------- rights

struct Account {
  password @0 :Data; # a hash, PHC string; empty: none
  passwordSet @1 :UInt64; # log index
  roles @2 :List(Data);
  grants @3 :List(Command.Grant);
  tokens @4 :List(Data); # ids
  scram @5 :Data; # of the same password, RFC 5803; empty: none
}

struct Role {
  grants @0 :List(Command.Grant);
}

# The id is in the key.
struct Token {
  realm @0 :Data;
  uid @1 :Data;
  hash @2 :Data;
  label @3 :Data;
  created @4 :Int64;
  hasExpiry @5 :Bool;
  expires @6 :Int64;
  roles @7 :List(Data);
  grants @8 :List(Command.Grant);
}

struct Ban {
  since @0 :Int64;
  hasEnd @1 :Bool;
  until @2 :Int64;
  reason @3 :Data;
}

struct RightsTotals {
  blocks @0 :UInt64;
  bans @1 :UInt64;
}

# ----------------------------------------------------------------- routes

struct SessionRoutes {
  generation @0 :UInt64;
  routes @1 :UInt64;
}

# Filter and share name only if the key holds a hash of them.
struct RouteRecord {
  route @0 :Command.Route;
}

struct RouteTotals {
  sessions @0 :UInt64;
  routes @1 :UInt64;
}
