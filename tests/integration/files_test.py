# SPDX-License-Identifier: Apache-2.0
"""Files of files.root over HTTP, on the public port and beside /msgbus/."""

import gzip
import os
import re
import shutil
import tempfile
import unittest
from pathlib import Path

from tests.integration.msgbus_client import Wire, basic, get, post
from tests.integration.troupe_node import NotReady, TroupeNode

LARGE = os.urandom(1 << 20)


class FilesCase(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        top = Path(tempfile.mkdtemp(prefix="troupe-files-"))
        cls.addClassCleanup(shutil.rmtree, top, True)
        cls.root = top / "docroot"
        (cls.root / "sub" / "empty").mkdir(parents=True)
        (top / "docroot2").mkdir()
        (top / "docroot2" / "x.txt").write_text("outside")
        (top / "secret").write_text("outside")
        (cls.root / "index.html").write_text("<h1>top</h1>")
        (cls.root / "sub" / "index.html").write_text("<h1>sub</h1>")
        (cls.root / "a.txt").write_text("0123456789")
        (cls.root / "empty.txt").write_text("")
        (cls.root / "plain").write_text("no end")
        (cls.root / "a b.css").write_text("b {}")
        (cls.root / "app.js").write_text("let x = 1;\n" * 500)
        (cls.root / "packed.js").write_text("packed")
        (cls.root / "packed.js.gz").write_bytes(gzip.compress(b"packed"))
        (cls.root / "large.bin").write_bytes(LARGE)
        (cls.root / ".hidden").write_text("outside")
        (cls.root / "link").symlink_to("../secret")
        cls.node = TroupeNode(
            {"listen.msgbus": "127.0.0.1:0"} | cls.settings,
            arguments=["--docroot", str(cls.root)],
        )
        cls.addClassCleanup(cls.node.remove)
        cls.node.start()
        cls.at = cls.node.address("msgbus")

    def ask(self, data, at=None):
        """Status, fields in lower case, body."""
        with Wire(at or self.at) as wire:
            wire.send(data)
            head, body = wire.answer()
        lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines[1:] if line)
        return (
            int(lines[0].split(" ")[1]),
            {k.lower(): v for k, v in fields.items()},
            body,
        )

    def fetch(self, path, fields="", at=None):
        return self.ask(get(path, fields), at)


class FilesTest(FilesCase):
    def test_mb11_types_by_extension(self):
        for path, kind, body in (
            ("/a.txt", "text/plain; charset=utf-8", b"0123456789"),
            ("/empty.txt", "text/plain; charset=utf-8", b""),
            ("/a.txt", "text/plain; charset=utf-8", b"0123456789"),
            ("/plain", "application/octet-stream", b"no end"),
            ("/a%20b.css", "text/css; charset=utf-8", b"b {}"),
            ("/", "text/html; charset=utf-8", b"<h1>top</h1>"),
            ("/sub", "text/html; charset=utf-8", b"<h1>sub</h1>"),
            ("/sub/", "text/html; charset=utf-8", b"<h1>sub</h1>"),
            ("/a.txt?x=1", "text/plain; charset=utf-8", b"0123456789"),
        ):
            with self.subTest(path=path):
                status, fields, found = self.fetch(path)
                self.assertEqual(status, 200)
                self.assertEqual(fields["content-type"], kind)
                self.assertEqual(fields["server"], "msgbus")
                self.assertIn("date", fields)
                self.assertEqual(found, body)

    def test_mb11_nothing_there(self):
        for path in ("/none", "/sub/empty", "/sub/empty/", "/a.txt/"):
            status, fields, body = self.fetch(path)
            self.assertEqual(status, 404, path)
            self.assertEqual(body, b"<h1>Not Found</h1>")
            self.assertEqual(
                fields["content-type"], "text/html; charset=ISO-8859-1"
            )

    def test_mb11_no_way_out(self):
        for path in (
            "/../docroot2/x.txt",
            "/../secret",
            "/%2e%2e/secret",
            "/..%2fsecret",
            "/sub/../../secret",
            "/sub/%2e%2e%2f..%2fsecret",
            "//../secret",
            "/link",
            "/.hidden",
            "/a.txt%00.html",
            "/..\\secret",
            "/%c0%ae%c0%ae/secret",
            "http://h/../secret",
            "/msgbus",
            str(self.root.parent / "secret"),
        ):
            status, _, body = self.fetch(path)
            self.assertIn(status, (400, 404), path)
            self.assertNotIn(b"outside", body)

    def test_mb11_methods(self):
        for method in ("POST", "PUT", "DELETE"):
            status, fields, _ = self.ask(
                f"{method} /a.txt HTTP/1.1\r\nHost: h\r\n"
                "Content-Length: 0\r\n\r\n"
            )
            self.assertEqual(status, 405)
            self.assertEqual(fields["allow"], "GET, HEAD")
        for path, size in (("/a.txt", 10), ("/large.bin", len(LARGE))):
            with Wire(self.at) as wire:
                wire.send(f"HEAD {path} HTTP/1.1\r\nHost: h\r\n\r\n")
                head = wire.head()
                self.assertTrue(head.startswith(b"HTTP/1.1 200 "), head)
                self.assertIn(b"\r\nContent-Length: %d\r\n" % size, head)
                self.assertTrue(
                    wire.silent(0.1) if size == 10 else wire.rest() == b""
                )

    def test_conditions(self):
        _, fields, _ = self.fetch("/a.txt")
        for condition in (
            f"If-None-Match: {fields['etag']}\r\n",
            f"If-None-Match: W/{fields['etag']}\r\n",
            f"If-Modified-Since: {fields['last-modified']}\r\n",
        ):
            with Wire(self.at) as wire:
                wire.send(get("/a.txt", condition))
                head = wire.head()
                self.assertTrue(head.startswith(b"HTTP/1.1 304 "), head)
                # Kept open, and without a body.
                wire.send(get("/a.txt", 'If-None-Match: "x"\r\n'))
                self.assertEqual(wire.answer()[1], b"0123456789")

    def test_ranges(self):
        tag = self.fetch("/a.txt")[1]["etag"]
        for asked, status, told, body in (
            ("Range: bytes=2-4\r\n", 206, "bytes 2-4/10", b"234"),
            ("Range: bytes=-2\r\n", 206, "bytes 8-9/10", b"89"),
            ("Range: bytes=7-99\r\n", 206, "bytes 7-9/10", b"789"),
            ("Range: bytes=10-\r\n", 416, "bytes */10", None),
            ("Range: bytes=0-1,3-4\r\n", 200, None, b"0123456789"),
            ("Range: bytes=x\r\n", 200, None, b"0123456789"),
            (f"Range: bytes=0-0\r\nIf-Range: {tag}\r\n", 206, "bytes 0-0/10", b"0"),
            ('Range: bytes=0-0\r\nIf-Range: "x"\r\n', 200, None, b"0123456789"),
        ):
            with self.subTest(asked=asked):
                found = self.fetch("/a.txt", asked)
                self.assertEqual(found[0], status)
                self.assertEqual(found[1].get("content-range"), told)
                if body is not None:
                    self.assertEqual(found[2], body)

    def test_large_files_are_streamed(self):
        status, fields, body = self.fetch("/large.bin")
        self.assertEqual((status, body), (200, LARGE))
        self.assertEqual(fields["connection"], "close")
        status, fields, body = self.fetch(
            "/large.bin", "Range: bytes=1000-900000\r\n"
        )
        self.assertEqual((status, body), (206, LARGE[1000:900001]))
        before = self.node.private_bytes()
        lazy = []
        for _ in range(20):
            wire = Wire(self.at, receive_buffer=4096)
            self.addCleanup(wire.close)
            wire.send(get("/large.bin"))
            lazy.append(wire)
        self.assertEqual(self.fetch("/a.txt")[0], 200)
        self.assertLess(self.node.private_bytes() - before, 20 << 20)
        self.assertEqual(lazy[7].answer()[1], LARGE)

    def test_gzip(self):
        taken = "Accept-Encoding: gzip\r\n"
        source = (self.root / "app.js").read_bytes()
        status, fields, body = self.fetch("/app.js", taken)
        self.assertEqual(fields["content-encoding"], "gzip")
        self.assertEqual(fields["vary"], "Accept-Encoding")
        self.assertLess(len(body), len(source) / 4)
        self.assertEqual(gzip.decompress(body), source)
        plain = self.fetch("/app.js")
        self.assertNotIn("content-encoding", plain[1])
        self.assertNotEqual(plain[1]["etag"], fields["etag"])
        _, fields, body = self.fetch("/packed.js", taken)
        self.assertEqual(fields["content-encoding"], "gzip")
        self.assertEqual(
            body, (self.root / "packed.js.gz").read_bytes()
        )
        _, fields, _ = self.fetch("/large.bin", taken)
        self.assertNotIn("content-encoding", fields)

    def test_the_public_port_has_them_too(self):
        public = self.node.address()
        self.assertEqual(self.fetch("/a.txt", at=public)[2], b"0123456789")
        self.assertEqual(self.fetch("/mq", at=public)[0], 426)
        self.assertEqual(
            self.ask(post("/msgbus/a", "x"), public)[0], 204
        )


class GuardedFilesTest(FilesCase):
    settings = {"msgbus.password": "s3cret"}

    def test_the_password_counts_for_files(self):
        for at in (self.at, self.node.address()):
            self.assertEqual(self.fetch("/a.txt", at=at)[0], 401)
            status, _, body = self.fetch("/a.txt", basic("", "s3cret"), at)
            self.assertEqual((status, body), (200, b"0123456789"))


class WrongRootTest(unittest.TestCase):
    def test_a_root_that_is_no_folder_is_an_error(self):
        for path in ("/no/such/folder", "/etc/passwd"):
            node = TroupeNode({"files.root": path})
            self.addCleanup(node.remove)
            with self.assertRaises(NotReady):
                node.start()
            self.assertRegex(node.log(), re.escape(path))


if __name__ == "__main__":
    unittest.main()
