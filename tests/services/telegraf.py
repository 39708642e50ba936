"""Telegraf, which benchmarks compare with; no test needs it."""

import os
import shutil
import subprocess
from pathlib import Path

VERSION = "1.37.2"  # as built by bench.sh
REMEDY = "not installed; `make services-bench` installs it"


def program() -> str | None:
    """Path of telegraf: on PATH, else where bench.sh built it; None when there is none."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    built = cache / f"periscope/telegraf-{VERSION}/telegraf"
    return shutil.which("telegraf") or (str(built) if os.access(built, os.X_OK) else None)


def version(path: str) -> str:
    """As it names itself: "Telegraf 1.37.2 ..."."""
    done = subprocess.run([path, "version"], capture_output=True, text=True, timeout=30, check=False)
    return done.stdout.strip() or f"Telegraf of unknown version at {path}"
