"""Small files that are whole or not there, whatever ends the process."""

import os
from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """Put `content` in the place of a file at once, on disk: a kill leaves the old or the new one."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
