"""What an event of any type may say in its `data`."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from config.events.codes import (
    ActorKind,
    Code,
    Consent,
    Evidence,
    Id,
    Name,
    Precision,
    Represents,
    Whole,
)


class Common(Struct, kw_only=True, gc=False):
    """Fields that may stand in an event of any type; of a type that only a pilot's file names, they alone are checked.

    Every field may be null, which says the same as leaving it out, unless it is required.
    """

    schema: Name | int | None = None
    evidence: Evidence | None = None
    represents: Represents | None = None
    org_key: Id | None = None
    age_band: Name | None = None
    gender: Name | None = None
    area: Name | None = None
    attrs: dict[str, Any] | None = None
    activity_id: Id | None = None
    challenge_id: Id | None = None
    service_version: Name | None = None
    channel: Code | None = None
    assisted: bool | None = None
    session_id: Id | None = None
    natural_cadence: Code | None = None


class Envelope(Struct, kw_only=True):
    """What stands in `data` and becomes a column of its own; the decoder of CloudEvents checks it field by field."""

    synthetic: bool
    time_precision: Precision = "ms"
    revision: Whole = 0
    count: Whole = 1
    consent: Consent | None = None
    actor_key: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{16,64}$")] | None = None
    actor_kind: ActorKind | None = None
    service_id: Name | None = None


MEANINGS = {
    "synthetic": "True where it is simulated; may be left out where the feed's file says `synthetic`.",
    "time_precision": "How exact `time` is; it never changes for an event.",
    "revision": "Higher in each correction of the event with the same id.",
    "count": "How many people or things it stands for; above 1 only with consent = count_only.",
    "consent": "What those concerned agreed to; the feed's file may say it for all.",
    "actor_key": "Pseudonym of one person; only with consent = cohort.",
    "actor_kind": "Stakeholder group of those concerned.",
    "service_id": "The service; that of the pilot's file where none is named.",
    "schema": "Vocabulary and version, such as pe.usage.v1.",
    "evidence": "How it is known.",
    "represents": "For whom they speak: delegates are not counted as private persons.",
    "org_key": "Key of the organisation that they speak for.",
    "age_band": "Age in bands, as declared.",
    "gender": "Gender, as declared.",
    "area": "Coarse area, as declared.",
    "attrs": "Anything else; no indicator reads it.",
    "activity_id": "The activity that it belongs to.",
    "challenge_id": "The challenge that it belongs to.",
    "service_version": "Version of the service.",
    "channel": "Way by which it came: app, web, sms, kiosk, van, desk, phone, qr, api or another code.",
    "assisted": "True where staff helped.",
    "session_id": "The session that it belongs to.",
    "natural_cadence": "How often the service is used by its nature, such as day, week or month.",
}
