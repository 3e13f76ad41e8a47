# SPDX-License-Identifier: Apache-2.0
@0xd6a1c39be0f7a415;

# ZenConn's messages in binary, one packed message a WebSocket message
# (docs/protocols/zenconn.md). Fields are only ever added, at the end.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("troupe::schema::zenconn");

struct Request {
  kind @0 :UInt8; # 0 subscribe, 1 unsubscribe, 2 broadcast
  channel @1 :Text;
  token @2 :Text;
  data @3 :Data; # a JSON text
}

struct Answer {
  kind @0 :UInt8; # 0 accepted, 1 subscribed, 2 unsubscribed, 3 unauthorized,
                  # 4 received, 5 event, 6 error
  missing @1 :UInt32;
  count @2 :UInt64;
  channel @3 :Text;
  data @4 :Data; # a JSON text
  # Who an event is from, or the session of an accepted: the two halves of a
  # UUID, big end first; both 0: see `sender`.
  sessionHigh @5 :UInt64;
  sessionLow @6 :UInt64;
  sender @7 :Text;
  errors @8 :List(Text);
}
