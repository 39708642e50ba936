"""docs/schemas/README.md: every event type with its fields, beside the schemas."""

from typing import Final

from msgspec import inspect

from config.events import engagement, ops, usage
from config.events.envelope import Common, Envelope
from config.events.faults import words
from config.events.schemas import meaning

_PARTS: Final = (
    ("Usage", usage.TYPES),
    ("Engagement", engagement.TYPES),
    ("Readings, denominators, reports", ops.TYPES),
)
_BEGIN: Final = """\
# Event types and their JSON Schemas

Made by `make docs` from `config/events`. Each type has a schema (JSON Schema 2020-12) in this folder, which stands
alone, so that any validator of that version reads it, for example:

```
pip install check-jsonschema
check-jsonschema --schemafile docs/schemas/activity.held.json event.json
```

`periscope try --pilot P --feed F event.json` says the same, and what else the collector would make of the message
([cli.md](../cli.md)). The codes of closed lists are explained in [vocabulary.md](../vocabulary.md).

- **What is checked.** A field of its type that holds something else is refused with `bad_<field>`, a required one
  that is not there with `missing_<field>`: the message becomes a dead letter that says what to mend. A field that a
  type does not know is kept and not checked. `null` is the same as leaving a field out, but not in `count`, `revision`
  and `time_precision`.
- **Type names** may begin with `eu.periscope.` and end with a version such as `.v1`; both are taken off. An unknown
  name is refused with `unknown_type` and the nearest known one. A feed may send types of its own when its file names
  them: `extra_types = ["bike.lent"]`. Types in `core_types` of the pilot need not be named again. Only the fields
  that all types share are checked in them. After such a change, requeue the dead letters.
- **`synthetic`** is required in each event, unless the feed's file says `synthetic = true` or `false` for all.
- **The envelope** is that of CloudEvents 1.0 in its structured JSON form. The collector also takes the fields flat,
  without `data`; without `id` it makes one of topic and payload, without `time` the time of receipt counts.
"""


def page() -> str:
    """The text of docs/schemas/README.md."""
    lines = [_BEGIN, "## In every type", "", *_table("action.performed", [*_own(Envelope), *_own(Common)]), ""]
    for title, types in _PARTS:
        lines += [f"## {title}", ""]
        for name, kind in types.items():
            shared = {field.name for field in _own(Common) if not field.required}
            own = [field for field in _own(kind) if field.name not in shared]
            lines += [f"### [`{name}`]({name}.json)", "", " ".join(str(kind.__doc__).split()), ""]
            lines += [*_table(name, own), ""] if own else []
    return "\n".join(lines)


def _own(kind: type[Common] | type[Envelope]) -> list[inspect.Field]:
    found = inspect.type_info(kind)
    assert isinstance(found, inspect.StructType)
    return list(found.fields)


def _table(kind: str, fields: list[inspect.Field]) -> list[str]:
    lines = ["| field | holds | meaning |", "|---|---|---|"]
    for field in fields:
        need = " **required**" if field.required else ""
        lines.append(f"| `{field.name}`{need} | {words(field.type)} | {meaning(kind, field.name)} |")
    return lines
