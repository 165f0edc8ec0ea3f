"""A headless Chromium, spoken to over a pipe in its own protocol: nothing beside the browser need be installed."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"),
    *("--autoplay-policy=no-user-gesture-required", "--mute-audio", "--no-first-run", "about:blank"),
)


def find_browser() -> str | None:
    """The program named by the variable CHROMIUM, or the first of ``NAMES`` that is there."""
    names = [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else NAMES
    return next((path for name in names if (path := shutil.which(name))), None)


class Browser:
    """One page of a browser; use it in a ``with`` block.

    Args:
        program: path of Chromium.
        profile: empty folder for what it keeps.
        timeout_s: longest wait for an answer.

    Attributes:
        events: all that the page told, as the protocol's objects.
    """

    def __init__(self, program: str, profile: Path, timeout_s: float = 60.0):
        self.events: list[dict[str, Any]] = []
        self._timeout_s, self._rest, self._number, self._session = timeout_s, b"", 0, None
        child_in, self._out = os.pipe()
        self._in, child_out = os.pipe()
        # The browser reads from descriptor 3 and writes to 4; a shell puts them there.
        script = f'exec "$0" "$@" 3<&{child_in} 4>&{child_out}'
        self._process = subprocess.Popen(
            ["bash", "-c", script, program, f"--user-data-dir={profile}", *_OPTIONS],
            pass_fds=(child_in, child_out),
            stderr=subprocess.DEVNULL,
        )
        os.close(child_in)
        os.close(child_out)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        message |= {"sessionId": self._session} if self._session else {}
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer.get('error')}"
                return answer["result"]

    def open(self, url: str) -> None:
        """Open a page and wait until all of it has loaded."""
        before = len(self.events)
        self.call("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events[before:]):
            self._receive()

    def evaluate(self, script: str) -> Any:
        """Value of a JavaScript expression; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def requests(self) -> list[str]:
        """What was asked for beyond the file itself and what stands in it."""
        sent = [event["params"]["request"]["url"] for event in self._named("Network.requestWillBeSent")]
        return [url[:200] for url in sent if not url.startswith(("data:", "file:", "about:", "blob:"))]

    def complaints(self) -> list[str]:
        """Errors and warnings of the console."""
        found = [str(event["params"]["exceptionDetails"]["text"]) for event in self._named("Runtime.exceptionThrown")]
        found += [
            str(event["params"]["args"])
            for event in self._named("Runtime.consoleAPICalled")
            if event["params"]["type"] in ("error", "warning", "assert")
        ]
        entries = [event["params"]["entry"] for event in self._named("Log.entryAdded")]
        return found + [entry["text"] for entry in entries if entry["level"] in ("error", "warning")]

    def _named(self, method: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["method"] == method]

    def _receive(self) -> dict[str, Any]:
        deadline = time.monotonic() + self._timeout_s
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(deadline - time.monotonic(), 0))
            data = os.read(self._in, 1 << 20) if ready else b""
            assert data, f"the browser is gone or silent for {self._timeout_s:g} s (status {self._process.poll()})"
            self._rest += data
        message, self._rest = self._rest.split(b"\0", 1)
        answer = json.loads(message)
        if "method" in answer:
            self.events.append(answer)
        return answer
