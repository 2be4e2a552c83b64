"""A real Krog under test: the ingest process as `krog run ingest` starts it, in a folder of its own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Krog:
    """`start()` and `kill()` as often as wanted; the folder stays."""

    def __init__(self, folder: Path, **settings: str):
        self.folder = folder
        self.port, self.mqtt_port = free_port(), free_port()
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("KROG_")}
        self.env |= {
            "KROG_VAR": str(folder), "KROG_PORT": str(self.port), "KROG_MQTT_PORT": str(self.mqtt_port),
            "KROG_URL": f"http://127.0.0.1:{self.port}", "KROG_DEMO": "true", "KROG_MAIL_PORT": "0", **settings,
        }  # fmt: skip
        found = subprocess.run(
            [sys.executable, "-m", "tests.service.public_setup"], cwd=ROOT, env=self.env, capture_output=True, text=True
        )
        assert found.returncode == 0, found.stderr
        self.keys: dict[str, tuple[str, str]] = json.loads(found.stdout)
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "ingest.log"

    def start(self) -> Krog:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "krog.cli.main", "run", "ingest"], cwd=ROOT, env=self.env, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + 30
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if self.get("/metrics")[0] == 200:
                    return self
            except OSError:
                time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def kill(self) -> None:
        """As `kill -9` of every process of it would, at once."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def kill_supervisor(self) -> None:
        """`kill -9` of the process that was started only; what it started must not live on."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """Asks it to end, as Ctrl-C does; gives its code."""
        if self.process is None or self.process.poll() is not None:
            return -1
        self.process.terminate()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("it did not end") from None

    def bearer(self, key: str = "own") -> dict[str, str]:
        return {"Authorization": "Bearer " + ".".join(self.keys[key])}

    def connection(self, timeout: float = 20) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes, dict[str, str]]:
        return self.ask("GET", path, None, headers)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        connection = self.connection()
        try:
            connection.request(method, path, body, headers or {})
            found = connection.getresponse()
            return found.status, found.read(), {name.lower(): value for name, value in found.getheaders()}
        finally:
            connection.close()

    def send(self, body: Any, key: str | None = "own") -> tuple[int, Any]:
        """POSTs observations; bytes as they are, all else as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(self.bearer(key) if key else {})}
        status, answer, _ = self.ask("POST", "/api/v1/observations", data, headers)
        return status, json.loads(answer)

    def metrics(self) -> dict[str, float]:
        lines = self.get("/metrics")[1].decode().splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}
