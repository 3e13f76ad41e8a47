# SPDX-License-Identifier: Apache-2.0
"""Shared subscriptions of sessions: a message that has begun its way to one
member is his, whatever becomes of him. And what expires on its way."""

import select
import struct
import time
import unittest

from tests.integration.cluster_harness import until
from tests.integration.mqtt_client import DEADLINE, Raw, packet, text
from tests.integration.mqtt_session_test import HOUR, NodeCase

PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 0x30, 0x40, 0x50, 0x62, 0x70


class Member:
    """A client of MQTT 5, packet by packet, that answers nothing by itself."""

    def __init__(self, at, name, clean=False, expiry=HOUR):
        self.name = name
        self.raw = Raw(at)
        self._early = []  # that came before what was waited for
        properties = b"\x05\x11" + struct.pack(">I", expiry)
        self.raw.send(
            packet(
                0x10,
                text("MQTT")
                + bytes([5, 2 if clean else 0])
                + b"\0\0"
                + properties
                + text(name),
            )
        )
        first, body = self.raw.packet()
        assert (first, body[1]) == (0x20, 0), body
        self.present = body[0] == 1

    def subscribe(self, filter_, qos):
        self.raw.send(packet(0x82, b"\0\1\0" + text(filter_) + bytes([qos])))
        _, body = self.take(0x90)
        assert body[-1] == qos, body

    def take(self, kind):
        """The next packet of that kind."""
        for at, found in enumerate(self._early):
            if found[0] & 0xF0 == kind & 0xF0:
                return self._early.pop(at)
        while True:
            found = self.raw.packet()
            assert found is not None, "the connection has ended"
            if found[0] & 0xF0 == kind & 0xF0:
                return found
            self._early.append(found)

    def next(self):
        """The first byte of a PUBLISH, its identifier and its payload."""
        first, body = self.take(PUBLISH)
        length = struct.unpack(">H", body[:2])[0]
        body = body[2 + length :]
        ident, body = body[:2], body[2:]
        return first, ident, body[1 + body[0] :]

    def answer(self, kind, ident, reason=None):
        reason = b"" if reason is None else bytes([reason])
        self.raw.send(packet(kind, ident + reason))

    def complete(self, ident):
        """Takes a message of QoS 2, in all steps."""
        self.answer(PUBREC, ident)
        assert self.take(PUBREL) == (PUBREL, ident)
        self.answer(PUBCOMP, ident)

    def close(self):
        self.raw.close()


class Shares(NodeCase):
    def members(self, topic, **options):
        """Two that share it, and each has a topic of its own."""
        made = []
        for n in (1, 2):
            name = f"{topic}-{n}"
            one = Member(self.at, name, **options)
            self.addCleanup(one.close)
            one.subscribe(f"$share/s/{topic}", 2)
            one.subscribe(f"only/{name}", 2)
            made.append(one)
        return made

    def publisher(self):
        return self.client(self.at, "", clean=True, expiry=0)

    def first_of(self, members, topic, publisher):
        """Publishes, and says who has begun to get it, who has not, and what
        came."""
        publisher.publish(topic, "one", 2)
        sockets = {each.raw.socket: each for each in members}
        readable = select.select(list(sockets), [], [], DEADLINE)[0]
        self.assertEqual(len(readable), 1)
        chosen = sockets.pop(readable[0])
        (other,) = sockets.values()
        return chosen, other, chosen.next()

    def has_nothing(self, member, publisher):
        """Nothing else came before what is published now."""
        publisher.publish(f"only/{member.name}", "nothing", 2)
        first, ident, payload = member.next()
        self.assertEqual(payload, b"nothing")
        member.complete(ident)

    def test_a_begun_delivery_is_completed_with_the_same_client(self):
        publisher = self.publisher()
        members = self.members("begun")
        chosen, other, sent = self.first_of(members, "begun", publisher)
        chosen.close()
        self.wait_until_left(chosen.name)
        self.has_nothing(other, publisher)
        back = Member(self.at, chosen.name)
        self.addCleanup(back.close)
        self.assertTrue(back.present)
        first, ident, payload = back.next()
        self.assertEqual(first, sent[0] | 8)  # DUP
        self.assertEqual((ident, payload), sent[1:])
        # Also with its PUBREL.
        back.answer(PUBREC, ident)
        self.assertEqual(back.raw.packet(), (PUBREL, ident))
        back.close()
        last = Member(self.at, chosen.name)
        self.addCleanup(last.close)
        self.assertEqual(last.raw.packet(), (PUBREL, ident))
        last.answer(PUBCOMP, ident)
        self.has_nothing(other, publisher)

    def test_it_goes_to_nobody_else_when_the_session_ends(self):
        publisher = self.publisher()
        for expiry in (HOUR, 0):
            with self.subTest(expiry=expiry):
                topic = f"ends-{expiry}"
                members = self.members(topic, expiry=expiry, clean=expiry == 0)
                chosen, other, _ = self.first_of(members, topic, publisher)
                chosen.close()
                if expiry:
                    again = Member(self.at, chosen.name, clean=True, expiry=0)
                    self.assertFalse(again.present)
                    again.close()
                    self.wait_until_gone(chosen.name)
                self.has_nothing(other, publisher)
                # The share goes on without it.
                until(
                    lambda: self.alone(other, topic, publisher),
                    "the share has lost a member and does not know",
                )

    def alone(self, member, topic, publisher):
        """Whether it gets two in a row, of which each could be another's."""
        got = 0
        for payload in ("a", "b"):
            publisher.publish(topic, payload, 2)
        publisher.publish(f"only/{member.name}", "end", 2)
        while True:
            _, ident, payload = member.next()
            member.complete(ident)
            if payload == b"end":
                return got == 2
            got += 1

    def wait_until_gone(self, name):
        def gone():
            rows = self.node.get_json("/mqtt/sessions?scope=kept&limit=1000")
            return all(row["client"] != name for row in rows["sessions"])

        until(gone, f"the session of {name} is still there")

    def test_what_a_member_refuses_is_dropped(self):
        publisher = self.publisher()
        for expiry in (HOUR, 0):
            for qos, answer in ((1, PUBACK), (2, PUBREC)):
                with self.subTest(expiry=expiry, qos=qos):
                    topic = f"refuses-{expiry}-{qos}"
                    members = self.members(
                        topic, expiry=expiry, clean=expiry == 0
                    )
                    for each in members:
                        each.subscribe(f"$share/s/{topic}", qos)
                    chosen, other, sent = self.first_of(
                        members, topic, publisher
                    )
                    chosen.answer(answer, sent[1], 0x97)
                    self.has_nothing(other, publisher)
                    self.has_nothing(chosen, publisher)
                    if not expiry:
                        continue
                    # Nor does it come again.
                    chosen.close()
                    back = Member(self.at, chosen.name)
                    self.addCleanup(back.close)
                    self.has_nothing(back, publisher)

    def test_what_was_under_way_does_not_expire(self):
        publisher = self.publisher()
        one = Member(self.at, "expires")
        self.addCleanup(one.close)
        one.subscribe("expires", 2)
        publisher.publish("expires", "begun", 2, MessageExpiryInterval=1)
        first, ident, payload = one.next()
        one.close()
        self.wait_until_left("expires")
        publisher.publish("expires", "waits", 2, MessageExpiryInterval=1)
        publisher.publish("expires", "lives", 2, MessageExpiryInterval=100)
        time.sleep(2)  # the time is what is tested
        back = Member(self.at, "expires")
        self.addCleanup(back.close)
        self.assertEqual(back.next(), (first | 8, ident, payload))
        back.complete(ident)
        self.assertEqual(back.next()[2], b"lives")


if __name__ == "__main__":
    unittest.main()
