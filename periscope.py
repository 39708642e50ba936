"""The command line and only composition root: one verb per part, each imports its own part when it is called.

Promises: a known error is one sentence on stderr and exit code 1 (failed) or 2 (wrong use or configuration); an unknown
one is written to a file and told in one sentence; SIGTERM and Ctrl-C stop a part in order, a second one at once.
"""

import argparse
import gc
import json
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, date, datetime
from functools import cached_property, partial
from pathlib import Path
from types import FrameType
from typing import Any

from config.arguments import WRONG_USE, build_parser, overrides
from config.catalogue import Catalogue, load_catalogue
from config.problems import ConfigError, Problem
from config.settings import Settings, load_settings
from config.vocabulary import load_vocabulary

DONE, FAILED = 0, 1

_ASKING_S = 10.0
# By name, so that telling an error loads no part that the verb does not use.
_KNOWN_ERRORS = {
    "config.problems.ConfigError": WRONG_USE,
    "collectors.import_mapping.WrongInput": WRONG_USE,
    "collectors.message.BrokerRefused": WRONG_USE,
    "collectors.message.CollectorError": FAILED,
    "pipeline.store.port.StoreHeld": WRONG_USE,
    "pipeline.store.port.StoreRefused": FAILED,
    "pipeline.store.port.StoreAway": FAILED,
    "pipeline.state_file.OperationsRefused": FAILED,
    "pipeline.accounts.AccountRefused": WRONG_USE,
    "pipeline.alerts.care.CareRefused": WRONG_USE,
    "pipeline.exports.NothingToExport": FAILED,
}


class Failed(Exception):
    """The verb cannot do its work; the sentence says why and what to do."""


class Command:
    """What every verb gets: its arguments, the settings, the catalogue when asked for, and the stop signal."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.settings: Settings = load_settings(**overrides(args))
        self.stop = threading.Event()
        _log(self.settings)

    @cached_property
    def catalogue(self) -> Catalogue:
        return load_catalogue(self.settings.catalogue)

    def stop_on_signals(self) -> None:
        def stop(number: int, frame: FrameType | None) -> None:
            if self.stop.is_set():
                os._exit(FAILED)
            self.stop.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)

    def tell(self, sentence: str, **facts: Any) -> None:
        """One sentence for people, or the facts as one JSON object with --json."""
        print(json.dumps(facts, ensure_ascii=False) if self.args.json and facts else sentence, flush=True)


def collect(command: Command) -> int:
    """Take messages from the broker, keep them on disk, and write their events to the store, until told to stop."""
    from collectors.collector import Collector

    settings, catalogue = command.settings, command.catalogue
    command.stop_on_signals()
    if settings.spool.deliver_in == "process":
        spare_the_search_for_cycles()
        Collector(settings, catalogue, partial(_store_of_delivery, settings), time.time_ns).run(command.stop)
        return DONE
    with closing(_store_of_delivery(settings)) as store:
        Collector(settings, catalogue, store, time.time_ns).run(command.stop)
    return DONE


def _store_of_delivery(settings: Settings) -> Any:
    """What the delivering part writes to; called in the process that delivers."""
    from pipeline.store import open_store

    _log(settings)
    spare_the_search_for_cycles()
    return open_store(settings, "raw")


def spare_the_search_for_cycles(freeze: bool = True) -> None:
    """What a message or a day becomes holds no cycles and is freed by its count; the search took a fifth of delivery,
    and a third of the time of a busy day."""
    if freeze:
        gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def _log(settings: Settings) -> None:
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )


def pipeline(command: Command) -> int:
    """Compute indicators and alerts of what was touched; continuously, or with --once to the end of the work."""
    from config.alerts import load_alerts
    from pipeline.delivery.channels import channels_of, routes_of
    from pipeline.delivery.post import Post
    from pipeline.operations import Operations
    from pipeline.readiness import serve
    from pipeline.run import Pipeline
    from pipeline.store import open_store

    settings, catalogue, notify = command.settings, command.catalogue, command.settings.notify
    routes = routes_of(settings, load_alerts(catalogue.folder))
    spare_the_search_for_cycles(freeze=False)  # the sketches' library takes what is frozen for a leak
    command.stop_on_signals()
    with closing(open_store(settings, "derived")) as store:
        with closing(Operations(settings.state / "operations.db", routes)) as operations, ExitStack() as running:
            ping = notify.ping_url.get_secret_value() if notify.ping_url else None
            post = Post(operations, channels_of(notify), time.time_ns, ping_url=ping, ping_s=notify.ping_s)
            if settings.pipeline.health_port and not command.args.once:
                running.enter_context(serve(settings.pipeline.health_port, lambda: post.watching))
            work = Pipeline(store, catalogue, operations, settings.pipeline, time.time_ns, post)
            work.run(command.stop, command.args.once)
    return DONE


def dashboard(command: Command) -> int:
    """Serve the pages to browsers until told to stop."""
    from dashboard.access.access import Access
    from dashboard.app import create_app
    from dashboard.queries import Queries
    from dashboard.serve import open_server, stop
    from dashboard.tending import Tending
    from pipeline.accounts import Accounts
    from pipeline.findings_answers import Findings

    settings, web = command.settings, command.settings.dashboard
    command.stop_on_signals()
    with _answers(command) as answers, _operations(command) as operations, ExitStack() as running:
        access = Access(Accounts(operations), time.time_ns, web, settings.oidc, settings.proxy)
        queries, desk = (
            Queries(answers, command.catalogue, time.time_ns, findings=Findings(answers, command.catalogue)),
            running.enter_context(_desk(command, access.note)),
        )
        mending = _mending(settings, access.note)
        tending = Tending(operations, time.time_ns)
        app = create_app(queries, refresh_s=web.refresh_s, access=access, desk=desk, mending=mending, tending=tending)
        try:
            server = open_server(app, web.host, web.port)
        except OSError as error:
            raise Failed(
                f"Port {web.port} on {web.host} cannot be used ({error.strerror or error}); stop what listens there or "
                f"set PERISCOPE_DASHBOARD__PORT to another port, 0 for a free one."
            ) from None
        address = f"http://{web.host}:{server.effective_port}"
        command.tell(f"Open {address}", address=address)
        serving = threading.Thread(target=server.run, name="web", daemon=True)
        serving.start()
        command.stop.wait()
        stop(server, serving)
    return DONE


def import_(command: Command) -> int:
    """Send past data from CSV, JSON Lines or a workbook through the broker, like any other message; again continues."""
    if command.args.workbook is not None:
        return _import_workbook(command)
    if not command.args.files or command.args.mapping is None:
        raise ConfigError([Problem("import", "", "has nothing to import", "give FILE and --mapping, or --workbook")])
    from collectors.collector import spool_folder
    from collectors.import_fates import FeedLedger
    from collectors.import_mapping import load_mapping, topic_of
    from collectors.import_progress import ProgressLine
    from collectors.importer import Importer
    from collectors.pseudonym import PseudonymKeys

    args, settings, catalogue = command.args, command.settings, command.catalogue
    mapping = load_mapping(args.mapping)
    topic = topic_of(catalogue, args.pilot, mapping)
    feed = catalogue.pilots[args.pilot].feed(mapping.feed)
    ledger = FeedLedger(spool_folder(settings), settings.spool, args.pilot, mapping.feed)
    line = ProgressLine(args.quiet)
    importer = Importer(
        mapping, args.pilot, topic, settings.state / "imports",
        partial(PseudonymKeys(settings.state / "keys").actor_key, args.pilot), time.time_ns, args.restart,
        personal=mapping.names_persons or (feed is not None and feed.person_id is not None), deliver=args.direct,
        ledger=ledger.read, line=line,
    )  # fmt: skip
    command.stop_on_signals()
    spare_the_search_for_cycles()
    report = importer.run(args.files, _import_way(command, line.say), command.stop)
    report.tell_fates(ledger, args.wait, command.stop, line.say)
    line.close()
    command.tell(report.sentence(), **report.facts())
    return DONE if report.complete else FAILED


def _import_way(command: Command, show: Callable[[str], None]) -> Callable[[], Any]:
    """How an import's messages go in: through the broker, or at the spool."""
    from collectors.import_delivery import straight_in
    from collectors.ways_in import through_broker

    settings = command.settings
    if not command.args.direct:
        return partial(through_broker, settings)
    opener = partial(_store_of_delivery, settings)
    return partial(straight_in, settings, command.catalogue, time.time_ns, opener, command.stop, show)


def _import_workbook(command: Command) -> int:
    from collectors.import_progress import ProgressLine
    from collectors.pseudonym import PseudonymKeys
    from collectors.workbook.files import give_back
    from collectors.workbook.run import WorkbookImport

    args, settings, catalogue = command.args, command.settings, command.catalogue
    if args.files or args.mapping is not None:
        raise ConfigError([Problem("--workbook", "", "stands alone", "leave out FILE and --mapping, or --workbook")])
    vocabulary = load_vocabulary(catalogue.folder)
    keys = PseudonymKeys(settings.state / "keys")
    work = WorkbookImport(
        catalogue, vocabulary, args.pilot, args.feed, settings.state / "imports", partial(keys.actor_key, args.pilot),
        time.time_ns, partial(_recorded_activities, command), args.restart,
    )  # fmt: skip
    command.stop_on_signals()
    line = ProgressLine(args.quiet)
    report = work.run(args.workbook, _import_way(command, line.say), command.stop)
    line.close()
    report.refused_file = give_back(report, args.workbook, vocabulary)
    command.tell(report.sentence(), **report.facts())
    return DONE if report.complete else FAILED


def _recorded_activities(command: Command) -> dict[str, date]:
    """Days of the pilot's activities that came by other ways; nothing where this machine has no store."""
    from pipeline.state_file import OperationsRefused
    from pipeline.store.port import StoreAway, StoreRefused

    if command.settings.store == "sqlite" and not (command.settings.state / "store").is_dir():
        return {}
    try:
        with _answers(command) as answers:
            return {one.activity_id: date.fromisoformat(one.day) for one in answers.activities(command.args.pilot)}
    except (StoreAway, StoreRefused, OperationsRefused):
        return {}


def workbook(command: Command) -> int:
    """Write the empty workbook in which a city hall records its activities, for `periscope import --workbook`."""
    from collectors.workbook.files import write_template

    args, catalogue = command.args, command.catalogue
    if args.file is None and args.csv is None:
        raise ConfigError([Problem("workbook", "", "has nothing to write", "give FILE.xlsx, --csv FOLDER or both")])
    if args.pilot is not None and args.pilot not in catalogue.pilots:
        raise ConfigError([Problem("--pilot", "", f"there is no pilot {args.pilot}",
                                   f"choose from {', '.join(catalogue.pilots)}")])  # fmt: skip
    written = write_template(args.file, args.csv, load_vocabulary(catalogue.folder), args.pilot)
    names = [str(path) for path in written]
    command.tell(f"Wrote {' and '.join(names)}", files=names)
    return DONE


def simulate(command: Command) -> int:
    """Publish the six simulated cities: their history, newest days first, and live until told to stop."""
    from collectors.simulate import Simulation

    args = command.args
    command.stop_on_signals()
    simulation = Simulation(command.settings, command.catalogue, args.seed, time.time_ns, command.stop)
    simulation.run(args.weeks, args.direct, with_history=not args.live_only, with_live=not args.history_only)
    return DONE


def export(command: Command) -> int:
    """Write the evaluator's package: indicator values with codebook and provenance, as one zip file."""
    from pipeline.exports import export as write

    args, catalogue = command.args, command.catalogue
    pilots = args.pilots.split(",") if args.pilots else list(catalogue.pilots)
    if strangers := [slug for slug in pilots if slug not in catalogue.pilots]:
        raise ConfigError([Problem("--pilots", "", f"unknown pilot {', '.join(strangers)}",
                                   f"choose from {', '.join(catalogue.pilots)}")])  # fmt: skip
    with _answers(command) as answers, _operations(command) as operations:
        write(answers, catalogue, args.out, pilots, args.start, args.end, args.release)
        said = f"export of {', '.join(pilots)}, {args.start or 'first day'} to {args.end or 'last day'}"
        operations.audit("command line", said, time.time_ns())
    command.tell(f"Wrote {args.out}", file=str(args.out), pilots=pilots)
    return DONE


def lint(command: Command) -> int:
    """Check the pilots' files: what would go wrong, and what would be said without evidence."""
    findings = _lint(command)
    errors = sum(finding.level == "error" for finding in findings)
    changed = _changes(command) if command.args.against is not None else None
    if command.args.json:
        told: Any = [finding.facts() for finding in findings]
        if changed is not None:
            told = {"findings": told, "changes": [change.facts() for change in changed]}
        print(json.dumps(told, ensure_ascii=False))
        return FAILED if errors else DONE
    for line in [*findings, *(changed or [])]:
        print(line)
    if changed is not None:
        print(f"{len(changed)} changes against {command.args.against}")
    print(f"{command.settings.catalogue}: {errors} errors, {len(findings) - errors} warnings")
    return FAILED if errors else DONE


def _lint(command: Command) -> list[Any]:
    """Findings of the pilots' files and of the settings."""
    from config.lint import lint as check
    from config.lint_settings import lint_settings
    from pipeline.indicators.registry import INDICATORS

    today = datetime.fromtimestamp(time.time(), UTC).date()
    files = [Path(".env"), Path(os.environ.get("PERISCOPE_CONFIG", "periscope.toml"))]
    return check(command.catalogue, INDICATORS) + lint_settings(command.settings, command.catalogue, today, files)


def _changes(command: Command) -> list[Any]:
    from config.changes import changes, earlier

    with earlier(command.settings.catalogue, command.args.against) as folder:
        return changes(load_catalogue(folder), command.catalogue)


def try_(command: Command) -> int:
    """Show how messages of a feed would be decoded and checked, or why not and what to change; nothing is written."""
    from collectors.trial import Trial, messages_of, summary

    args = command.args
    if args.listen:
        return _try_broker(command)
    if not args.files or args.pilot is None or args.feed is None:
        raise ConfigError([Problem("try", "", "has nothing to try", "give FILE, --pilot and --feed, or --listen")])
    trial = Trial(command.catalogue, args.pilot, args.feed, args.topic, time.time_ns())
    tried = list(trial.run(message for path in args.files for message in messages_of(path, args.lines)))
    complete = bool(tried) and all(one.fate in ("written", "duplicate") for one in tried)
    if args.json:
        facts = [one.facts() for one in tried]
        print(json.dumps({"pilot": args.pilot, "feed": args.feed, "topic": trial.topic, "messages": facts}))
        return DONE if complete else FAILED
    for one in tried[: args.limit]:
        print("\n".join(one.lines()))
    print(f"{trial.topic}: {summary(tried)}")
    return DONE if complete else FAILED


def _try_broker(command: Command) -> int:
    from collectors.listening import filters_of, listen, nothing_came
    from collectors.trial import Tally

    args, mqtt = command.args, command.settings.mqtt
    if args.files or args.topic or args.lines:
        raise ConfigError([Problem("--listen", "", "stands alone", "leave out FILE, --topic and --lines")])
    filters = filters_of(command.catalogue, args.pilot, args.feed)
    command.stop_on_signals()
    tally = Tally()
    for one in listen(mqtt, command.catalogue, filters, args.seconds, args.count, command.stop, time.time_ns):
        tally.add(one)
        if args.json:
            print(json.dumps(one.facts()), flush=True)
        elif tally.fates.total() <= args.limit:
            print("\n".join(one.lines()), flush=True)
    heard = tally.fates.total()
    print(tally.sentence() if heard else nothing_came(mqtt, filters, args.seconds),
          file=sys.stderr if args.json else sys.stdout)  # fmt: skip
    return DONE if heard and not tally.fates["dead_lettered"] else FAILED


def doctor(command: Command) -> int:
    """Find what goes wrong in practice: broker, store, disk, clocks, feeds and ledger, each finding with its remedy."""
    from collections import Counter

    from collectors.doctor.examine import Examination

    args, settings, catalogue = command.args, command.settings, command.catalogue
    examination = Examination(settings, catalogue, _lint(command), time.time_ns, args.part, args.audit)
    found = []
    for finding in examination.run():
        found.append(finding)
        if not args.json:
            print(finding, flush=True)
    counts = Counter(finding.level for finding in found)
    if args.json:
        print(json.dumps([finding.facts() for finding in found], ensure_ascii=False))
    else:
        print(f"{counts['problem']} problems, {counts['warn']} warnings, {counts['unknown']} not to be told, "
              f"{counts['ok']} in order")  # fmt: skip
    return FAILED if counts["problem"] else DONE


def users(command: Command) -> int:
    """Add, list and change the accounts that may sign in, and read the audit of what they did."""
    from pipeline.accounts import Accounts
    from pipeline.users import run

    with _operations(command) as operations:
        run(Accounts(operations), command.args, lambda: list(command.catalogue.pilots), time.time_ns, command.tell)
    return DONE


def alerts(command: Command) -> int:
    """What has fallen or broken: list, show and explain incidents, look after them, keep notifications quiet."""
    from config.alerts import load_alerts
    from pipeline.alerts_command import run, test
    from pipeline.delivery.channels import routes_of

    if command.args.what == "test":
        return DONE if test(command.settings, command.catalogue, command.args, time.time(), command.tell) else FAILED
    routes = routes_of(command.settings, load_alerts(command.catalogue.folder))
    with _operations(command, routes) as operations:
        run(operations, command.args, list(command.catalogue.pilots), time.time_ns(), command.tell)
    return DONE


def dead_letters(command: Command) -> int:
    """Messages that could not become events: list, count, show and export them, try them again, or purge them."""
    from collectors.letters_command import run
    from collectors.topics import Roster

    roster = Roster(command.catalogue, command.settings.collector)
    with _spool(command) as spool:
        return DONE if run(command.args, spool, roster, time.time_ns(), command.tell) else FAILED


def replay(command: Command) -> int:
    """Write again what was written since a time, for a store that was restored or lost data; the collector does it."""
    from collectors.replay import read_moment
    from collectors.replay import replay as again

    args, now_ns = command.args, time.time_ns()

    def moment(option: str, text: str) -> int:
        try:
            return read_moment(text, now_ns)
        except ValueError as error:
            raise ConfigError([Problem(option, text, "is no time", str(error))]) from None

    since_ns = moment("--since", args.since)
    until_ns = now_ns if args.until is None else moment("--until", args.until)
    if args.pilot is not None and args.pilot not in command.catalogue.pilots:
        raise ConfigError([Problem("--pilot", "", f"there is no pilot {args.pilot}",
                                   f"choose from {', '.join(command.catalogue.pilots)}")])  # fmt: skip
    with _spool(command) as spool:
        outcome = again(spool, since_ns, until_ns, args.pilot, args.dropped)
    command.tell(outcome.sentence(since_ns), messages=outcome.done, without_body=outcome.without_body)
    return DONE


def erase(command: Command) -> int:
    """Erase one person from store, journal, dead letters and Log, for good; the collector has to be stopped."""
    from collectors.collector import spool_folder
    from collectors.erase_command import actor_key_of, confirmed, pilots_of
    from collectors.erased_again import returned
    from collectors.erasure import Erasure, Kept, damaged, resting
    from collectors.pseudonym import PseudonymKeys
    from collectors.spool import Spool
    from collectors.tombstones import Tombstones
    from pipeline.frozen import Frozen
    from pipeline.logbook import Logbook
    from pipeline.store import open_store

    args, settings = command.args, command.settings
    pilots, keys = pilots_of(args, command.catalogue), PseudonymKeys(settings.state / "keys")
    who = None if args.again else actor_key_of(args, keys)
    mine = spool_folder(settings)
    if not mine.is_dir():
        raise Failed(f"There is no spool at {mine}; set PERISCOPE_STATE and PERISCOPE_COLLECTOR as the collector's.")
    folders = [mine, *(path for path in sorted(mine.parent.iterdir()) if path.is_dir() and path != mine)]
    log, changes, stones = settings.state / "log.db", not args.dry_run, Tombstones(settings.state)
    if args.again and not stones.anybody:
        raise Failed(
            f"No erasures.db in {settings.state} knows of anybody; put back the newest there is, with its keys."
        )
    with ExitStack() as open_ones, _operations(command) as operations:
        spools = [open_ones.enter_context(closing(Spool(folder, settings.spool, lease=changes))) for folder in folders]
        if changes:
            open_ones.enter_context(resting(spools))
        store = open_ones.enter_context(closing(open_store(settings, "raw" if changes else "read")))
        logbook = open_ones.enter_context(closing(Logbook(log))) if log.exists() else None
        those = [
            Erasure(pilot, person, store, spools, stones, Frozen(operations), logbook, time.time_ns)
            for pilot in pilots
            for person in ([who] if who else returned(pilot, store, spools, logbook, stones))
        ]
        if args.dry_run:
            return _told_of_erasure(
                command, sum((one.count() for one in those), Kept()), "Would erase", damaged(folders)
            )
        if not args.yes and not confirmed(sum((one.count() for one in those), Kept()), args.json):
            raise Failed("Nothing was changed.")
        what = f"erase {'again whoever was erased' if args.again else 'one person'} of {args.pilot or 'every pilot'}"
        operations.audit("command line", f"{what}: {args.reason}", time.time_ns(), "begun")
        kept = sum((one.run() for one in those), Kept())
        operations.audit("command line", f"{what}: {kept.events} events", time.time_ns())
        return _told_of_erasure(command, kept, "Erased", damaged(folders))


def _told_of_erasure(command: Command, kept: Any, verb: str, aside: Sequence[Path]) -> int:
    said = kept.sentence(verb)
    if aside:
        said += f" Who is in {', '.join(map(str, aside))} cannot be told: remove these damaged files by hand."
    command.tell(said, **vars(kept), damaged=[str(path) for path in aside])
    return DONE


def demo(command: Command) -> int:
    """The whole system on this machine with six simulated cities, until Ctrl-C."""
    from collectors.demo import run_demo

    command.stop_on_signals()
    settings, args = command.settings, command.args
    run_demo(
        settings.state, settings.catalogue, settings.dashboard.port, command.stop, command.tell, args.keep, args.seed,
        args.broker,
    )  # fmt: skip
    return DONE


VERBS: dict[str, Callable[[Command], int]] = {
    "demo": demo, "collect": collect, "pipeline": pipeline, "dashboard": dashboard, "import": import_,
    "workbook": workbook,
    "simulate": simulate, "export": export, "lint": lint, "users": users,
    "alerts": alerts,
    "try": try_, "doctor": doctor,
    "dead-letters": dead_letters, "replay": replay, "erase": erase,
}  # fmt: skip


@contextmanager
def _spool(command: Command) -> Iterator[Any]:
    """The spool of this machine's collector, which may be running."""
    from collectors.collector import spool_folder
    from collectors.spool import Spool

    folder = spool_folder(command.settings)
    if not folder.is_dir():
        raise Failed(f"There is no spool at {folder}; set PERISCOPE_STATE and PERISCOPE_COLLECTOR as the collector's.")
    with closing(Spool(folder, command.settings.spool, lease=False)) as spool:
        yield spool


@contextmanager
def _answers(command: Command) -> Iterator[Any]:
    """The read side for pages and exports."""
    from pipeline.answers import Answers
    from pipeline.store import open_store

    catalogue = command.catalogue  # a broken one is told before anything is made on disk
    with closing(open_store(command.settings, "read")) as store, _operations(command) as operations:
        yield Answers(store, catalogue, operations)


@contextmanager
def _operations(command: Command, routes: Any = None) -> Iterator[Any]:
    """The operational database; `routes` say which channels there are."""
    from pipeline.delivery.routes import NO_ROUTES
    from pipeline.operations import Operations

    with closing(Operations(command.settings.state / "operations.db", routes or NO_ROUTES)) as operations:
        yield operations


def _mending(settings: Settings, note: Callable[[str, str, str], None]) -> Any:
    """How pages ask collectors about messages that are set aside."""
    from collectors.control import ControlClient
    from collectors.message import CollectorError
    from dashboard.mending import Mending, NotAsked

    client = ControlClient(settings.mqtt)

    def ask(collector: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return client.ask(collector, request, _ASKING_S)
        except (CollectorError, ValueError) as error:
            raise NotAsked(str(error)) from error

    return Mending(ask, note)


@contextmanager
def _desk(command: Command, note: Callable[[str, str], None]) -> Iterator[Any]:
    """Where operators record; what they record goes to the broker like any other source's events."""
    from collectors.message import CollectorError
    from collectors.mqtt import MqttPublisher
    from collectors.pseudonym import PseudonymKeys
    from config.vocabulary import load_vocabulary
    from dashboard.log.desk import Desk
    from dashboard.log.post import Post
    from dashboard.log.publisher import Undelivered
    from pipeline.logbook import Logbook

    settings = command.settings

    def publish(messages: Sequence[tuple[str, bytes]]) -> None:
        try:
            with MqttPublisher(settings.mqtt, patience_s=20) as broker:
                for topic, payload in messages:
                    broker.publish(topic, payload)
        except CollectorError as error:
            raise Undelivered(str(error)) from error

    vocabulary, keys = load_vocabulary(settings.catalogue), PseudonymKeys(settings.state / "keys")
    with closing(Logbook(settings.state / "log.db")) as logbook, closing(Post(logbook, publish, time.time_ns)) as post:
        post.start()
        yield Desk(logbook, command.catalogue, vocabulary, post, time.time_ns, keys.actor_key, note)


def main(argv: list[str] | None = None) -> int:
    """Run one verb; returns its exit code and never lets a traceback reach the user."""
    args = build_parser({verb: str(run.__doc__) for verb, run in VERBS.items()}).parse_args(argv)
    try:
        return VERBS[args.verb](Command(args))
    except KeyboardInterrupt:
        return FAILED
    except BrokenPipeError:
        # The reader of our output has gone (`periscope ... | head`): there is nobody left to tell.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        return FAILED
    except Exception as error:
        names = [f"{kind.__module__}.{kind.__name__}" for kind in type(error).__mro__]
        code = next((_KNOWN_ERRORS[name] for name in names if name in _KNOWN_ERRORS), None)
        if code is None and not isinstance(error, Failed):
            return _unknown_error(error, args)
        print(f"periscope {args.verb}: {error}", file=sys.stderr)
        return FAILED if code is None else code


def _unknown_error(error: Exception, args: argparse.Namespace) -> int:
    path = Path(args.state or os.environ.get("PERISCOPE_STATE") or "var") / "errors.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            traceback.print_exception(error, file=file)
        where = f"details are in {path}"
    except OSError:
        where = f"no details could be written to {path}"
    print(f"periscope {args.verb}: stopped by an unexpected {type(error).__name__}; {where}.", file=sys.stderr)
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
