# SPDX-License-Identifier: Apache-2.0
@0xaaada4fa14b67341;

# The middle part of a command in a replicated log; docs/formats/commands.md
# describes what stands around it. Names are Data: any bytes, not only UTF-8.
# Fields are only ever added, at the end; a command that older nodes would
# apply differently gets a new place in its union, which they refuse.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("troupe::schema::wire");

struct ShardCommand {
  union {
    appendMessage @0 :AppendMessage;
    moveCursors @1 :List(CursorUpdate);
    addCursor @2 :AddCursor;
    removeCursor @3 :InboxDevice;
    dropInbox @4 :Owner;
    importInboxes @5 :List(AddCursor);
    setInboxPolicy @6 :InboxPolicy;
    sweepExpired @7 :UInt32; # limit
    # To sessions, or with what only they get.
    appendPublication @8 :AppendPublication;
    setKey @9 :SetKey;
    clearKey @10 :ClearKey;
    setKeyPolicy @11 :KeyPolicy;
    openSession @12 :OpenSession;
    setSessionExpiry @13 :SessionExpiry;
    closeSession @14 :CloseSession;
    beginReceive @15 :List(ReceiveItem);
    endReceive @16 :List(PacketIds);
    delivered @17 :List(DeliveredItem);
    completed @18 :List(PacketIds);
    dropWill @19 :SessionRef;
    dropSession @20 :DropSession;
    setSessionPolicy @21 :SessionPolicy;
  }
}

struct DirectoryCommand {
  realm @0 :Data = 0x"64 65 66 61 75 6c 74"; # "default"
  union {
    createUser @1 :CreateUser;
    replaceAliases @2 :ReplaceAliases;
    createDevice @3 :CreateDevice;
    removeUser @4 :Data; # uid
    changeList @5 :ChangeList;
    importDirectory @6 :ImportDirectory;
    changeCluster @7 :ClusterCommand; # in no realm
    changeRights @8 :RightsCommand;
    changeRoutes @9 :ChangeRoutes;
  }
}

struct Owner {
  realm @0 :Data = 0x"64 65 66 61 75 6c 74"; # "default"
  kind @1 :UInt8; # core::owner_kind
  name @2 :Data;
}

# An optional device offset is a number where -1 stands for "none".

struct AppendMessage {
  realm @0 :Data = 0x"64 65 66 61 75 6c 74"; # "default"
  sender @1 :Data;
  kind @2 :UInt8; # core::message_kind
  hasTimeToLive @3 :Bool;
  timeToLive @4 :Int64; # milliseconds
  contentType @5 :Data;
  headers @6 :List(Header);
  deduplicationKey @7 :Data;
  metaBytes @8 :UInt64; # of the bytes behind this message
  payloadBytes @9 :UInt64; # behind meta
  to @10 :List(Recipient);
}

struct Header {
  name @0 :Data;
  value @1 :Data;
}

struct Recipient {
  name @0 :Data;
  single @1 :Bool;
  ownCopy @2 :Bool;
  except @3 :Int16 = -1;
}

struct CursorUpdate {
  inbox @0 :Owner;
  device @1 :UInt8;
  upTo @2 :UInt64;
}

struct AddCursor {
  inbox @0 :Owner;
  device @1 :UInt8;
  inherit @2 :Int16 = -1;
}

struct InboxDevice {
  inbox @0 :Owner;
  device @1 :UInt8;
}

# Times in milliseconds.
struct InboxPolicy {
  messagesMax @0 :UInt64;
  bytesMax @1 :UInt64;
  overflow @2 :UInt8; # core::overflow_policy
  defaultTimeToLive @3 :Int64;
  deviceInactiveAfter @4 :Int64;
  userInactiveAfter @5 :Int64;
  deduplicationWindow @6 :Int64;
}

struct CreateUser {
  uid @0 :Data;
  device @1 :Data;
  aliases @2 :List(Data);
}

struct ReplaceAliases {
  uid @0 :Data;
  aliases @1 :List(Data);
}

struct CreateDevice {
  uid @0 :Data;
  device @1 :Data;
  previousDevice @2 :Data;
}

struct ChangeList {
  list @0 :Data;
  kind @1 :UInt8; # core::list_edit_kind
  caller @2 :Data;
  member @3 :Data;
}

struct ClusterCommand {
  union {
    admitNode @0 :AdmitNode;
    setNodeState @1 :NodeState;
    setNodeAddress @2 :NodeAddress;
    setPlacement @3 :List(Placement);
    setFeatureLevel @4 :UInt32;
    replaceNode @5 :NodeReplacement;
  }
}

struct AdmitNode {
  token @0 :Data;
  name @1 :Data;
  address @2 :Data;
  incarnation @3 :UInt64;
  as @4 :UInt32; # 0: none
}

struct NodeState {
  node @0 :UInt32;
  state @1 :UInt8; # core::node_state
}

struct NodeReplacement {
  old @0 :UInt32;
  fresh @1 :UInt32;
}

struct NodeAddress {
  node @0 :UInt32;
  address @1 :Data;
  incarnation @2 :UInt64;
}

struct Placement {
  group @0 :UInt16;
  replicas @1 :List(UInt32);
}

struct ImportDirectory {
  users @0 :List(ImportedUser);
  lists @1 :List(ImportedList);
}

struct ImportedUser {
  uid @0 :Data;
  devices @1 :List(ImportedDevice);
  aliases @2 :List(Data);
}

struct ImportedDevice {
  name @0 :Data;
  offset @1 :UInt8;
}

struct ImportedList {
  name @0 :Data;
  members @1 :List(ImportedMember);
}

struct ImportedMember {
  uid @0 :Data;
  alias @1 :Data;
}

# Credentials and rights. `take`: false gives, true takes away.
struct RightsCommand {
  union {
    setPassword @0 :SetPassword;
    changeAccount @1 :ChangeAccount;
    changeRole @2 :ChangeRole;
    removeRole @3 :Data;
    addToken @4 :AddToken;
    revokeToken @5 :Data; # id
    changeBlocks @6 :ChangeBlocks;
    setBan @7 :SetBan;
    liftBan @8 :LiftBan;
    setProvablePassword @9 :SetProvablePassword;
  }
}

struct Grant {
  what @0 :UInt8; # core::right
  filter @1 :Data;
}

struct SetPassword {
  uid @0 :Data;
  hash @1 :Data;
}

# A password that may also be proven by SCRAM.
struct SetProvablePassword {
  uid @0 :Data;
  hash @1 :Data;
  scram @2 :Data; # RFC 5803
}

struct ChangeAccount {
  uid @0 :Data;
  take @1 :Bool;
  roles @2 :List(Data);
  grants @3 :List(Grant);
}

struct ChangeRole {
  role @0 :Data;
  take @1 :Bool;
  grants @2 :List(Grant);
}

struct AddToken {
  id @0 :Data;
  uid @1 :Data;
  hash @2 :Data;
  label @3 :Data;
  hasExpiry @4 :Bool;
  expires @5 :Int64;
  roles @6 :List(Data);
  grants @7 :List(Grant);
}

struct ChangeBlocks {
  uid @0 :Data;
  take @1 :Bool;
  blocked @2 :List(Data);
}

struct SetBan {
  kind @0 :UInt8; # core::ban_kind
  name @1 :Data;
  hasEnd @2 :Bool;
  until @3 :Int64;
  reason @4 :Data;
}

struct LiftBan {
  kind @0 :UInt8; # core::ban_kind
  name @1 :Data;
}

# ---------------------------------------------------------------- publications

struct AppendPublication {
  post @0 :AppendMessage; # its `to` is empty
  topic @1 :Data;
  qos @2 :UInt8;
  retain @3 :Bool;
  to @4 :List(PublicationRecipient);
}

struct PublicationRecipient {
  name @0 :Data;
  kind @1 :UInt8; # core::owner_kind
  qos @2 :UInt8;
  single @3 :Bool;
  ownCopy @4 :Bool;
  retainAsPublished @5 :Bool;
  except @6 :Int16 = -1;
  subscriptionIds @7 :List(UInt32);
}

# What is published, apart from where and when.
struct Content {
  sender @0 :Data;
  contentType @1 :Data;
  headers @2 :List(Header);
  qos @3 :UInt8;
  payload @4 :Data; # empty if it is behind the message
}

struct SetKey {
  realm @0 :Data = 0x"64 65 66 61 75 6c 74"; # "default"
  topic @1 :Data;
  content @2 :Content;
  payloadBytes @3 :UInt64; # of the bytes behind this message
  hasTimeToLive @4 :Bool;
  timeToLive @5 :Int64; # milliseconds
  hasExpected @6 :Bool;
  expected @7 :UInt64;
}

struct ClearKey {
  realm @0 :Data = 0x"64 65 66 61 75 6c 74"; # "default"
  topic @1 :Data;
  hasExpected @2 :Bool;
  expected @3 :UInt64;
}

struct KeyPolicy {
  keysMax @0 :UInt64;
  bytesMax @1 :UInt64;
}

# -------------------------------------------------------------------- sessions

struct SessionRef {
  realm @0 :Data = 0x"64 65 66 61 75 6c 74"; # "default"
  name @1 :Data;
  epoch @2 :UInt64;
}

struct SessionWill {
  topic @0 :Data;
  content @1 :Content;
  retain @2 :Bool;
  delay @3 :Int64; # milliseconds
  hasTimeToLive @4 :Bool;
  timeToLive @5 :Int64;
}

struct OpenSession {
  realm @0 :Data = 0x"64 65 66 61 75 6c 74"; # "default"
  name @1 :Data;
  uid @2 :Data;
  protocol @3 :Data;
  cleanStart @4 :Bool;
  hasExpiry @5 :Bool;
  receiveMax @6 :UInt16;
  expiry @7 :Int64; # milliseconds
  will @8 :SessionWill; # null: none
}

struct SessionExpiry {
  session @0 :SessionRef;
  hasExpiry @1 :Bool;
  expiry @2 :Int64; # milliseconds
}

struct CloseSession {
  session @0 :SessionRef;
  hasWhen @1 :Bool;
  dropWill @2 :Bool;
  when @3 :Int64;
}

struct ReceiveItem {
  session @0 :SessionRef;
  packet @1 :UInt16;
}

struct PacketIds {
  session @0 :SessionRef;
  packets @1 :List(UInt16);
}

struct DeliveredItem {
  session @0 :SessionRef;
  upTo @1 :UInt64;
  awaiting @2 :List(UInt16);
}

struct DropSession {
  session @0 :SessionRef;
  onlyExpired @1 :Bool;
}

struct SessionPolicy {
  sessionsMax @0 :UInt64;
  messagesMax @1 :UInt64; # of one session's inbox
  bytesMax @2 :UInt64;
  dropOldest @3 :Bool;
}

# ---------------------------------------------------------------------- routes

struct ChangeRoutes {
  session @0 :Data;
  generation @1 :UInt64;
  removeAll @2 :Bool;
  forget @3 :Bool;
  remove @4 :List(RouteName);
  add @5 :List(Route);
}

struct RouteName {
  filter @0 :Data;
  share @1 :Data;
}

struct Route {
  filter @0 :Data;
  share @1 :Data;
  qos @2 :UInt8;
  noLocal @3 :Bool;
  retainAsPublished @4 :Bool;
  subscriptionId @5 :UInt32; # 0: none
}
