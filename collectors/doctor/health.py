"""What a collector that runs here says of itself, on its health port."""

import json
import urllib.error
import urllib.request
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from collectors.doctor.finding import Finding

_TIMEOUT_S = 3


class Word(NamedTuple):
    """The collector's answer: its metrics, and Finding of its readiness."""

    metrics: dict[str, float]
    finding: Finding


def ask(port: int, running: bool) -> Word | None:
    """None where nothing can be asked: no port is set, or no collector runs here."""
    if not port or not running:
        return None
    try:
        metrics = _metrics(port)
        status, sentence = _ready(port)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Word({}, Finding(
            "problem", "collector", f"it does not answer on port {port} ({error})",
            "see its log; start it again if it hangs: nothing that was acknowledged is lost",
        ))  # fmt: skip
    if status == "ok":
        return Word(metrics, Finding("ok", "collector", "it runs and is ready"))
    remedy = "do what this sentence says" if sentence else "see its log"
    return Word(metrics, Finding(
        "warn" if status == "degraded" else "problem", "collector",
        f"it says that it is {status}" + (f": {sentence}" if sentence else ""), remedy,
    ))  # fmt: skip


def absent(port: int, running: bool) -> Finding:
    """What to say where nothing could be asked."""
    if not running:
        return Finding(
            "warn", "collector", "none runs on this spool",
            "start it with `periscope collect`; the broker keeps messages meanwhile, up to its limits",
        )  # fmt: skip
    return Finding(
        "unknown",
        "collector",
        "it runs, but has no health port to ask",
        "set PERISCOPE_HEALTH_PORT for the collector and for doctor alike",
    )


def _metrics(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=_TIMEOUT_S) as answer:
        text = answer.read().decode()
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.labels
    }


def _ready(port: int) -> tuple[str, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=_TIMEOUT_S) as answer:
            told = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        told = json.loads(error.read())
    return str(told["status"]), str(told["sentence"])
