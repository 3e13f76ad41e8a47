# SPDX-License-Identifier: Apache-2.0
"""Channels against HTTP servers of this process, which do what a test wants."""

import asyncio
import base64
import json
import socket
import unittest

from troupe_client import (
    BackoffOptions,
    Channels,
    OutcomeUnknown,
    Overflow,
    Refused,
    TimedOut,
    Unreachable,
)

BOUNDARY = b"--00MsgBus00\n"
PUBLISHED = b"HTTP/1.1 204 OK\r\nContent-Length: 0\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Request:
    def __init__(self, head, body, writer):
        first, *rest = head.decode().rstrip("\r\n").split("\r\n")
        self.method, self.target, _ = first.split(" ")
        self.fields = dict(line.split(": ", 1) for line in rest)
        self.body = body
        self.writer = writer

    def answer(self, data):
        self.writer.write(data)

    def chunk(self, data):
        self.writer.write(b"%x\r\n%b\r\n" % (len(data), data))

    def event(self, **fields):
        self.chunk(b"data: " + json.dumps(fields).encode() + b"\n\n")


def gone():
    """The URL of a server that is not there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


class ChannelsTest(unittest.IsolatedAsyncioTestCase):
    async def serve(self, answer):
        """`answer(request)` for each; its URL."""
        writers = []

        async def serve(reader, writer):
            writers.append(writer)
            try:
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    request = Request(head, b"", writer)
                    size = int(request.fields.get("Content-Length", 0))
                    request.body = await reader.readexactly(size)
                    answer(request)
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)

        async def end():
            for writer in writers:
                writer.close()
            server.close()
            await server.wait_closed()

        self.addAsyncCleanup(end)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def channels(self, servers, **options):
        backoff = BackoffOptions(0.001, 0.002)
        made = Channels(servers, backoff=backoff, **options)
        self.addAsyncCleanup(made.close)
        return made

    async def test_a_publication_says_all_past_a_dead_server(self):
        seen = []

        def answer(request):
            fields = request.fields
            kind, who = fields["Content-Type"], fields["Authorization"]
            asked = (request.method, request.target)
            seen.append((*asked, kind, who, request.body))
            request.answer(PUBLISHED)

        bus = self.channels([gone(), await self.serve(answer)], user="ännä")
        await bus.publish("a/b", "hello")
        await bus.publish("a", b"x", type="x/y")
        await bus.publish("a", b"x")
        who = "Basic " + base64.b64encode("ännä:".encode()).decode()
        plain, binary = "text/plain; charset=utf-8", "application/octet-stream"
        self.assertEqual(
            seen,
            [
                ("POST", "/msgbus/a/b", plain, who, b"hello"),
                ("POST", "/msgbus/a", "x/y", who, b"x"),
                ("POST", "/msgbus/a", binary, who, b"x"),
            ],
        )

    async def test_a_token_stands_for_who_shows_it(self):
        seen = []

        def answer(request):
            seen.append((request.method, request.fields["Authorization"]))
            request.answer(PUBLISHED if request.method == "POST" else STREAM)

        url = await self.serve(answer)
        bus = self.channels(url, token="trp_x")
        await bus.subscribe("a")
        await bus.publish("a", "x")
        self.assertEqual(
            seen, [("GET", "Bearer trp_x"), ("POST", "Bearer trp_x")]
        )
        with self.assertRaisesRegex(ValueError, "token"):
            self.channels(url, token="x", user="anna")

    async def test_publications_go_out_in_order_and_in_bounds(self):
        seen = []

        def answer(request):
            seen.append(request.body)
            request.answer(PUBLISHED)

        bus = self.channels(await self.serve(answer), publishes_max=3)
        every = [
            asyncio.create_task(bus.publish("a", text)) for text in "123"
        ]
        await asyncio.sleep(0)
        with self.assertRaises(Overflow):
            await bus.publish("a", "4")
        await asyncio.gather(*every)
        self.assertEqual(seen, [b"1", b"2", b"3"])

    async def test_what_became_of_a_publication_is_said_as_far_as_known(self):
        def answer(request):
            if request.target.endswith("large"):
                request.answer(
                    b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"
                )
            elif request.target.endswith("lost"):
                request.writer.close()
            elif request.target.endswith("fine"):
                request.answer(PUBLISHED)

        bus = self.channels(await self.serve(answer))
        with self.assertRaisesRegex(Refused, "^413 Too Large$") as seen:
            await bus.publish("large", "x")
        self.assertFalse(seen.exception.temporary)
        with self.assertRaises(OutcomeUnknown):
            await bus.publish("lost", "x")
        await bus.publish("fine", "x")  # so that there is a connection
        with self.assertRaises(TimedOut) as seen:
            await bus.publish("never", "x", timeout=0.05)
        self.assertTrue(seen.exception.sent)
        # The late answer to that one is not taken for this one's.
        await bus.publish("fine", "x")
        nowhere = self.channels([gone(), gone()])
        with self.assertRaises(Unreachable):
            await nowhere.publish("a", "x")

    async def test_channels_under_another_name_are_refused(self):
        bus = self.channels("http://127.0.0.1:1")
        for name in ("a b", "é", "a?b", "a#b", "..", "a/%2e/b", "a\\b", "a\n"):
            with self.subTest(name), self.assertRaises(ValueError):
                await bus.publish(name, "x")
        with self.assertRaises(ValueError):
            await bus.publish("a", "x", type="a/b\r\nX: y")

    async def test_events_go_on_behind_the_last_one(self):
        asked = []

        def answer(request):
            asked.append(request.target)
            request.answer(STREAM)
            if len(asked) == 1:
                request.chunk(b":\n\n")
                request.event(id="1-1", data="a", sender="anna", type="t")
                request.answer(b"0\r\n\r\n")
            else:
                request.event(id="1-1", data="a")
                request.event(id="2-2", data="b")

        states = []
        bus = self.channels(await self.serve(answer))
        subscription = await bus.subscribe(
            "news",
            types=["text/*", "!x"],
            senders="anna",
            on_change=lambda change: states.append(change.state),
        )
        a, b = await subscription.receive(), await subscription.receive()
        self.assertEqual(
            (a.channel, a.sender, a.type, a.id, a.text()),
            ("news", "anna", "t", "1-1", "a"),
        )
        self.assertEqual((b.text(), subscription.cursor), ("b", "2-2"))
        query = "/msgbus/news?format=json&type=text%2F%2A%2C%21x&sender=anna"
        self.assertEqual(asked, [query, query + "&since=1-1"])
        self.assertEqual(
            states, ["connecting", "open", "waiting", "connecting", "open"]
        )

    async def test_multipart_is_listened_to_at_the_root(self):
        def answer(request):
            self.assertEqual(request.target, "/msgbus/")
            request.answer(STREAM)
            request.chunk(BOUNDARY)
            request.chunk(
                b"Content-Location: /msgbus/a\nContent-Type: t\n\nhello"
                + BOUNDARY
            )

        bus = self.channels(await self.serve(answer), via="msgbus")
        message = await (await bus.subscribe("")).receive()
        self.assertEqual((message.channel, message.text()), ("a", "hello"))

    async def test_a_server_that_refuses_for_good_ends_it(self):
        answers = [
            b"HTTP/1.1 503 Busy\r\n\r\n",
            STREAM + b"0\r\n\r\n",
            b"HTTP/1.1 401 Unauthorized\r\n\r\n",
        ]
        bus = self.channels(
            await self.serve(lambda request: request.answer(answers.pop(0)))
        )
        subscription = await bus.subscribe("a")
        with self.assertRaisesRegex(Refused, "401 Unauthorized"):
            await subscription.receive()
        self.assertEqual(subscription.state, "closed")

    async def test_waiting_can_be_given_up(self):
        requests = []

        def answer(request):
            requests.append(request)
            if "/quiet" in request.target:
                request.answer(STREAM)

        bus = self.channels(await self.serve(answer))
        with self.assertRaises(TimedOut):
            await bus.subscribe("stuck", timeout=0.02)
        subscription = await bus.subscribe("quiet")
        with self.assertRaises(TimedOut):
            await subscription.receive(timeout=0.01)
        leaving = asyncio.create_task(subscription.receive())
        await asyncio.sleep(0)
        # In the middle of an event: the next receiver gets all of it.
        requests[-1].answer(b'20\r\ndata: {"id":"1-1","data":')
        await asyncio.sleep(0.01)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        requests[-1].answer(b'"here"}\r\n2\r\n\n\n\r\n')
        message = await subscription.receive(timeout=5)
        self.assertEqual(message.text(), "here")

    async def test_a_silent_stream_is_left_for_another_one(self):
        streams = []

        def answer(request):
            streams.append(request)
            request.answer(STREAM)
            if len(streams) > 1:
                request.event(id="1-1", data="x")

        bus = self.channels(await self.serve(answer), idle_timeout=0.02)
        subscription = await bus.subscribe("a")
        self.assertEqual((await subscription.receive()).text(), "x")

    async def test_closing_ends_the_loop(self):
        def answer(request):
            request.answer(STREAM)
            request.event(id="1-1", data="x")

        bus = self.channels(await self.serve(answer))
        seen = []
        async for message in await bus.subscribe("a"):
            seen.append(message.text())
            await bus.close()
        self.assertEqual(seen, ["x"])


if __name__ == "__main__":
    unittest.main()
