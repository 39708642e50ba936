"""What NGSI-v2 and NGSI-LD share: entities of a body, the time of an attribute, and the readings of an entity.

Promises: a map's keys are attribute names, also as the last part of an expanded name, or dotted paths into a structured
value; an attribute that an entity lacks is no gap, as a notification holds what changed. The entity's id is the device
unless the map says otherwise; a bad attribute costs itself, a bad entity its attributes. Source: ingest.md 9 for the
order in which times are believed.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from collectors.decoders import Decoded
from collectors.decoders.readings import ABSENT, Moment, Readings, at
from collectors.message import RawMessage, Undecodable
from collectors.topics import Place

_NO_ATTRIBUTES = ("id", "type", "@context")
_TIMES = ("TimeInstant", "timestamp", "observedAt", "modifiedAt", "dateModified")
IDENTITY = (b'"id"', b'"observedAt"', b'"TimeInstant"', b'"dateObserved"', b'"unitCode"')


class Attribute(NamedTuple):
    """One instance of an attribute: its value, and what is said about it by name (observedAt, unitCode, ...)."""

    value: Any
    said: dict[str, Any]
    dataset: str = ""


Reader = Callable[[Any], list[Attribute]]


def readings_of(body: Any, read: Reader, message: RawMessage, place: Place) -> Decoded:
    """The readings of every entity in a body; `read` knows how the format writes an attribute."""
    readings = Readings(message, place)
    for number, entity in enumerate(_entities(body)):
        try:
            _entity(number, entity, read, readings)
        except Undecodable as error:
            readings.set_aside(error, f"entity {number + 1}")
    return readings.decoded()


def attribute_names(body: Any) -> list[str]:
    """The names under which a map could know the attributes of a payload; raises Undecodable where it has no entity."""
    found = (entity for entity in _body(body) if isinstance(entity, dict))
    names = (_short(name) for entity in found for name in entity if name not in _NO_ATTRIBUTES)
    return list(dict.fromkeys(names))


def _body(body: Any) -> list[Any]:
    """The entities of a body, or of what the MQTT binding of NGSI-LD wraps."""
    if isinstance(body, dict) and isinstance(body.get("body"), dict) and "metadata" in body:
        body = body["body"]
    return _entities(body)


def _entities(body: Any) -> list[Any]:
    """Entities of a notification, of a list, of GeoJSON, or the one entity that the body is; one of them at least."""
    if isinstance(body, dict) and ("subscriptionId" in body or body.get("type") == "Notification"):
        body = body.get("data")
    if isinstance(body, dict) and isinstance(body.get("features"), list):
        body = body["features"]
    entities = body if isinstance(body, list) else [body]
    if entities and dict not in map(type, entities):
        raise Undecodable(
            "decode", "not_entities", "the payload is neither an entity, nor a list or notification of some"
        )
    return [_of_feature(entity) for entity in entities]


def _of_feature(entity: Any) -> Any:
    if isinstance(entity, dict) and entity.get("type") == "Feature" and isinstance(entity.get("properties"), dict):
        return {"id": entity.get("id"), **entity["properties"]}
    return entity


def _entity(number: int, entity: Any, read: Reader, readings: Readings) -> None:
    if not isinstance(entity, dict):
        raise Undecodable("decode", "not_entities", "one of the entities is no object")
    found = {_short(name): read(given) for name, given in entity.items() if name not in _NO_ATTRIBUTES}
    plain = {name: instances[0].value for name, instances in found.items() if instances}
    device = readings.device({**plain, "id": entity.get("id")}, entity.get("id"))
    for key, quantity in readings.map.values.items():
        for nth, attribute in enumerate(_instances(found, key)):
            try:
                when = _time(attribute, plain, readings)
                base = f"{readings.base(when)}/{number}" + (f".{nth}" if nth else "")
                unit = attribute.said.get("unitCode")
                data = {"dataset": attribute.dataset} if attribute.dataset else None
                readings.add(quantity, attribute.value, device, base, when, unit=unit, data=data)
            except Undecodable as error:
                readings.set_aside(error, f"entity {number + 1}: {quantity.quantity}")


def _instances(found: dict[str, list[Attribute]], key: str) -> list[Attribute]:
    """The instances that a key of the map names: those without a dataset, or with `name@dataset` those of it."""
    name, _, dataset = key.partition("@")
    if name in found:
        return [one for one in found[name] if one.dataset == dataset]
    first, _, path = name.partition(".")
    if not path:
        return []
    return [one._replace(value=at(one.value, path)) for one in found.get(first, ()) if one.dataset == dataset]


def _time(attribute: Attribute, plain: dict[str, Any], readings: Readings) -> Moment:
    if readings.map.time is not None:
        given = attribute.said.get(readings.map.time, at(plain, readings.map.time))
        if given in ABSENT:
            raise Undecodable("validate", "no_time", f"there is no time at {readings.map.time}")
        return readings.moment(given)
    said = attribute.said
    if plain.get("TimeInstant") not in ABSENT:  # the one time for which the entity goes before the attribute
        return readings.moment(plain["TimeInstant"], "TimeInstant")
    for name in _TIMES:
        if (given := said.get(name)) not in ABSENT or (given := plain.get(name)) not in ABSENT:
            return readings.moment(given, name)
    return readings.receipt()


def _short(name: str) -> str:
    """An expanded name's last part: brokers without a context send names as addresses."""
    return name.rsplit("#", 1)[-1].rsplit("/", 1)[-1] if "://" in name else name
