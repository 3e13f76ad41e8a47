# SPDX-License-Identifier: Apache-2.0
"""What scripts/run-tests makes of tests that pass, fail, hang and skip."""

import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LISTS = """cmake_minimum_required(VERSION 3.25)
project(tests_of_tests NONE)
enable_testing()
add_test(NAME unit.good COMMAND true)
add_test(NAME unit.skipped COMMAND echo skip me)
set_tests_properties(unit.skipped PROPERTIES SKIP_REGULAR_EXPRESSION "skip me")
"""
PRESETS = """{"version": 6,
"configurePresets": [{"name": "dev", "generator": "Ninja",
                      "binaryDir": "${sourceDir}/build/dev"}],
"testPresets": [{"name": "dev", "configurePreset": "dev"}]}
"""
# Fails at the first time only.
ONCE = "test -e {0} || {{ touch {0}; seq 100; exit 1; }}"


class RunTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.lists = LISTS
        (self.folder / "CMakePresets.json").write_text(PRESETS)

    def add(self, name, shell, properties="LABELS outside"):
        shell = shell.replace('"', '\\"')
        self.lists += f'add_test(NAME {name} COMMAND sh -c "{shell}")\n'
        if properties:
            self.lists += f"set_tests_properties({name} PROPERTIES {properties})\n"

    def run_tests(self, *options):
        (self.folder / "CMakeLists.txt").write_text(self.lists)
        subprocess.run(
            ["cmake", "--preset", "dev"],
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        done = subprocess.run(
            [ROOT / "scripts/run-tests", "dev", *options],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        lines = [line for line in done.stdout.splitlines() if line]
        return done.returncode, lines

    def once(self, name):
        return ONCE.format(self.folder / name)

    def test_all_good(self):
        code, lines = self.run_tests()
        self.assertEqual(lines[-1], "1 tests passed, 0 failed, 1 skipped")
        self.assertEqual(code, 0)

    def test_no_test_is_a_failure(self):
        code, lines = self.run_tests("--tests-regex", "nothing")
        self.assertIn("0 tests passed, 0 failed", lines[-1])
        self.assertEqual(code, 1)

    def test_a_failure_is_shown_at_the_end(self):
        self.add("integration.bad", "seq 100; exit 1")
        code, lines = self.run_tests()
        self.assertEqual(
            lines[-3:],
            ["100", "failed: integration.bad"]
            + ["1 tests passed, 1 failed, 1 skipped"],
        )
        self.assertIn("--- failed: integration.bad", lines)
        self.assertIn("(40 lines left out)", lines)
        self.assertEqual(code, 1)

    def test_unsteady_counts_as_passed_and_is_named(self):
        self.add("integration.once", self.once("once"))
        code, lines = self.run_tests()
        self.assertIn("--- unsteady: integration.once", lines)
        self.assertIn("unsteady: integration.once: failed among others, passed "
                      "by itself", lines)
        self.assertEqual(lines[-1], "2 tests passed, 0 failed, 1 skipped")
        self.assertEqual(code, 0)

    def test_a_hanging_test_is_a_failed_one(self):
        self.add(
            "integration.hangs", "sleep 30", "LABELS outside TIMEOUT 1"
        )
        code, lines = self.run_tests()
        self.assertEqual(lines[-1], "1 tests passed, 1 failed, 1 skipped")
        self.assertEqual(code, 1)

    def test_no_second_chance_for_single_functions(self):
        self.add("unit.once", self.once("once"), "")
        code, lines = self.run_tests()
        self.assertEqual(lines[-1], "1 tests passed, 1 failed, 1 skipped")
        self.assertEqual(code, 1)

    def test_all_three_must_pass(self):
        second = self.folder / "second"
        self.add(
            "integration.thrice",
            f"echo x >> {second}; test $(wc -l < {second}) -eq 2",
        )
        code, lines = self.run_tests()
        self.assertEqual(lines[-2], "failed: integration.thrice")
        self.assertEqual(code, 1)

    def test_not_for_many(self):
        for each in "abcd":
            self.add(f"integration.{each}", self.once(each))
        code, lines = self.run_tests()
        self.assertEqual(lines[-1], "1 tests passed, 4 failed, 1 skipped")
        self.assertEqual(code, 1)


if __name__ == "__main__":
    unittest.main()
