# SPDX-License-Identifier: Apache-2.0
"""The pure parts: no sockets, no clocks."""

import json
import unittest

from troupe_client import BackoffOptions, Overflow, TroupeError
from troupe_client.backoff import Backoff
from troupe_client.deliveries import DONE_IDS_MAX, Deliveries
from troupe_client.events import EventReader
from troupe_client.multipart import MultipartReader
from troupe_client.packets import Packet, decode_packet, encode_packet
from troupe_client.servers import Servers


class PacketsTest(unittest.TestCase):
    def test_a_packet_is_laid_out_as_the_protocol_says(self):
        header = {"op": "post", "id": "m1", "to": {"bob": 1}}
        self.assertEqual(
            encode_packet(header, {"subject": "hi"}, "hello"),
            b'2f  {"op":"post","id":"m1","to":{"bob":1},"etc":16}'
            b'{"subject":"hi"}hello',
        )

    def test_a_header_is_pure_ascii_and_etc_is_cut_off(self):
        packet = encode_packet({"op": "x", "id": "é😀"}, "é", "ü")
        packet.decode("utf-8")
        size = int(packet[:4], 16)
        self.assertTrue(packet[: 4 + size].isascii())
        back = decode_packet(packet)
        self.assertEqual(back.header["id"], "é😀")
        self.assertEqual(json.loads(back.etc), "é")
        self.assertEqual(back.data, "ü".encode())

    def test_a_broken_packet_is_an_error_never_half_a_message(self):
        for broken in (
            b"",
            b"1",
            b"zz  {}",
            b"5   {}",
            b"2   []",
            b"2   {}",
            b'10  {"op":"x","etc":',
            b'14  {"op":"x","etc":9999}',
            b'13  {"op":"x","etc":-1}}',
        ):
            with self.subTest(broken), self.assertRaises(TroupeError):
                decode_packet(broken)

    def test_a_header_above_its_bound_is_refused_before_it_is_sent(self):
        with self.assertRaises(ValueError):
            encode_packet({"op": "post", "id": "x" * 70_000})


class WaysTest(unittest.TestCase):
    def test_waits_double_and_are_spread_over_their_upper_half(self):
        low = Backoff(BackoffOptions(100, 350), lambda: 0)
        self.assertEqual([low.next() for _ in range(4)], [50, 100, 175, 175])
        high = Backoff(BackoffOptions(100, 350), lambda: 1)
        self.assertEqual([high.next() for _ in range(3)], [100, 200, 350])
        high.reset()
        self.assertEqual(high.next(), 100)

    def test_servers_are_taken_in_turn_and_said_as_asked(self):
        servers = Servers(["http://a:1", "wss://[::1]/base/"])
        self.assertEqual(servers.current.websocket("/mq"), "ws://a:1/mq")
        servers.move_on()
        self.assertEqual(
            servers.current.websocket("/mq"), "wss://[::1]:443/base/mq"
        )
        servers.move_on()
        self.assertEqual(servers.current.name, "a:1")
        for wrong in ([], "a:1", "nonsense", "http://a?x=1", "ftp://a"):
            with self.subTest(wrong), self.assertRaises(ValueError):
                Servers(wrong)


def packet(id, position):
    header = {"op": "deliver", "id": id, "from": "bob", "seq": position}
    return Packet(header, None, b"")


class DeliveriesTest(unittest.TestCase):
    def setUp(self):
        self.due = 0
        self.all = Deliveries(self._on_ack)

    def _on_ack(self):
        self.due += 1

    def test_an_ack_goes_out_when_all_before_it_are_acknowledged(self):
        a, b, c = (self.all.arrived(packet(f"m{n}", n * 10)) for n in (1, 2, 3))
        b.ack()
        self.assertIsNone(self.all.take_ack())
        a.ack()
        a.ack()
        self.assertEqual(self.all.take_ack(), "m2")
        self.assertEqual(self.all.cursor, 20)
        self.assertIsNone(self.all.take_ack())
        c.ack()
        self.assertEqual(self.all.take_ack(), "m3")
        self.assertEqual((self.all.held, self.due), (0, 3))

    def test_what_comes_again_is_not_shown_again(self):
        a = self.all.arrived(packet("a", 1))
        b = self.all.arrived(packet("b", 2))
        self.assertIsNone(self.all.arrived(packet("a", 1)))  # after 10 s
        b.ack()
        self.all.connected()  # b's ack was never sent
        self.assertIsNone(self.all.arrived(packet("a", 1)))
        self.assertIsNone(self.all.arrived(packet("b", 2)))
        self.assertIsNone(self.all.take_ack())
        a.ack()
        self.assertEqual(self.all.take_ack(), "b")
        self.assertEqual(self.all.cursor, 2)

    def test_an_ack_between_two_connections_is_told_on_the_next_one(self):
        a = self.all.arrived(packet("a", 7))
        self.all.connected()
        a.ack()
        self.assertIsNone(self.all.take_ack())
        self.assertIsNone(self.all.arrived(packet("a", 7)))
        self.assertEqual(self.due, 2)
        self.assertEqual(self.all.take_ack(), "a")

    def test_what_is_remembered_is_bounded(self):
        for n in range(DONE_IDS_MAX + 10):
            self.all.arrived(packet(str(n), n)).ack()
            self.all.take_ack()
        self.assertEqual(len(self.all._done), DONE_IDS_MAX)
        self.assertIsNone(self.all.arrived(packet(str(DONE_IDS_MAX), 0)))
        self.assertIsNotNone(self.all.arrived(packet("0", 0)))


class StreamsTest(unittest.TestCase):
    def cut_everywhere(self, whole, make):
        """What comes out of it, the same wherever it is cut."""
        seen = set()
        for at in range(len(whole) + 1):
            reader = make(100)
            seen.add((*reader.feed(whole[:at]), *reader.feed(whole[at:])))
        self.assertEqual(len(seen), 1)
        return seen.pop()

    def test_multipart_is_read_wherever_it_is_cut(self):
        first, second = self.cut_everywhere(
            b"--00MsgBus00\nFrom: anna\nContent-Location: /msgbus/a/b\n"
            b"Content-Type: text/plain\n\nhe\n\nllo--00MsgBus00\n"
            b"Content-Type: x\n\n--00MsgBus00\n",
            MultipartReader,
        )
        self.assertEqual(
            first, ("a/b", "anna", "text/plain", None, b"he\n\nllo")
        )
        self.assertEqual(second, (None, None, "x", None, b""))

    def test_multipart_that_is_none_and_without_end_are_errors(self):
        with self.assertRaises(TroupeError):
            MultipartReader(10).feed(b"<h1>--00MsgBus00\n")
        reader = MultipartReader(10)
        reader.feed(b"--00MsgBus00\n")
        with self.assertRaises(Overflow):
            reader.feed(bytes(20_000))

    def test_events_are_read_wherever_they_are_cut(self):
        first, second = self.cut_everywhere(
            b':\n\nid: 1-5\nevent: message\ndata: {"channel":"c",'
            b'"sender":"\xc3\xa9","type":"t","id":"1-5","data":"a\\nb"}\n\n'
            b':\n\ndata: {"id":"1-6","base64":"/wA="}\n\n',
            EventReader,
        )
        self.assertEqual(first, ("c", "é", "t", "1-5", b"a\nb"))
        self.assertEqual(second, (None, None, None, "1-6", b"\xff\0"))

    def test_an_event_without_end_or_without_sense_is_an_error(self):
        with self.assertRaises(Overflow):
            EventReader(10).feed(b"data: " + b"x" * 17_000)
        for wrong in (b"{", b"[]", b'{"data":7}', b'{"base64":"?"}'):
            with self.subTest(wrong), self.assertRaises(TroupeError):
                EventReader(10).feed(b"data: " + wrong + b"\n\n")


if __name__ == "__main__":
    unittest.main()
