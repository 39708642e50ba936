"""What a channel refused can be sent again by command, with its first id, and the audit says who did it."""

import argparse
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.alerts.care import CareRefused
from pipeline.alerts_command import run
from pipeline.delivery.channels import Webhook as WebAddress
from tests.receivers import Webhook
from tests.unit.pipeline.test_delivery import DAY, S, Site, site

__all__ = ["site"]


def resend(one: Site, channel: str | None = None, **options: Any) -> list[str]:
    said: list[str] = []
    given = argparse.Namespace(what="resend", id=channel, pilot=None, who="ana", **{"all": False, **options})
    run(one.operations, given, ["test"], one.now, lambda sentence, **_: said.append(sentence))
    return said


def test_what_was_given_up_is_listed_and_sent_again_under_its_id(site: Callable[..., Site]) -> None:
    with Webhook(always=404) as receiver:
        one = site({"ops": WebAddress(receiver.url)})
        one.opens()
        one.later(10 * S)
        one.post.deliver("ops")
        one.later(3 * DAY)
        listed = resend(one)
        assert listed[0].startswith("1  ops  ")
        assert "test: drop off of contributions opened" in listed[0]
        assert "it answered 404" in listed[0]
        assert one.post.deliver("ops") == 0
        receiver.always = 200
        assert resend(one, "ops") == ["1 in line again; the pipeline sends them, each with its id."]
        assert one.post.deliver("ops") == 1
        assert one.failing() == []
        first, second = receiver.keys
        assert first == second
        assert resend(one) == ["Nothing was given up."]
        assert [(who, what) for _, who, what, _ in one.operations.audited()] == [
            ("ana", "send again 1 given-up notifications: 1 to ops")
        ]


def test_a_letter_that_is_sent_again_has_a_day_of_tries(site: Callable[..., Site]) -> None:
    with Webhook(always=404) as receiver:
        one = site({"ops": WebAddress(receiver.url)})
        one.opens()
        one.later(10 * S)
        one.post.deliver("ops")
        one.later(3 * DAY)
        receiver.always = 500
        resend(one, all=True)
        one.post.deliver("ops")
        assert one.operations.read("SELECT failed FROM letter") == [(None,)]
        one.later(DAY + S)
        one.post.deliver("ops")
        [(failed,)] = one.operations.read("SELECT failed FROM letter")
        assert failed.startswith("not delivered within a day")


def test_what_cannot_be_sent_again_says_why(site: Callable[..., Site]) -> None:
    with Webhook(always=404) as receiver:
        one = site({"ops": WebAddress(receiver.url)})
        with pytest.raises(CareRefused, match="nothing was given up on channel ops"):
            resend(one, "ops")
        one.opens()
        one.later(10 * S)
        one.post.deliver("ops")
        gone = site({})
        with pytest.raises(CareRefused, match="channel ops is not set up"):
            resend(gone, all=True)
        assert one.operations.audited() == []
