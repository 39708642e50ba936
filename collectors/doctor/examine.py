"""All checks in an order that lets slow ones overlap; each that fails by itself is told as one that says nothing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from collectors.collector import spool_folder
from collectors.doctor import broker, feeds, health, queue, session, spool, store
from collectors.doctor.broker import Listening
from collectors.doctor.finding import Finding
from collectors.doctor.spool_look import SpoolLook, look
from collectors.doctor.store import Part
from collectors.message import BrokerAway, BrokerRefused, CollectorError
from config.catalogue import Catalogue
from config.lint import Finding as LintFinding
from config.settings import Settings

Clock = Callable[[], int]
_AGAIN = "look again when the broker answers; see its log"


class Examination:
    """One run; `part` says whose token of InfluxDB is in the settings, `audit` counts however long it takes."""

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        lint: Sequence[LintFinding],
        clock: Clock,
        part: Part = "collector",
        audit: bool = False,
    ) -> None:
        self._settings, self._catalogue, self._lint, self._clock = settings, catalogue, lint, clock
        self._part, self._audit = part, audit
        self._spool: SpoolLook | None = None
        self._word: health.Word | None = None

    def run(self) -> Iterator[Finding]:
        """Findings as they are made, in about 15 seconds."""
        self._spool = self._look()
        running = self._spool is not None and self._spool.running
        self._word = health.ask(self._settings.health_port, running)
        with ExitStack() as open_things:
            try:
                listening = open_things.enter_context(Listening(self._settings, self._catalogue, self._clock))
            except (BrokerAway, BrokerRefused) as error:
                yield broker.refused(error)
                yield from self._without_broker()
                return
            yield from self._without_broker()
            yield from self._with_broker(listening)

    def _look(self) -> SpoolLook | None:
        return look(spool_folder(self._settings))

    def _without_broker(self) -> Iterator[Finding]:
        yield from self._said_by_lint()
        yield spool.disk(self._settings.state)
        yield broker.window(self._settings)
        now_ns = self._clock()
        if self._spool is not None:
            yield from spool.spool(self._spool, self._settings.spool.max_bytes, now_ns)
            if not self._spool.unread:
                yield from feeds.silent(self._catalogue, self._spool, now_ns)
                yield from feeds.clocks(self._catalogue, self._spool)
            yield self._word.finding if self._word else health.absent(self._settings.health_port, self._spool.running)
        else:
            yield health.absent(self._settings.health_port, False)
        if self._settings.store == "influx":
            yield from store.influx(self._settings, self._catalogue, self._part, self._clock)
        else:
            yield store.embedded(self._settings)
        if self._spool is not None and self._spool.ledgers and not self._spool.unread:
            yield store.audit(self._settings, self._look, self._audit)

    def _said_by_lint(self) -> Iterator[Finding]:
        errors = [one for one in self._lint if one.level == "error"]
        said = f"{self._settings.catalogue}: {len(errors)} errors, {len(self._lint) - len(errors)} warnings"
        if not self._lint:
            yield Finding("ok", "catalogue", said)
        else:
            yield Finding("problem" if errors else "warn", "catalogue", said, "see them with `periscope lint`")

    def _with_broker(self, listening: Listening) -> Iterator[Finding]:
        settings = self._settings
        yield from listening.connection()
        yield listening.retained()
        yield from listening.granted()
        lost = 0
        try:
            probed = queue.probe(settings.mqtt)
            lost = probed.sent - probed.back
            yield from queue.findings(probed, settings.mqtt, settings.spool.batch, listening.packet_size())
        except CollectorError as error:
            yield Finding("unknown", "queue", str(error), _AGAIN)
        yield listening.drops(lost)
        try:
            yield from self._session(listening)
        except CollectorError as error:
            yield Finding("unknown", "session", str(error), _AGAIN)

    def _session(self, listening: Listening) -> Iterator[Finding]:
        if self._spool is None:
            yield Finding(
                "unknown", "session", f'this machine keeps no spool of a collector "{self._settings.collector}"',
                "run doctor where the collector runs, with its PERISCOPE_STATE and PERISCOPE_COLLECTOR",
            )  # fmt: skip
            yield session.untold()
        elif self._spool.running:
            yield from session.running(self._word, health.ask(self._settings.health_port, True))
            yield session.untold()
        else:
            uptime_s = listening.uptime_s()
            started_ns = None if uptime_s is None else self._clock() - int(uptime_s * 1e9)
            yield from session.idle(self._settings, self._spool, listening.reports, started_ns)
