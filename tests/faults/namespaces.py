# SPDX-License-Identifier: Apache-2.0
"""Hosts of a test: network namespaces on a bridge that only the test has.

The calling thread moves to a namespace of its own, and with it every thread and
process that it starts from then on; the hosts hang on a bridge there. Nothing
of it can be reached from, or reaches, anything else. Needs root.
"""

import ctypes
import os
import shutil
import subprocess
import unittest

CLONE_NEWNET = 0x40000000
NETWORK = "10.77.0"
HUB = 254


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


class Host:
    def __init__(self, number):
        self.number = number
        self.name = f"troupe-{os.getpid()}-{number}"
        self.address = f"{NETWORK}.{number}"
        self.prefix = ("ip", "netns", "exec", self.name)
        self._cable = f"host{number}"
        run("ip", "netns", "add", self.name)
        run(
            *("ip", "link", "add", self._cable, "type", "veth"),
            *("peer", "name", "eth0", "netns", self.name),
        )
        run("ip", "link", "set", self._cable, "master", "hub", "up")
        self._inside("ip", "link", "set", "lo", "up")
        self._inside("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        self._inside("ip", "link", "set", "eth0", "up")

    def pull(self):
        """Pulls the cable: nothing comes or goes."""
        run("ip", "link", "set", self._cable, "down")

    def deafen(self):
        """What other hosts send is lost; what this one sends arrives, and the
        hub is heard."""
        self._firewall("-A", "INPUT", "-s")

    def mute(self):
        """What this host sends to other hosts is lost."""
        self._firewall("-A", "OUTPUT", "-d")

    def lose(self, other):
        """Nothing passes between this host and the other one."""
        self._inside("iptables", "-A", "INPUT", "-s", other.address, "-j", "DROP")
        self._inside("iptables", "-A", "OUTPUT", "-d", other.address, "-j", "DROP")

    def mend(self):
        run("ip", "link", "set", self._cable, "up")
        if self.has_firewall():
            self._inside("iptables", "-F")

    def has_firewall(self):
        """deafen() and mute() work."""
        return (
            subprocess.run(
                (*self.prefix, "iptables", "-nL"),
                capture_output=True,
                check=False,
            ).returncode
            == 0
        )

    def remove(self):
        # The namespace goes when its last process has; its address and the name
        # of its cable are wanted by the next host at once.
        subprocess.run(("ip", "link", "del", self._cable), check=False)
        subprocess.run(("ip", "netns", "del", self.name), check=False)

    def _firewall(self, what, chain, side):
        hub = f"{NETWORK}.{HUB}"
        self._inside("iptables", what, chain, side, hub, "-j", "ACCEPT")
        self._inside(
            "iptables", what, chain, side, f"{NETWORK}.0/24", "-j", "DROP"
        )

    def _inside(self, *command):
        run(*self.prefix, *command)


def move_to_own_network():
    """Once a process, from the main thread. Skips the test where it can't be.
    """
    if shutil.which("ip") is None:
        raise unittest.SkipTest("no command ip")
    if os.geteuid() != 0:
        raise unittest.SkipTest("network namespaces need root")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise unittest.SkipTest(os.strerror(ctypes.get_errno()))
    try:
        run("ip", "link", "add", "hub", "type", "bridge")
        run("ip", "address", "add", f"{NETWORK}.{HUB}/24", "dev", "hub")
        run("ip", "link", "set", "hub", "up")
        run("ip", "link", "set", "lo", "up")
        probe = Host(HUB - 1)
        probe.mend()
        probe.remove()
    except subprocess.CalledProcessError as e:
        raise unittest.SkipTest(f"no hosts to be had: {e}") from e
