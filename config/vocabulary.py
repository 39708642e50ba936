"""The words that people record activities with: lists of codes, each with a title and one sentence of help.

Promises: a code is found by itself or by its title, whatever the case; an unknown word gets the nearest known one; a
catalogue folder's own `vocabulary.toml` adds codes, replaces titles and sentences, or (`replace = true`) a whole list,
but never the codes of a closed list, because indicators read them.
"""

import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from config.problems import ConfigError, Problem, problems_of

FILE: Final = "vocabulary.toml"
PACKAGED: Final = Path(__file__).with_name(FILE)
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
# Neither becomes a formula in a spreadsheet nor breaks the line of a table.
Title = Annotated[str, StringConstraints(pattern=r"^[^\W_][^|\r\n\t]*$", max_length=60)]
Sentence = Annotated[str, StringConstraints(pattern=r"^[^\W_][^|\r\n\t]*\.$", max_length=250)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Term(_Strict):
    """One code: how it is called and what it means, in one sentence."""

    title: Title
    help: Sentence


class WordList(_Strict):
    """The codes of one field, in the order in which they are offered."""

    title: Title
    help: Sentence
    closed: bool = False
    codes: dict[Code, Term] = Field(min_length=1)

    @model_validator(mode="after")
    def _every_word_means_one_code(self) -> "WordList":
        seen: dict[str, str] = {}
        for code, term in self.codes.items():
            for word in {code.casefold(), term.title.casefold()}:
                if seen.setdefault(word, code) != code:
                    raise ValueError(f'"{word}" stands for both {seen[word]} and {code}; give one another title')
        return self

    def code_of(self, word: str) -> str | None:
        """The code that a code or title names, None where it names none."""
        wanted = " ".join(word.split()).casefold()
        return next((code for code, term in self.codes.items() if wanted in (code, term.title.casefold())), None)

    def nearest(self, word: str) -> str | None:
        """The code whose code or title is most like a misspelt word."""
        words = {term.title.casefold(): code for code, term in self.codes.items()} | {code: code for code in self.codes}
        found = get_close_matches(" ".join(word.split()).casefold(), list(words), n=1, cutoff=0.5)
        return words[found[0]] if found else None

    def title_of(self, code: str) -> str:
        return self.codes[code].title if code in self.codes else code


class _Change(_Strict):
    """What a catalogue says about one list."""

    title: Title | None = None
    help: Sentence | None = None
    replace: bool = False
    codes: dict[Code, Term] = {}


class Vocabulary(Mapping[str, WordList]):
    """All lists by name."""

    def __init__(self, lists: Mapping[str, WordList]) -> None:
        self._lists = dict(lists)

    def __getitem__(self, name: str) -> WordList:
        return self._lists[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lists)

    def __len__(self) -> int:
        return len(self._lists)


def load_vocabulary(folder: Path | None = None) -> Vocabulary:
    """The packaged vocabulary with a catalogue folder's changes; raises ConfigError that lists every problem."""
    lists = _checked(TypeAdapter(dict[str, WordList]), _table(PACKAGED))
    own = folder / FILE if folder is not None else PACKAGED
    if own == PACKAGED or not own.is_file():
        return Vocabulary(lists)
    changes: dict[str, _Change] = _checked(TypeAdapter(dict[str, _Change]), _table(own))
    problems: list[Problem] = []
    for name, change in changes.items():
        if name not in lists:
            near = get_close_matches(name, list(lists), n=1)
            problems.append(
                Problem(
                    FILE,
                    name,
                    "is no list of the vocabulary",
                    f"did you mean {near[0]}?" if near else f"the lists are {', '.join(lists)}",
                )
            )
        elif lists[name].closed and (change.replace or set(change.codes) - set(lists[name].codes)):
            problems.append(
                Problem(
                    FILE,
                    name,
                    "is closed: indicators read its codes",
                    f"keep to {', '.join(lists[name].codes)}, or change titles and help only",
                )
            )
        else:
            try:
                lists[name] = _changed(lists[name], change)
            except ValidationError as error:
                problems += problems_of(error, f"{FILE}: {name}")
    if problems:
        raise ConfigError(problems)
    return Vocabulary(lists)


def problems(folder: Path) -> list[Problem]:
    """What is wrong with a catalogue folder's own vocabulary."""
    try:
        load_vocabulary(folder)
    except ConfigError as error:
        return error.problems
    return []


def page() -> str:
    """`docs/vocabulary.md`."""
    lines = [
        "# Vocabulary", "",
        "Made by `make docs` from `config/vocabulary.toml`: the words of the workbook and of all records.", "",
        "A catalogue folder may hold a `vocabulary.toml` of the same form: codes that it names are added, titles and",
        "sentences that it gives replace these, and `replace = true` in a list drops the codes that it does not name.",
        "The codes of a **closed** list stay as they are, because indicators read them.", "",
        "The first eight methods are those of the OECD Guidelines for Citizen Participation Processes (2022), the",
        "others are ways of working in wide use; all sentences are our own.", "",
        "Which event type has which fields, and the JSON Schema of each: [schemas/README.md](schemas/README.md).", "",
    ]  # fmt: skip
    for name, words in load_vocabulary().items():
        lines += [
            f"## {words.title}: `{name}`" + (" (closed)" if words.closed else ""),
            "",
            words.help,
            "",
            "| code | title | meaning |",
            "|---|---|---|",
        ]
        lines += [f"| `{code}` | {term.title} | {term.help} |" for code, term in words.codes.items()] + [""]
    return "\n".join(lines)


def _changed(words: WordList, change: _Change) -> WordList:
    codes = {} if change.replace else {code: term.model_dump() for code, term in words.codes.items()}
    codes |= {code: term.model_dump() for code, term in change.codes.items()}
    return WordList.model_validate(
        {
            "title": change.title or words.title,
            "help": change.help or words.help,
            "closed": words.closed,
            "codes": codes,
        }
    )


def _checked(adapter: TypeAdapter[Any], table: dict[str, Any]) -> Any:
    try:
        return adapter.validate_python(table)
    except ValidationError as error:
        raise ConfigError(problems_of(error, FILE)) from None


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([Problem(FILE, "", f"cannot be read: {error.strerror}", "correct its rights")]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(FILE, "", f"is not TOML: {error}", "mend the syntax at that place")]) from None
