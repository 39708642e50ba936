"""How far each file was imported, on disk, and whether a file is one of those.

Promises: `save` returns when the record is on disk; a file is recognised by what was read of it, under its own name
when it has grown since, under another name when its size is the same; a file that was changed before the place that
was reached is never gone on with.
"""

import secrets
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from collectors import durable
from collectors.import_mapping import ImportMapping, WrongInput
from collectors.import_rows import Mark, Rows
from collectors.import_source import STDIN


class Progress(msgspec.Struct, kw_only=True):
    """What is known about one import. `file` is what ids call it; `rows` were dealt with, `sent` are safe.

    `listed` and `kept` are the bytes of the list of rejected rows and of the rows themselves, which are in `kept_in`;
    `at`, `lines` and `digest` say where reading stopped; `head` and `size` help to find the file again; `ledger` is
    what the collector had counted of the feed at `began_ns`.
    """

    key: str
    file: str
    path: str
    pilot: str
    began_ns: int
    size: int | None = None
    head: str = ""
    head_size: int = 0
    rows: int = 0
    lines: int = 0
    at: int = 0
    digest: str = ""
    sent: int = 0
    rejected: dict[str, int] = {}
    listed: int = 0
    kept: int = 0
    kept_in: str = ""
    done: bool = False
    ledger: dict[str, int] | None = None

    @property
    def mark(self) -> Mark:
        return Mark(self.rows, self.lines, self.at, self.digest)

    def move(self, mark: Mark) -> None:
        self.rows, self.lines, self.at, self.digest = mark


class Opened(msgspec.Struct):
    """A file ready to be read on: its rows, its record and where that is kept; `note` tells what is unusual."""

    rows: Rows
    progress: Progress
    record: Path
    note: str = ""


class Checkpoints:
    """The records of one mapping, pilot and topic in a folder."""

    def __init__(self, folder: Path, mapping: ImportMapping, pilot: str, topic: str) -> None:
        self._folder, self._mapping, self._pilot = folder, mapping, pilot
        self._key = sha256(f"{pilot}\0{topic}\0{mapping.model_dump_json()}".encode()).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)

    def open(self, path: Path, now_ns: int, restart: bool = False) -> Opened:
        """The file at the place where its import stopped; raises WrongInput when it is not the same any more."""
        rows = Rows(path, self._mapping)
        try:
            known = list(self._candidates(rows, path))
            if restart:
                for record, progress in known:
                    forget(record, progress)
                return self._fresh(rows, path, now_ns)
            for record, progress in known:
                if rows.resume(progress.mark):
                    return self._known(rows, path, record, progress)
                if path == STDIN:
                    raise WrongInput(
                        f"Standard input begins like an import that stopped after {progress.rows:,} rows, and then "
                        "differs; give the same again, or begin anew with --restart."
                    )
                rows.close()
                rows = Rows(path, self._mapping)
            return self._fresh(rows, path, now_ns, next((one for _, one in known if one.path == _place(path)), None))
        except BaseException:
            rows.close()
            raise

    def _known(self, rows: Rows, path: Path, record: Path, progress: Progress) -> Opened:
        grew = progress.done and not rows.source.ended()
        if grew:  # whoever mended the rows that were rejected then may keep their file
            progress.done, progress.kept, progress.kept_in = False, 0, ""
        progress.path, progress.size = _place(path), rows.source.size
        note = (
            f"{path} has grown since {progress.rows:,} rows of it were imported; what is new follows." if grew else ""
        )
        if progress.file != rows.source.name:
            note = note or f"{path} was imported as {progress.file} before."
        return Opened(rows, progress, record, note)

    def _fresh(self, rows: Rows, path: Path, now_ns: int, changed: Progress | None = None) -> Opened:
        note = ""
        if changed is not None:
            if self._mapping.names_rows:
                raise WrongInput(
                    f"{path} was changed above row {changed.rows:,}, up to which it was imported; ids are made of file "
                    "name and row here, so changed rows would look like others. Give it another name to import it as a "
                    "new file, or begin anew with --restart."
                )
            note = f"{path} was changed since {changed.rows:,} rows of it were imported; it is imported from its start."
        head = rows.source.head
        progress = Progress(
            key=self._key, file=rows.source.name, path=_place(path), pilot=self._pilot, began_ns=now_ns,
            size=rows.source.size, head=sha256(head).hexdigest(), head_size=len(head),
        )  # fmt: skip
        progress.move(rows.mark)
        return Opened(rows, progress, self._folder / f"{self._key}-{secrets.token_hex(6)}.json", note)

    def _candidates(self, rows: Rows, path: Path) -> Iterator[tuple[Path, Progress]]:
        """Records that may be this file's, the farthest first."""
        place, head, size = _place(path), rows.source.head, rows.source.size
        found = []
        for record in self._folder.glob(f"{self._key}-*.json"):
            try:
                progress = msgspec.json.decode(record.read_bytes(), type=Progress)
            except (msgspec.DecodeError, OSError):
                continue
            alike = progress.head_size <= len(head) and progress.head == sha256(head[: progress.head_size]).hexdigest()
            if path == STDIN:
                fits = alike and progress.path == place
            else:
                fits = progress.path == place or (alike and progress.size == size)
            if fits:
                found.append((record, progress))
        yield from sorted(found, key=lambda one: -one[1].at)


def save(record: Path, progress: Progress) -> None:
    """Put the record on disk, whole or not at all."""
    durable.replace(record, msgspec.json.encode(progress))


def forget(record: Path, progress: Progress) -> None:
    """Remove a record and the list that belongs to it."""
    record.unlink(missing_ok=True)
    listing(record).unlink(missing_ok=True)


def listing(record: Path) -> Path:
    """Where the rejected rows of an import are listed."""
    return record.with_suffix(".rejects.jsonl")


def _place(path: Path) -> str:
    return str(path) if path == STDIN else str(path.resolve())
