"""The process that makes one attempt: the order comes on its input, the outcome goes to its output.

It ends itself at the deadline, so that none is left behind by a pipeline that was killed.
"""

import signal
import sys
from typing import Any

import msgspec

from pipeline.delivery import mail, through_apprise, webhook
from pipeline.delivery.channels import Channel, Mail, Webhook
from pipeline.delivery.letters import words
from pipeline.delivery.outcome import Later, Outcome, Refused


class Order(msgspec.Struct, frozen=True):
    """One letter for one channel; `made_s` is its date."""

    channel: Channel
    key: str
    body: dict[str, Any]
    made_s: float
    deadline_s: int


def carry_out(order: Order) -> Outcome:
    """Send it. What an error says is scrubbed of the address."""
    address, note = order.channel.address, ""
    try:
        match address:
            case Webhook(url=url):
                webhook.send(url, order.key, msgspec.json.encode(order.body).decode())
            case Mail():
                note = mail.send(address, order.key, words(order.body), order.made_s)
            case _:
                through_apprise.send(address.url, words(order.body))
    except Refused as error:
        return Outcome("refused", order.channel.scrub(str(error)))
    except Later as error:
        return Outcome("later", order.channel.scrub(str(error)), error.asked_s)
    except Exception as error:  # a library's surprise must not lose the letter
        return Outcome("later", order.channel.scrub(f"{type(error).__name__}: {error}"))
    return Outcome("sent", order.channel.scrub(note))


def main() -> None:
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    if hasattr(signal, "alarm"):
        signal.alarm(order.deadline_s)
    outcome = carry_out(order)
    sys.stdout.buffer.write(b"\n" + msgspec.json.encode(outcome) + b"\n")


if __name__ == "__main__":
    main()
