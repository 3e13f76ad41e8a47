# SPDX-License-Identifier: Apache-2.0
"""docs/conformance/: every test that is named there is in the tree, and every
statement of MQTT that concerns a server has its row. Starts nothing."""

import ast
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
DOCUMENTS = ROOT / "docs" / "conformance"

CPP_TEST = re.compile(r"^TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)
BAD_PACKET = re.compile(r'^    \{"(\w+)", v', re.MULTILINE)
# How a name of a test is spelled, by what it is a name of.
CPP = re.compile(r"^[A-Z]\w*\.(?:[A-Z]\w*|\*)$")
PYTHON = re.compile(r"^(?:[A-Z]\w*\.)?test_\w+?…?$|^…_?\w+$")
LIBRARY = re.compile(r"^ZC-\d\d")  # of zenconn_sdk, by their titles
# What else may be named beside tests: settings, programs of tests, samples.
OTHERS = re.compile(r"^TROUPE_\w+(?:=\d+)?$|^\w+_test$|^listen\.\w+$")

# Statements by section, but those that are for clients alone.
MQTT_3 = """
1.5.3: 1-3; 2.2.2: 1-2; 2.3.1: 1 4-7; 3.1.0: 1-2; 3.1.2: 1-22 24;
3.1.3: 1-11; 3.1.4: 1-5; 3.2.0: 1; 3.2.2: 1-6; 3.3.1: 1-12; 3.3.2: 1-3;
3.3.4: 1; 3.3.5: 1-2; 3.6.1: 1; 3.8.1: 1; 3.8.3: 1-4; 3.8.4: 1-6; 3.9.3: 1-2;
3.10.1: 1; 3.10.3: 1-2; 3.10.4: 1-6; 3.12.4: 1; 3.14.1: 1; 3.14.4: 3;
4.1.0: 1-2; 4.3.1: 1; 4.3.2: 1-2; 4.3.3: 1-2; 4.4.0: 1; 4.5.0: 1; 4.6.0: 5-6;
4.7.1: 1-3; 4.7.2: 1; 4.7.3: 1-4; 4.8.0: 1-2; 6.0.0: 1-2 4; 7.0.0: 1-2;
7.1.1: 1"""
MQTT_5 = """
1.5.4: 1-3; 1.5.5: 1; 1.5.7: 1; 2.1.3: 1; 2.2.1: 2-6; 2.2.2: 1; 3.1.0: 1-2;
3.1.2: 1-19 22-30; 3.1.3: 1-12; 3.1.4: 1-6; 3.2.0: 1-2;
3.2.2: 1-3 6-10 12-13 16 19-20 22; 3.3.1: 1-13; 3.3.2: 1-8 11-20;
3.3.4: 1-6 9-10; 3.4.2: 1-3; 3.5.2: 1-3; 3.6.1: 1; 3.6.2: 1-3; 3.7.2: 1-3;
3.8.1: 1; 3.8.3: 1-5; 3.8.4: 1-8; 3.9.2: 1-2; 3.9.3: 1-2; 3.10.1: 1;
3.10.3: 1-2; 3.10.4: 1-6; 3.11.2: 1-2; 3.11.3: 1-2; 3.12.4: 1; 3.14.0: 1;
3.14.1: 1; 3.14.2: 1-4; 3.14.4: 1-3; 3.15.1: 1; 3.15.2: 1-3; 4.1.0: 1-2;
4.2.0: 1; 4.3.1: 1; 4.3.2: 1-5; 4.3.3: 1-13; 4.4.0: 1-2; 4.5.0: 1; 4.6.0: 5-6;
4.7.0: 1; 4.7.1: 1-2; 4.7.2: 1; 4.7.3: 1-4; 4.8.2: 1-6; 4.9.0: 1-3;
4.12.0: 1-7; 4.12.1: 1-2; 4.13.1: 1; 4.13.2: 1; 6.0.0: 1-2 4"""


def statements(text):
    for section in text.replace("\n", " ").split(";"):
        name, _, spans = section.strip().partition(":")
        for span in spans.split():
            first, _, last = span.partition("-")
            for number in range(int(first), int(last or first) + 1):
                yield f"{name}-{number}"


class Tree:
    """What there is in tests/."""

    def __init__(self):
        self.cpp = set()
        for path in TESTS.rglob("*.cpp"):
            self.cpp |= set(CPP_TEST.findall(path.read_text()))
        self.suites = {suite for suite, _ in self.cpp}
        self.python = set()  # of a class, and without
        self.files = {p.stem for p in TESTS.rglob("*.py")}
        self.files |= {p.name for p in TESTS.iterdir() if p.is_dir()}
        for path in TESTS.rglob("*.py"):
            self._read(ast.parse(path.read_text()))
        bad = (TESTS / "net/mqtt/bad_packets.cpp").read_text()
        self.bad = set(BAD_PACKET.findall(bad))
        samples = (TESTS / "net/mqtt/sample_packets.cpp").read_text()
        self.samples = set(re.findall(r'add\("(\w+)"', samples))
        self.titles = "".join(
            p.read_text() for p in (TESTS / "conformance/js").glob("*.mjs")
        )

    def _read(self, module):
        for item in module.body:
            if not isinstance(item, ast.ClassDef):
                continue
            for member in item.body:
                name = getattr(member, "name", "")
                if name.startswith("test_"):
                    self.python |= {name, f"{item.name}.{name}"}

    def has_cpp(self, name):
        suite, _, test = name.partition(".")
        if test == "*":
            return suite in self.suites
        return (suite, test) in self.cpp

    def has_python(self, name):
        if name.endswith("…"):
            return any(x.startswith(name[:-1]) for x in self.python)
        if name.startswith("…"):
            return any(x.endswith(name[1:]) for x in self.python)
        return name in self.python

    def has(self, name):
        """None: this need not be there."""
        if CPP.match(name):
            return self.has_cpp(name)
        if PYTHON.match(name):
            return self.has_python(name)
        if LIBRARY.match(name):
            return all(
                part.strip(" …") in self.titles for part in name.split(",")
            )
        if "/" in name:
            path = ROOT / name
            return path.exists() or path.with_suffix(".py").exists()
        if name in self.files | self.samples:
            return True
        return None if OTHERS.match(name) else False


def rows(document):
    """The cells of every row of its tables, their headings left out."""
    lines = document.read_text().splitlines()
    for number, line in enumerate(lines):
        if line.startswith("|") and not set(line) <= set("|- "):
            if number + 1 < len(lines) and set(lines[number + 1]) <= set("|- "):
                continue
            yield [cell.strip() for cell in line.strip("|").split("|")]


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tree = Tree()

    def missing(self, cell):
        """Names of tests in a cell that there are not, and how many there
        are."""
        found, gone = 0, []
        # "bad: `x`, `y`; …" names rows of bad_packets.cpp.
        for part in cell.split(";"):
            is_bad = part.strip().startswith("bad:")
            for name in re.findall(r"`([^`]+)`", part):
                there = self.tree.has(name)
                if is_bad and not there:
                    there = name in self.tree.bad
                if there:
                    found += 1
                elif there is False:
                    gone.append(name)
        return found, gone

    def test_every_test_that_is_named_is_there(self):
        for document in sorted(DOCUMENTS.glob("*.md")):
            named = 0
            with self.subTest(document=document.name):
                for cells in rows(document):
                    for cell in cells[2:]:
                        found, gone = self.missing(cell)
                        named += found
                        self.assertEqual(gone, [], cells[0])
            self.assertGreater(named, 20, document.name)

    def test_every_statement_of_mqtt_has_a_row(self):
        text = (DOCUMENTS / "mqtt.md").read_text()
        parts = re.split(r"^## ", text, flags=re.MULTILINE)
        for title, wanted in (("MQTT 3.1.1", MQTT_3), ("MQTT 5", MQTT_5)):
            part = next(p for p in parts if p.startswith(title + "\n"))
            listed = re.findall(r"^\| (\d[\d.-]*-\d+) \|", part, re.MULTILINE)
            # One is spelled so in the specification.
            listed = [x.replace("3-8.3-4", "3.8.3-4") for x in listed]
            with self.subTest(title):
                self.assertEqual(len(listed), len(set(listed)), "twice")
                self.assertEqual(
                    sorted(listed), sorted(statements(wanted))
                )

    def test_every_row_of_mqtt_says_how_it_is_shown(self):
        for cells in rows(DOCUMENTS / "mqtt.md"):
            found, _ = self.missing(cells[2])
            words = (
                *("*random*", "TCP, TLS", "all are served", "a single copy"),
                "it connects to none",
            )
            shown = found or any(word in cells[2] for word in words)
            self.assertTrue(shown, cells)


if __name__ == "__main__":
    unittest.main()
