# SPDX-License-Identifier: Apache-2.0
"""What monitoring/ promises: Prometheus reads every node by the settings that
come with Troupe, and each expression of the dashboard then shows something.

The second is skipped without Debian's prometheus, which no script installs: the
package starts a service on the port of a node's admin listener. The first
compares names only.
"""

import json
import re
import shutil
import socket
import subprocess
import tempfile
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

from tests.integration.cluster_harness import Cluster, until

MONITORING = Path(__file__).resolve().parents[2] / "monitoring"
TOKEN = "a token for the monitoring test"


def expressions():
    """Title of a panel and what it shows."""
    board = json.loads(
        (MONITORING / "grafana/dashboards/troupe.json").read_text()
    )
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


class NamesTest(unittest.TestCase):
    def test_every_name_in_the_dashboard_is_a_metric_of_a_node(self):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        text = cluster.found().get("/metrics").text
        known = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
        known |= {f"{name}_bucket" for name in known}
        used = set()
        for _, expression in expressions():
            used |= set(re.findall(r"\b(?:troupe|process)_\w+", expression))
        self.assertEqual(set(), used - known)
        self.assertGreater(len(used), 20)


@unittest.skipUnless(shutil.which("prometheus"), "prometheus is not installed")
class PrometheusTest(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="troupe-prometheus-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        (self.root / "token").write_text(TOKEN)
        self.cluster = Cluster()
        self.addCleanup(self.cluster.remove)

    def config(self, nodes):
        """The file that comes with Troupe, but for where nodes and token are
        found."""
        text = (MONITORING / "prometheus.yml").read_text()
        found, count = re.subn(
            r"(?ms)^ {4}dns_sd_configs:\n.*\Z",
            "    static_configs:\n"
            + "".join(
                f"      - targets: ['127.0.0.1:{node.address('admin')[1]}']\n"
                f"        labels: {{node: '{name}'}}\n"
                for name, node in nodes.items()
            ),
            text,
        )
        self.assertEqual(1, count)
        found = found.replace("/run/secrets/admin-token", f"{self.root}/token")
        self.assertIn(str(self.root), found)
        path = self.root / "prometheus.yml"
        path.write_text(found.replace("5s", "1s"))
        subprocess.run(
            ["promtool", "check", "config", path],
            check=True,
            capture_output=True,
        )
        return path

    def prometheus(self, config):
        with socket.create_server(("127.0.0.1", 0)) as free:
            at = f"127.0.0.1:{free.getsockname()[1]}"
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={self.root}/tsdb",
                f"--web.listen-address={at}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(process.wait, 30)
        self.addCleanup(process.kill)
        return f"http://{at}"

    def test_every_panel_of_the_dashboard_shows_something(self):
        settings = {"admin__token": TOKEN}
        first = self.cluster.node("n1", **settings).start()
        for name in ("n2", "n3"):
            self.cluster.node(name, join=[first], **settings).start()
        at = self.prometheus(self.config(self.cluster.nodes))

        def ask(expression):
            asked = urllib.parse.urlencode({"query": expression})
            answer = urllib.request.urlopen(f"{at}/api/v1/query?{asked}")
            with answer:
                return json.load(answer)["data"]["result"]

        def three_links_each():
            links = ask("sum by (node) (troupe_link_up)")
            return [row["value"][1] for row in links] == ["2"] * 3

        until(three_links_each, "the nodes and their links are not seen")
        for title, expression in expressions():
            expression = expression.replace("$__rate_interval", "10s")
            with self.subTest(panel=title, expression=expression):
                until(lambda e=expression: ask(e), f"{title}: nothing", 60)


if __name__ == "__main__":
    unittest.main()
