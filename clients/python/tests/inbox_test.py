# SPDX-License-Identifier: Apache-2.0
"""The inbox against servers that are written down: what it says on the wire,
and what it makes of what it hears."""

import asyncio
import unittest

import websockets
from troupe_client import (
    BackoffOptions,
    Closed,
    Inbox,
    OutcomeUnknown,
    Overflow,
    Refused,
    TimedOut,
)
from troupe_client.packets import decode_packet, encode_packet

DEADLINE = 10


class Connection:
    """The server's side of one, as a test plays it."""

    def __init__(self, socket):
        self.socket = socket
        self.ended = asyncio.Event()

    async def heard(self, op):
        payload = await asyncio.wait_for(self.socket.recv(), DEADLINE)
        packet = decode_packet(payload)
        assert packet.header["op"] == op, packet
        return packet.header

    async def say(self, data="", **header):
        await self.socket.send(encode_packet(header, data=data))

    async def deliver(self, id, position):
        header = {"op": "deliver", "id": id, "from": "bob", "seq": position}
        await self.say(id, **header)

    async def login(self, **more):
        header = await self.heard("login")
        answer = {"op": "info", "info": "ok login", "window": 4, "position": 0}
        await self.say(**(answer | more))
        return header

    async def drop(self, code=1000):
        await self.socket.close(code)
        self.ended.set()

    async def quit(self, info, code=1008):
        await self.say(op="quit", info=info)
        await self.drop(code)


class InboxTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.connections = asyncio.Queue()

        async def serve(socket, *_):
            connection = Connection(socket)
            self.connections.put_nowait(connection)
            await connection.ended.wait()

        server = await websockets.serve(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.open = []

        async def end():
            server.close()
            while not self.connections.empty():
                self.connections.get_nowait().ended.set()
            for connection in self.open:
                connection.ended.set()
            await server.wait_closed()

        self.addAsyncCleanup(end)

    async def connection(self):
        made = await asyncio.wait_for(self.connections.get(), DEADLINE)
        self.open.append(made)
        return made

    def inbox(self, **options):
        made = Inbox(
            self.url,
            user="alice",
            device="phone",
            backoff=BackoffOptions(0.001, 0.002),
            **({"window": 4} | options),
        )
        self.addAsyncCleanup(made.close)
        return made

    async def opened(self, **options):
        inbox = self.inbox(**options)
        opening = asyncio.create_task(inbox.open())
        first = await self.connection()
        await first.login()
        await opening
        return inbox, first

    async def test_it_registers_if_asked_to_and_logs_in(self):
        inbox = self.inbox(create=True, aliases=["al", "ice"], cursor=12)
        opening = asyncio.create_task(inbox.open())
        first = await self.connection()
        self.assertEqual((await first.heard("register"))["aliases"], "al ice")
        await first.say(op="registered", error="user exists")
        login = await first.login(position=12)
        self.assertEqual((login["window"], login["resume"]), (4, 12))
        await opening
        self.assertEqual(inbox.state, "open")

    async def test_a_login_that_is_refused_for_good_ends_it(self):
        inbox = self.inbox()
        opening = asyncio.create_task(inbox.open())
        first = await self.connection()
        await first.heard("login")
        await first.quit("nodeId unknown")
        with self.assertRaisesRegex(Refused, "nodeId unknown"):
            await opening
        with self.assertRaises(Refused):
            await inbox.receive()
        self.assertEqual(inbox.state, "closed")

    async def test_a_device_that_is_still_active_is_tried_again(self):
        inbox = self.inbox()
        opening = asyncio.create_task(inbox.open())
        first = await self.connection()
        await first.heard("login")
        await first.quit("node already active")
        await (await self.connection()).login()
        await opening

    async def test_a_post_goes_on_recognisable_at_the_next_server(self):
        inbox, first = await self.opened()
        post = asyncio.create_task(
            inbox.post(["bob", "carol"], "hello", ttl=5)
        )
        sent = await first.heard("post")
        self.assertEqual(sent["to"], {"bob": 1, "carol": 1})
        self.assertEqual((sent["dedup"], sent["ttl"]), (True, 5))
        await first.drop()
        second = await self.connection()
        await second.login()
        self.assertEqual((await second.heard("post"))["id"], sent["id"])
        await second.say(
            op="ack", id=sent["id"], type="ok", error="userId unknown"
        )
        receipt = await post
        self.assertEqual(receipt.unreached, ["userId unknown"])

    async def test_an_edit_of_a_list_is_not_repeated(self):
        inbox, first = await self.opened()
        edit = asyncio.create_task(inbox.invite_to_list("friends", "bobby"))
        await first.heard("listEdit")
        await first.drop()
        with self.assertRaises(OutcomeUnknown):
            await edit

    async def test_what_no_leader_answers_is_asked_again(self):
        inbox, first = await self.opened()
        post = asyncio.create_task(inbox.post("bob", "x"))
        id = (await first.heard("post"))["id"]
        answer = {"op": "ack", "id": id, "type": "error"}
        await first.say(**answer, error="service unavailable")
        self.assertEqual((await first.heard("post"))["id"], id)
        await first.say(**answer, error="inbox full")
        with self.assertRaisesRegex(Refused, "inbox full") as seen:
            await post
        self.assertTrue(seen.exception.temporary)

    async def test_a_post_that_made_the_server_hang_up_is_not_repeated(self):
        inbox, first = await self.opened()
        post = asyncio.create_task(inbox.post("bob", "x"))
        await first.heard("post")
        await first.quit("message too large", 1009)
        with self.assertRaisesRegex(Refused, "message too large"):
            await post
        second = await self.connection()
        await second.login()
        another = asyncio.create_task(inbox.post("bob", "y"))
        id = (await second.heard("post"))["id"]
        await second.say(op="ack", id=id, type="ok")
        self.assertEqual((await another).id, id)

    async def test_it_resumes_from_the_cursor_and_shows_nothing_twice(self):
        inbox, first = await self.opened()
        await first.deliver("a", 5)
        await first.deliver("b", 6)
        (await inbox.receive()).ack()
        self.assertEqual((await first.heard("ack"))["id"], "a")
        b = await inbox.receive()
        await first.drop()
        second = await self.connection()
        login = await second.login()
        self.assertEqual(login["resume"], 5)
        b.ack()
        await second.deliver("b", 6)
        await second.deliver("c", 7)
        self.assertEqual((await second.heard("ack"))["id"], "b")
        self.assertEqual((await inbox.receive()).text(), "c")
        self.assertEqual(inbox.cursor, 6)

    async def test_a_gap_is_told(self):
        changes = []
        inbox = self.inbox(cursor=3, on_change=changes.append)
        opening = asyncio.create_task(inbox.open())
        await (await self.connection()).login(resume="gap", position=9)
        await opening
        self.assertEqual(inbox.cursor, 9)
        self.assertEqual(
            [(c.state, c.gap) for c in changes],
            [("connecting", False), ("open", True)],
        )

    async def test_a_receiver_that_leaves_takes_nothing_with_it(self):
        inbox, first = await self.opened()
        leaving = asyncio.create_task(inbox.receive())
        await asyncio.sleep(0)
        leaving.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await leaving
        with self.assertRaises(TimedOut):
            await inbox.receive(timeout=0.001)
        await first.deliver("a", 1)
        self.assertEqual((await inbox.receive()).id, "a")

    async def test_requests_are_bounded_and_have_a_deadline(self):
        inbox, first = await self.opened(requests_max=1)
        late = asyncio.create_task(inbox.post("bob", "x", timeout=0.05))
        await first.heard("post")
        with self.assertRaises(Overflow):
            await inbox.post("bob", "y")
        with self.assertRaises(TimedOut) as seen:
            await late
        self.assertTrue(seen.exception.sent)
        cancelled = asyncio.create_task(inbox.post("bob", "z"))
        await first.heard("post")
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        await first.drop()
        await self.connection()  # which never logs it in
        with self.assertRaises(TimedOut) as seen:
            await inbox.post("bob", "x", timeout=0.001)
        self.assertFalse(seen.exception.sent)

    async def test_closing_ends_the_loop_and_tells_the_last_ack(self):
        inbox, first = await self.opened()

        async def loop():
            seen = []
            async for delivery in inbox:
                seen.append(delivery.id)
                delivery.ack()
                await inbox.close()
            return seen

        looping = asyncio.create_task(loop())
        post = asyncio.create_task(inbox.post("bob", "x"))
        await first.heard("post")
        await first.deliver("a", 1)
        self.assertEqual((await first.heard("ack"))["id"], "a")
        first.ended.set()
        self.assertEqual(await looping, ["a"])
        with self.assertRaises(Closed):
            await post

    async def test_recipients_are_named_in_every_way_there_is(self):
        inbox, first = await self.opened()
        to = {"to": "a", "one": ["b"], "list": "c", "list_with_me": ["d"]}
        post = asyncio.create_task(
            inbox.post(to, "x", copy_to_own_devices=False)
        )
        header = await first.heard("post")
        self.assertEqual(header["to"], {"a": 1, "b": 0, "c": 2, "d": 3})
        self.assertEqual(header["noNodes"], 1)
        await first.say(op="ack", id=header["id"], type="ok")
        await post
        for wrong in ({"two": "a"}, {"to": "a", "one": "a"}):
            with self.assertRaises(ValueError):
                await inbox.post(wrong, "x")


if __name__ == "__main__":
    unittest.main()
