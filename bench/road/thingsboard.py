"""thingsboard-gateway in an environment of its own: its backlog through the same broker, counted there.

Its own package (3.8.5, as pip installs it), its own start (`thingsboard-gateway` with TB_GW_CONFIG_DIR), its own SQLite
storage. *Shipped*: the settings of the tb_gateway.json that comes with the package, but for the storage's type (`memory` keeps
no backlog) and what would talk to a ThingsBoard server. *Tuned*: the settings of its documentation that decide how much it
reads and sends at once, raised until more did not help.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

PACKAGE: Final = "thingsboard-gateway==3.8.5"
BACKLOG: Final = Path(__file__).with_name("thingsboard_backlog.py")
TOPIC: Final = "v1/gateway/telemetry"
ASKED: Final = "v1/devices/me/rpc/request/"
ANSWERED: Final = "v1/devices/me/rpc/response/"
LIMITS: Final = json.dumps({"rateLimits": {}, "maxInflightMessages": 100, "maxPayloadSize": 1_000_000})
ENTRY: Final = b'{"visit":{'  # begins one record's values, and nothing else
SHIPPED: Final = {"max_read_records_count": 10}
TUNED: Final = {"max_read_records_count": 2000}
SHIPPED_SENDING: Final = {"maxPayloadSizeBytes": 8196, "minPackSendDelayMS": 50, "minPackSizeToSend": 500}
TUNED_SENDING: Final = {"maxPayloadSizeBytes": 200_000, "minPackSendDelayMS": 1, "minPackSizeToSend": 1}
LIMIT_S: Final = 600.0


def environment(folder: Path) -> Path:
    """Its own environment below `folder`, made once. Returns its Python. Raises CalledProcessError where it cannot be had."""
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        venv.create(folder, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]
        subprocess.run(install, check=True, stdout=sys.stderr)
        (folder / "complete").touch()
    return python


class Counter:
    """A subscriber that counts the records that come through the broker; it tells the gateway, as a ThingsBoard server does,
    that it sets it no limits: else it sends nothing."""

    def __init__(self, port: int) -> None:
        self.records = 0
        self.first_s = self.last_s = 0.0
        self._expected = 0
        self._all = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="counter")
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.subscribe([(TOPIC, 1), (f"{ASKED}+", 1)])
        self._client.loop_start()

    def wait(self, expected: int, gateway: "subprocess.Popen[bytes]") -> None:
        """Until so many have come. Raises RuntimeError when they don't."""
        self._expected = expected
        deadline = time.monotonic() + LIMIT_S
        while not self._all.wait(0.2):
            if gateway.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"thingsboard-gateway brought {self.records} of {expected} records")

    def close(self) -> None:
        """End it."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, client: Client, _data: Any, message: MQTTMessage) -> None:
        now = time.monotonic()
        if message.topic.startswith(ASKED):
            client.publish(ANSWERED + message.topic.removeprefix(ASKED), LIMITS, 1)
            return
        self.first_s = self.first_s or now
        self.records += message.payload.count(ENTRY)
        self.last_s = now
        if self._expected and self.records >= self._expected:
            self._all.set()


def fill(python: Path, folder: Path, bodies: Iterable[bytes]) -> int:
    """A storage with these bodies. Returns how many."""
    folder.mkdir(parents=True)
    command = [str(python), str(BACKLOG), f"{folder}{os.sep}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        for body in bodies:
            process.stdin.write(body + b"\n")
        told, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"thingsboard-gateway's storage could not be filled ({process.returncode})")
    return int(told.split()[-1])


def drain_per_s(python: Path, folder: Path, storage: Path, port: int, records: int, *, tuned: bool) -> float:
    """Records a second from the first to the last that came through the broker."""
    shutil.copytree(storage, folder / "data")
    (folder / "config").mkdir()
    (folder / "logs").mkdir()
    (folder / "config" / "tb_gateway.json").write_text(json.dumps(_settings(folder, port, tuned=tuned)))
    (folder / "config" / "logs.json").write_text(json.dumps({"version": 1, "disable_existing_loggers": False}))
    (folder / "config" / "connected_devices.json").write_text("{}")
    counter = Counter(port)
    env = {**os.environ, "TB_GW_CONFIG_DIR": str(folder / "config")}
    with (folder / "log").open("ab") as log:
        command = [str(python), "-m", "thingsboard_gateway.tb_gateway"]
        gateway = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
    try:
        counter.wait(records, gateway)
        return records / (counter.last_s - counter.first_s)
    finally:
        gateway.kill()
        gateway.wait()
        counter.close()


def _settings(folder: Path, port: int, *, tuned: bool) -> dict[str, Any]:
    return {
        "thingsboard": {
            "host": "127.0.0.1",
            "port": port,
            "remoteShell": False,
            "remoteConfiguration": False,
            "statistics": {"enable": False},
            "security": {"type": "accessToken", "accessToken": "bench"},
            "qos": 1,
            "reportStrategy": {"type": "ON_RECEIVED"},
            **(TUNED_SENDING if tuned else SHIPPED_SENDING),
        },
        "storage": {
            "type": "sqlite",
            "data_file_path": f"{folder / 'data'}{os.sep}",
            "messages_ttl_in_days": 7,
            "size_limit": 8192,
            **(TUNED if tuned else SHIPPED),
        },
        "connectors": [],
    }
