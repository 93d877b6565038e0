"""The demo's MQTT broker: mosquitto where it is installed, else amqtt in a process of its own."""

import shutil
import sys
from pathlib import Path

from menshen.demo.processes import Child, free_port, wait_for_port

_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_packet_size 262144
set_tcp_nodelay true
log_type error
log_type warning
"""
_AMQTT = """\
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:{port}
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
"""


def find_mosquitto() -> str | None:
    """mosquitto's path; Debian puts it into /usr/sbin, which is not on everybody's PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def start_broker(folder: Path) -> tuple[Child, str, int]:
    """Start a broker on a free loopback port. Returns it with host and port. Raises DemoError."""
    port = free_port()
    mosquitto = find_mosquitto()
    if mosquitto:
        config = folder / "mosquitto.conf"
        config.write_text(_MOSQUITTO.format(port=port))
        command = [mosquitto, "-c", str(config.resolve())]
    else:
        config = folder / "amqtt.yaml"
        config.write_text(_AMQTT.format(port=port))
        command = [str(Path(sys.executable).parent / "amqtt"), "-c", str(config.resolve())]
    name = "mosquitto" if mosquitto else "amqtt"
    child = Child(name, command, folder / "broker.log")
    wait_for_port(child, "127.0.0.1", port)
    return child, "127.0.0.1", port
