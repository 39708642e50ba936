"""Python loads this by itself in every process that has this folder on its PYTHONPATH, the collector's children too.

It adds up the processor time of the collector's steps and writes them to BENCH_PARTS/<process id>.json, with what the
process had used when the first of them `began`. A step's name
or place that has changed ends the process with the error, so that no share is quietly wrong.
"""

import functools
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

STEPS = {
    "commit": ("collectors.spool:Spool.append",),
    "decode": ("collectors.ingest:Ingest.judge",),
    "claim": ("collectors.index:EventIndex.claim",),
    "write": ("pipeline.store.influx:InfluxStore.write", "pipeline.store.influx:InfluxStore.touch"),
    "mark": ("collectors.spool:Spool.pending", "collectors.spool:Spool.mark"),
}
RENEW_S = 0.1


def _measure(folder: Path) -> None:
    spent: dict[str, float] = {}
    for part, places in STEPS.items():
        for place in places:
            module, _, path = place.partition(":")
            kind, _, method = path.partition(".")
            owner = getattr(import_module(module), kind)
            setattr(owner, method, _timed(getattr(owner, method), part, spent))
    threading.Thread(target=_report, args=(folder / f"{os.getpid()}.json", spent), daemon=True).start()


def _timed(act: Callable[..., Any], part: str, spent: dict[str, float]) -> Callable[..., Any]:
    """Each part is added up by the one thread that does it, so that no lock is needed."""

    @functools.wraps(act)
    def timed(*words: Any, **named: Any) -> Any:
        if not spent:
            spent.update({"began": time.process_time(), **dict.fromkeys(STEPS, 0.0)})
        began = time.thread_time()
        try:
            return act(*words, **named)
        finally:
            spent[part] += time.thread_time() - began

    return timed


def _report(path: Path, spent: dict[str, float]) -> None:
    while True:
        new = path.with_suffix(".new")
        new.write_text(json.dumps(spent))
        new.replace(path)
        time.sleep(RENEW_S)


# Python's own helper process takes no step, and importing all this would be its only work.
if (folder := os.environ.get("BENCH_PARTS")) and not any("resource_tracker" in word for word in sys.orig_argv):
    try:
        _measure(Path(folder))
    except Exception as error:  # Python would print it and go on without measuring
        raise SystemExit(f"a step of the collector cannot be measured: {error}") from error
