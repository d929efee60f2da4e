"""Debian's Firefox, asked over WebDriver BiDi: what a page says, asks for and complains of."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PROGRAM = shutil.which("firefox-esr") or shutil.which("firefox")
EVENTS = ["log.entryAdded", "network.beforeRequestSent"]


class Tab:
    """One page: what it `asked` for, and its `complaints`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._count = 0
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self._ask("session.new", {"capabilities": {}})
        self._ask("session.subscribe", {"events": EVENTS})
        (first,) = self._ask("browsingContext.getTree", {})["contexts"]
        self._context = first["context"]

    def _ask(self, method: str, parameters: dict[str, Any]) -> Any:
        self._count += 1
        asked = {"id": self._count, "method": method, "params": parameters}
        self._socket.send(json.dumps(asked))
        while True:
            reply = json.loads(self._socket.recv(timeout=60))
            if reply["type"] == "event":
                self._hear(reply)
            elif reply["id"] == self._count:
                assert reply["type"] == "success", reply
                return reply["result"]

    def _hear(self, event: dict[str, Any]) -> None:
        told = event["params"]
        if event["method"] == "network.beforeRequestSent":
            self.asked.append(told["request"]["url"])
        elif told["level"] in ("error", "warn"):
            self.complaints.append(str(told["text"]))

    def open(self, address: str) -> None:
        """Go to an address, and wait until it is there."""
        where = {"context": self._context, "url": address, "wait": "complete"}
        self._ask("browsingContext.navigate", where)

    def evaluate(self, script: str) -> Any:
        """Return what a script finds, as JSON says it."""
        found = self._ask(
            "script.evaluate",
            {
                "expression": f"JSON.stringify({script})",
                "target": {"context": self._context},
                "awaitPromise": True,
            },
        )
        assert found["type"] == "success", found
        # What is undefined has no JSON.
        return json.loads(found["result"].get("value", "null"))

    def until(self, script: str, seconds: float = 30) -> None:
        """Wait until a script finds something true."""
        end = time.monotonic() + seconds
        while not self.evaluate(f"Boolean({script})"):
            assert time.monotonic() < end, f"never: {script}"
            time.sleep(0.05)


@contextmanager
def firefox() -> Iterator[Tab]:
    """Start Firefox without a screen, and yield its one page."""
    assert PROGRAM
    with tempfile.TemporaryDirectory() as scratch:
        profile = Path(scratch) / "profile"
        profile.mkdir()
        # Nothing of its own: no telemetry, no settings from elsewhere.
        (profile / "user.js").write_text(
            'user_pref("remote.prefs.recommended", true);\n'
            'user_pref("datareporting.policy.dataSubmissionEnabled", false);\n'
        )
        command = [PROGRAM, "--headless", "--no-remote", "--profile", str(profile)]
        said = Path(scratch) / "said"
        with said.open("w") as errors:
            process = subprocess.Popen(
                [*command, "--remote-debugging-port", "0", "about:blank"],
                stderr=errors,
                stdout=subprocess.DEVNULL,
                env={"HOME": scratch, "PATH": "/usr/bin:/bin"},
            )
        try:
            end = time.monotonic() + 30
            while not (found := re.search(r"BiDi listening on (ws://\S+)", said.read_text())):
                assert time.monotonic() < end, said.read_text()
                time.sleep(0.05)
            address = found[1]
            with connect(f"{address}/session", max_size=None) as socket:
                yield Tab(socket)
        finally:
            process.terminate()
            process.wait(20)
