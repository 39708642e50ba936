"""A broker for the demo: Mosquitto where it is installed, else amqtt from the `demo` extra.

Promises: it listens on loopback only, on a port that nothing else uses, and keeps its state in the folder it was given.
Mosquitto saves after every change and has explicit queue limits. amqtt speaks MQTT 3.1.1 only and does not redeliver
what was not acknowledged; whoever starts it says so.
"""

import importlib.util
import os
import shutil
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from collectors.message import CollectorError

HOST = "127.0.0.1"
# Debian keeps it where an ordinary user's PATH does not look.
_ELSEWHERE = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"

_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_on_changes true
autosave_interval 1
# A full queue drops messages although their publishers got an acknowledgement, so the limits are explicit and large.
max_queued_messages 1000000
max_queued_bytes 1073741824
max_inflight_messages 500
message_size_limit 65536
log_dest stderr
log_type error
log_type warning
connection_messages false
{user}
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


class NoBroker(CollectorError):
    """Neither broker is installed."""


@dataclass(frozen=True)
class Broker:
    """How to start the broker, where it listens, and what a user has to know about it."""

    name: str
    command: list[str]
    port: int
    protocol: Literal["5", "3.1.1"]
    sentence: str


def mosquitto() -> str | None:
    """Path of the installed Mosquitto, if any."""
    return shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), _ELSEWHERE]))


def free_port() -> int:
    """A loopback port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether something accepts connections on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def prepare(folder: Path, wanted: str | None = None) -> Broker:
    """Write the configuration of a broker into `folder`; `wanted` names one, None takes the best that is installed."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    program = None if wanted == "amqtt" else mosquitto()
    if program is None and wanted == "mosquitto":
        raise NoBroker("Mosquitto is not installed; install it (Debian and Ubuntu: apt install mosquitto).")
    if program is not None:
        config = folder / "mosquitto.conf"
        # Started by root, Mosquitto would give up its rights and could not write into our folder.
        user = "user root" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
        config.write_text(_MOSQUITTO.format(port=port, folder=folder.resolve(), user=user))
        return Broker("mosquitto", [program, "-c", str(config)], port, "5", f"Broker: Mosquitto ({program}).")
    if importlib.util.find_spec("amqtt") is None:
        raise NoBroker(
            "There is no broker: install Mosquitto (Debian and Ubuntu: apt install mosquitto), "
            "or the extra that brings amqtt (pip install periscope[demo])."
        )
    config = folder / "amqtt.yaml"
    config.write_text(_AMQTT.format(port=port))
    return Broker(
        "amqtt", [sys.executable, "-m", "amqtt.scripts.broker_script", "-c", str(config)], port, "3.1.1",
        "Broker: amqtt, without redelivery guarantee; install Mosquitto for one that keeps what was not acknowledged.",
    )  # fmt: skip
