"""Periscope beside a bare subscriber and Telegraf: the same messages, broker and store, in turns.

Ratios are medians over rounds: neighbours in time share what else the machine was doing. Each is printed with the
lowest and highest round.
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.benchmarks.ingest import Bench, Drain
from tests.services import telegraf

Figures = dict[str, float | None]


class Run(NamedTuple):
    """A drain, and the processor time of each of its messages without that of starting."""

    drain: Drain
    cpu_us: float


Runs = dict[str, list[Run]]


def drains(bench: Bench, rounds: int) -> Figures:
    """Rates, processor time and memory of every contestant, and how they stand to each other."""
    contestants = _of(bench)
    one = replace(bench, messages=1)
    starts = {name: drain.cpu_s for name, of in _of(one).items() if (drain := of()) is not None}
    runs: Runs = {name: [] for name in contestants}
    for number in range(rounds):
        # Each round turns the order round, so that a warm machine favours nobody.
        for name in list(contestants)[:: -1 if number % 2 else 1]:
            if (drain := contestants[name]()) is not None:
                runs[name].append(Run(drain, (drain.cpu_s - starts[name]) * 1e6 / bench.messages))
                print(f"  round {number + 1}: {name:10} {drain.messages_per_s:8,.0f} msg/s", flush=True)
    _table(runs, starts)
    return rates(runs) | ratios(runs) | start_costs(starts)


def _of(bench: Bench) -> dict[str, Callable[[], Drain | None]]:
    return {
        "mqtt5": bench.drain_periscope,
        "bare": bench.drain_bare,
        "mqtt311": lambda: bench.drain_periscope("3.1.1"),
        "telegraf": bench.drain_telegraf,
    }


def start_costs(starts: dict[str, float]) -> Figures:
    """Processor seconds after the connection that are spent however few messages there are."""
    found = {"ingest.start_cpu_s": starts.get("mqtt5"), "ingest.telegraf_start_cpu_s": starts.get("telegraf")}
    return {key: None if seconds is None else round(seconds, 2) for key, seconds in found.items()}


def rates(runs: Runs) -> Figures:
    def of(name: str, figure: Callable[[Run], float], digits: int | None = None) -> float | None:
        return round(median(map(figure, runs[name])), digits) if runs[name] else None

    def rate(run: Run) -> float:
        return run.drain.messages_per_s

    def cpu(run: Run) -> float:
        return run.cpu_us

    def memory(run: Run) -> float:
        return run.drain.peak_mib

    return {
        "ingest.periscope_msgs_per_s": of("mqtt5", rate),
        "ingest.periscope_mqtt311_msgs_per_s": of("mqtt311", rate),
        "ingest.bare_msgs_per_s": of("bare", rate),
        "ingest.telegraf_msgs_per_s": of("telegraf", rate),
        "ingest.cpu_us_per_msg": of("mqtt5", cpu, 1),
        "ingest.cpu_us_per_msg_mqtt311": of("mqtt311", cpu, 1),
        "ingest.telegraf_cpu_us_per_msg": of("telegraf", cpu, 1),
        "ingest.peak_mib": of("mqtt5", memory, 1),
        "ingest.telegraf_peak_mib": of("telegraf", memory, 1),
    }


def ratios(runs: Runs) -> Figures:
    def rate(run: Run) -> float:
        return run.drain.messages_per_s

    def cpu(run: Run) -> float:
        return run.drain.cpu_s

    def cpu_of_a_message(run: Run) -> float:
        return run.cpu_us

    compared = {
        "ingest.periscope_share_of_bare": ("mqtt5", "bare", rate),
        "ingest.over_telegraf_mqtt5": ("mqtt5", "telegraf", rate),
        "ingest.over_telegraf_mqtt311": ("mqtt311", "telegraf", rate),
        "ingest.cpu_over_telegraf_mqtt5": ("mqtt5", "telegraf", cpu),
        "ingest.cpu_over_telegraf": ("mqtt311", "telegraf", cpu),
        "ingest.cpu_after_start_over_telegraf_mqtt5": ("mqtt5", "telegraf", cpu_of_a_message),
        "ingest.cpu_after_start_over_telegraf": ("mqtt311", "telegraf", cpu_of_a_message),
    }
    found: Figures = {}
    for key, (ours, theirs, figure) in compared.items():
        turns = [figure(a) / figure(b) for a, b in zip(runs[ours], runs[theirs], strict=False)]
        found[key] = round(median(turns), 3) if turns else None
        if turns:
            print(f"  {key:44}{median(turns):6.2f}   ({min(turns):.2f} to {max(turns):.2f})")
    return found


def _table(runs: Runs, starts: dict[str, float]) -> None:
    print(
        f"{'':12}{'msg/s median':>14}{'lowest':>10}{'highest':>10}{'CPU us/msg':>12}{'+ start s':>11}{'peak MiB':>10}"
    )
    for name, every in runs.items():
        if not every:
            print(f"{name:12}{telegraf.REMEDY:>14}")
            continue
        paces = [run.drain.messages_per_s for run in every]
        print(
            f"{name:12}{median(paces):14,.0f}{min(paces):10,.0f}{max(paces):10,.0f}"
            f"{median(run.cpu_us for run in every):12.1f}{starts[name]:11.2f}"
            f"{max(run.drain.peak_mib for run in every):10.1f}"
        )


def parts(bench: Bench) -> Figures:
    """Which step of the collector the processor time goes to, in one run that measures itself."""
    with tempfile.TemporaryDirectory() as folder:
        drain = bench.drain_periscope(parts=Path(folder))
        files = {int(path.stem): json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))}
    spent = {"start": 0.0, "receive": 0.0, "other": 0.0}
    for pid, cpu in drain.cpu_by_process.items():
        steps = files.get(pid, {})
        # A process that is started after the connection spends this before its first step, whatever follows.
        began = steps.pop("began", 0.0) - drain.cpu_before.get(pid, 0.0)
        spent["start"] += (start := min(max(began, 0.0), cpu))
        cpu -= start
        for step, seconds in steps.items():
            spent[step] = spent.get(step, 0.0) + seconds
        # What is left of the process that commits is the way from the broker to the commit and back.
        spent["receive" if steps.get("commit") else "other"] += cpu - sum(steps.values())
    total_us = drain.cpu_s * 1e6 / bench.messages
    spent = {step: seconds * 1e6 / bench.messages for step, seconds in spent.items()}
    busiest = max(drain.cpu_by_process.values()) / drain.wall_s
    print(
        f"of {total_us:.0f} us of processor per message: "
        + ", ".join(f"{part} {us:.0f} ({us / total_us:.0%})" for part, us in spent.items())
        + f"; {_bound(max(spent, key=lambda part: spent[part]), busiest, len(drain.cpu_by_process))}"
    )
    return {f"ingest.{part}_cpu_us": round(us, 1) for part, us in spent.items()} | {
        "ingest.busiest_process_cores": round(busiest, 2)
    }


def _bound(part: str, busiest: float, processes: int) -> str:
    who = "its one process" if processes == 1 else f"the busiest of its {processes} processes"
    if busiest > 0.85:
        return f"{who} uses {busiest:.2f} cores, so that one core bounds it, mostly {part}"
    return f"{who} uses {busiest:.2f} cores: it waits for disk, broker or store, or for a core that others use"
