"""Periscope beside a bare subscriber and Telegraf: the same messages, broker and store, in turns.

Ratios are medians over rounds: neighbours in time share what else the machine was doing. Each is printed with the
lowest and highest round.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.benchmarks.ingest import Bench, Drain
from tests.services import telegraf

Figures = dict[str, float | None]
Runs = dict[str, list[Drain]]


def drains(bench: Bench, rounds: int) -> Figures:
    """Rates, processor time and memory of every contestant, and how they stand to each other."""
    contestants: dict[str, Callable[[], Drain | None]] = {
        "mqtt5": bench.drain_periscope,
        "bare": bench.drain_bare,
        "mqtt311": lambda: bench.drain_periscope("3.1.1"),
        "telegraf": bench.drain_telegraf,
    }
    runs: Runs = {name: [] for name in contestants}
    for number in range(rounds):
        # Each round turns the order round, so that a warm machine favours nobody.
        for name in list(contestants)[:: -1 if number % 2 else 1]:
            if (drain := contestants[name]()) is not None:
                runs[name].append(drain)
                print(f"  round {number + 1}: {name:10} {drain.messages_per_s:8,.0f} msg/s", flush=True)
    _table(runs)
    return _rates(runs) | _ratios(runs)


def _rates(runs: Runs) -> Figures:
    def of(name: str, figure: Callable[[Drain], float], digits: int) -> float | None:
        return round(median(map(figure, runs[name])), digits) if runs[name] else None

    return {
        "ingest.periscope_msgs_per_s": of("mqtt5", lambda d: d.messages_per_s, 0),
        "ingest.periscope_mqtt311_msgs_per_s": of("mqtt311", lambda d: d.messages_per_s, 0),
        "ingest.bare_msgs_per_s": of("bare", lambda d: d.messages_per_s, 0),
        "ingest.telegraf_msgs_per_s": of("telegraf", lambda d: d.messages_per_s, 0),
        "ingest.cpu_us_per_msg": of("mqtt5", lambda d: d.cpu_us, 1),
        "ingest.cpu_us_per_msg_mqtt311": of("mqtt311", lambda d: d.cpu_us, 1),
        "ingest.telegraf_cpu_us_per_msg": of("telegraf", lambda d: d.cpu_us, 1),
        "ingest.peak_mib": of("mqtt5", lambda d: d.peak_mib, 1),
        "ingest.telegraf_peak_mib": of("telegraf", lambda d: d.peak_mib, 1),
    }


def _ratios(runs: Runs) -> Figures:
    def rate(drain: Drain) -> float:
        return drain.messages_per_s

    def cpu(drain: Drain) -> float:
        return drain.cpu_us

    compared = {
        "ingest.periscope_share_of_bare": ("mqtt5", "bare", rate),
        "ingest.over_telegraf_mqtt5": ("mqtt5", "telegraf", rate),
        "ingest.over_telegraf_mqtt311": ("mqtt311", "telegraf", rate),
        "ingest.cpu_over_telegraf_mqtt5": ("mqtt5", "telegraf", cpu),
        "ingest.cpu_over_telegraf": ("mqtt311", "telegraf", cpu),
    }
    found: Figures = {}
    for key, (ours, theirs, figure) in compared.items():
        ratios = [figure(a) / figure(b) for a, b in zip(runs[ours], runs[theirs], strict=False)]
        found[key] = round(median(ratios), 3) if ratios else None
        if ratios:
            print(f"  {key:34}{median(ratios):6.2f}   ({min(ratios):.2f} to {max(ratios):.2f})")
    return found


def _table(runs: Runs) -> None:
    print(f"{'':12}{'msg/s median':>14}{'lowest':>10}{'highest':>10}{'CPU us/msg':>12}{'peak MiB':>10}")
    for name, every in runs.items():
        if not every:
            print(f"{name:12}{telegraf.REMEDY:>14}")
            continue
        rates = [d.messages_per_s for d in every]
        print(
            f"{name:12}{median(rates):14,.0f}{min(rates):10,.0f}{max(rates):10,.0f}"
            f"{median(d.cpu_us for d in every):12.1f}{max(d.peak_mib for d in every):10.1f}"
        )


def parts(bench: Bench, _rounds: int) -> Figures:
    """Which step of the collector the processor time goes to, in one run that measures itself."""
    with tempfile.TemporaryDirectory() as folder:
        drain = bench.drain_periscope(parts=Path(folder))
        time.sleep(0.3)  # each process renews its file ten times a second; a last one may be due
        files = [json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))]
    total_us = drain.cpu_us
    spent = {part: sum(file[part] for file in files) * 1e6 / bench.messages for part in files[0]}
    spent = {"receive": total_us - sum(spent.values()), **spent}
    busiest = drain.cpu_by_process[0] / drain.wall_s
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
