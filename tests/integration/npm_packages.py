# SPDX-License-Identifier: Apache-2.0
"""Folders of JavaScript with their packages of npm, for tests."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

OFFLINE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH")


def installed(sources, name, clean_up, without=()):
    """A copy of `sources` with the packages of its lock file: kept between
    runs by ctest (TROUPE_TEST_JS_DIR), under a name of its own because two may
    run at a time; else removed by `clean_up`, an addCleanup. Skips the test
    where no registry can be reached."""
    kept = os.environ.get("TROUPE_TEST_JS_DIR")
    folder = Path(kept or tempfile.mkdtemp(prefix="troupe-js-")) / name
    if kept is None:
        clean_up(shutil.rmtree, folder.parent, True)
    shutil.copytree(
        sources,
        folder,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("node_modules", *without),
    )
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--fetch-retries=1"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        if any(word in done.stderr for word in OFFLINE):
            raise unittest.SkipTest("the npm registry can't be reached")
        raise AssertionError(done.stderr)
    return folder
