"""Two ways for messages that we make ourselves: through the broker, or straight into the spool.

Promises: `send` returns when every message is safe, that is acknowledged by the broker or committed to the spool. Both
ways meet the same intake, decoders, checks and ledger; messages entered at the spool wait behind live ones.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from collectors.collector import spool_folder
from collectors.intake import Intake
from collectors.mqtt import MqttPublisher
from collectors.pseudonym import PseudonymKeys
from collectors.spool import DIRECT, Spool
from collectors.topics import Roster
from config.catalogue import Catalogue
from config.settings import Settings

Message = tuple[str, bytes]
Send = Callable[[Sequence[Message]], None]
Clock = Callable[[], int]

_FLUSH_S = 60.0


@contextmanager
def through_broker(settings: Settings) -> Iterator[Send]:
    """Publish with QoS 1 and wait for the acknowledgements; raises BrokerAway or BrokerRefused."""
    with MqttPublisher(settings.mqtt) as publisher:

        def send(messages: Sequence[Message]) -> None:
            for topic, payload in messages:
                publisher.publish(topic, payload)
            publisher.flush(_FLUSH_S)

        yield send


@contextmanager
def at_the_spool(settings: Settings, catalogue: Catalogue, clock: Clock) -> Iterator[Send]:
    """Commit to the spool of this machine's collector, which may be running; raises a CollectorError."""
    spool = Spool(spool_folder(settings), settings.spool, lease=False)
    intake = Intake(Roster(catalogue, settings.collector), PseudonymKeys(settings.state / "keys"))
    try:
        yield lambda messages: spool.append(
            [intake.entry(topic, payload, clock(), priority=DIRECT) for topic, payload in messages]
        )
    finally:
        spool.close()
