"""The whole system on one machine: broker, collector, pipeline, dashboard and simulator as child processes.

Promises: it starts from an empty state unless told to keep it, tells where to look and how to publish, and leaves no
process and no port behind, whether it ends by Ctrl-C, SIGTERM or the loss of a part.
"""

import fcntl
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Signal

from collectors.broker import HOST, Broker, free_port, listens, prepare
from collectors.children import Children
from collectors.message import CollectorError

_MARK = ".periscope-demo"
_EVENT = (
    '{"specversion":"1.0","id":"by-hand-1","source":"/pilots/malmo/app","type":"action.performed",'
    '"time":"NOW","data":{"core":true,"consent":"none","synthetic":true}}'
)


class DemoRefused(CollectorError):
    """The demo cannot start here; the sentence says why and what to do."""


def run_demo(
    state: Path, catalogue: Path, port: int, stop: Signal, tell: Callable[[str], None], keep: bool = False,
    seed: int = 1, wanted: str | None = None,
) -> None:  # fmt: skip
    """Run until `stop` is set; raises CollectorError with a sentence. `port` is the dashboard's, 0 takes a free one."""
    web = port or free_port()
    _port_is_free(web)
    with _own(state / "demo", keep) as folder:
        broker = prepare(folder / "broker", wanted)
        env = _environment(folder, catalogue, broker, web)
        with Children(folder / "logs", env, stop) as children:
            children.start("broker", broker.command, lambda: listens(broker.port))
            for verb in ("collect", "pipeline"):
                children.start(verb, _verb(verb), lambda: True)
            children.start("dashboard", _verb("dashboard"), lambda: listens(web))
            children.start("simulate", _verb("simulate", "--direct", "--seed", str(seed)), lambda: True)
            if not stop.is_set():
                for line in _greeting(broker, web, folder):
                    tell(line)
                children.watch()
            tell("Stopping.")


def _verb(*words: str) -> list[str]:
    return [sys.executable, "-m", "periscope", *words]


def _environment(folder: Path, catalogue: Path, broker: Broker, web: int) -> dict[str, str]:
    """The children's settings: ours win over every file, and nothing of another broker or of its readers is left."""
    ours = {
        "STATE": str(folder.resolve() / "state"),
        "CATALOGUE": str(catalogue.resolve()),
        "STORE": "sqlite",
        "MQTT__HOST": HOST,
        "MQTT__PORT": str(broker.port),
        "MQTT__PROTOCOL": broker.protocol,
        "DASHBOARD__HOST": HOST,
        "DASHBOARD__PORT": str(web),
    }
    others = ("PERISCOPE_MQTT", "PERISCOPE_OIDC", "PERISCOPE_PROXY", "PERISCOPE_DASHBOARD__PUBLIC_URL")
    kept = {key: value for key, value in os.environ.items() if not key.upper().startswith(others)}
    return kept | {f"PERISCOPE_{key}": value for key, value in ours.items()} | {"PYTHONUNBUFFERED": "1"}


def _port_is_free(port: int) -> None:
    try:
        with socket.socket() as probe:
            # As the server will: a port whose last connections are only closing is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except OSError as error:
        raise DemoRefused(
            f"Port {port} on {HOST} cannot be used ({error.strerror}); stop what listens there, or set "
            f"PERISCOPE_DASHBOARD__PORT to another port, 0 for a free one."
        ) from None


@contextmanager
def _own(folder: Path, keep: bool) -> Iterator[Path]:
    """The demo's folder, emptied unless `keep`, and held so that no second demo uses it."""
    elsewhere = "set PERISCOPE_STATE to another folder."
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not _is_ours(folder):
            raise DemoRefused(f"{folder} holds files that no demo made; remove it or {elsewhere}")
        held = (folder / _MARK).open("a")
    except OSError as error:
        raise DemoRefused(f"{folder} cannot be written ({error.strerror}); {elsewhere}") from None
    with held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoRefused(f"Another demo runs in {folder}; stop it or {elsewhere}") from None
        if not keep:
            for entry in folder.iterdir():
                if entry.name != _MARK:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        yield folder


def _is_ours(folder: Path) -> bool:
    return (folder / _MARK).exists() or not any(folder.iterdir())


def _greeting(broker: Broker, web: int, folder: Path) -> list[str]:
    topic = "pilots/malmo/usage/app"
    event = _EVENT.replace("by-hand-1", "by-hand-'$RANDOM'").replace("NOW", "'$(date -u +%FT%TZ)'")
    if shutil.which("mosquitto_pub"):
        publish = f"mosquitto_pub -h {HOST} -p {broker.port} -q 1 -t {topic} -m '{event}'"
    else:
        publish = (
            f"{sys.executable} -c 'import sys; from paho.mqtt.publish import single; "
            f"single(sys.argv[1], sys.argv[2], qos=1, port={broker.port})' {topic} '{event}'"
        )
    return [
        broker.sentence,
        f"Publish to {HOST}:{broker.port}, for example: {publish}",
        f"Logs are in {folder / 'logs'}. The history arrives newest days first. Ctrl-C stops everything.",
        f"Open http://{HOST}:{web}",
    ]
