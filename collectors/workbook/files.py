"""Workbooks as files: the empty one that is handed out, and the refused rows that come back.

Promises: a file that is there is never written over, since somebody may be working in it; refused rows come back in the
kind of file that they came in.
"""

from itertools import count
from pathlib import Path

from collectors.import_mapping import WrongInput
from collectors.workbook.csv_files import write_csv
from collectors.workbook.reading import is_xlsx
from collectors.workbook.run import Report
from collectors.workbook.template import Filled, refused, template
from collectors.workbook.xlsx_writing import write_xlsx
from config.vocabulary import Vocabulary


def write_template(xlsx: Path | None, csv: Path | None, vocabulary: Vocabulary, pilot: str | None) -> list[Path]:
    """Write the empty workbook as XLSX, as CSV or as both; raises WrongInput."""
    slug, written = pilot or "PILOT", list[Path]()
    if xlsx is not None:
        if xlsx.suffix.lower() != ".xlsx":
            raise WrongInput(f"{xlsx} is no name for a workbook; it must end in .xlsx, or give --csv FOLDER.")
        if xlsx.exists():
            raise WrongInput(f"{xlsx} is there already; choose another name, so that nothing filled in is lost.")
        command = f"periscope import --workbook {xlsx.name} --pilot {slug}"
        written.append(_xlsx(xlsx, template(vocabulary, pilot, command), vocabulary))
    if csv is not None:
        if csv.exists() and any(csv.glob("*.csv")):
            raise WrongInput(f"{csv} holds CSV files already; choose another folder, so that nothing typed is lost.")
        _csv(csv, template(vocabulary, pilot, f"periscope import --workbook {csv.name} --pilot {slug}"))
        written.append(csv)
    return written


def give_back(report: Report, source: Path, vocabulary: Vocabulary) -> Path | None:
    """Write the refused rows beside their workbook, None where there are none; raises WrongInput."""
    if not report.refused:
        return None
    target = _free(source)
    filled = refused(report.refused)
    if is_xlsx(source):
        return _xlsx(target, filled, vocabulary)
    _csv(target, filled)
    return target


def _free(source: Path) -> Path:
    """The first name that nothing has: plan-refused.xlsx, plan-refused-2.xlsx, ..."""
    suffix = ".xlsx" if is_xlsx(source) else ""
    stem = source.resolve().name if source.is_dir() else source.stem
    names = (f"{stem}-refused{'' if n == 1 else f'-{n}'}{suffix}" for n in count(1))
    return next(path for name in names if not (path := source.resolve().parent / name).exists())


def _xlsx(path: Path, filled: Filled, vocabulary: Vocabulary) -> Path:
    try:
        write_xlsx(path, filled, vocabulary)
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def _csv(folder: Path, filled: Filled) -> None:
    try:
        write_csv(folder, filled)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(path: Path, error: OSError) -> WrongInput:
    return WrongInput(f"{path} cannot be written: {error.strerror or error}; correct its folder or rights.")
