"""Progress as a person sees it: a line that renews itself on a terminal, a line now and then elsewhere, or nothing."""

import io

import pytest

from collectors.import_progress import ProgressLine


class Screen(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_terminal_sees_rate_share_and_time_left_in_one_line(clock: Clock) -> None:
    screen = Screen(terminal=True)
    line = ProgressLine(clock=clock, to=screen)
    line.begin("a.csv", 100, 0.1)
    clock.now += 10
    line.show(1100, 0.35)
    clock.now += 0.1
    line.show(1200, 0.4)
    line.close()
    assert screen.getvalue() == "\r\x1b[Ka.csv: 1,100 rows, 100 rows/s, 35%, 26 s left\n"


def test_elsewhere_a_plain_line_comes_every_ten_seconds(clock: Clock) -> None:
    screen = Screen(terminal=False)
    line = ProgressLine(clock=clock, to=screen)
    line.begin("a.csv")
    for second in range(1, 26):
        clock.now = 100 + second
        line.show(second * 10, second / 100)
    line.close()
    assert screen.getvalue().splitlines() == [
        "a.csv: 100 rows, 10 rows/s, 10%, 1 min 30 s left",
        "a.csv: 200 rows, 10 rows/s, 20%, 1 min 20 s left",
    ]


def test_of_a_stream_nobody_knows_the_end(clock: Clock) -> None:
    screen = Screen(terminal=False)
    line = ProgressLine(clock=clock, to=screen)
    line.begin("stdin", share=None)
    clock.now += 10
    line.show(500, None)
    assert screen.getvalue() == "stdin: 500 rows, 50 rows/s\n"


def test_quiet_shows_nothing(clock: Clock) -> None:
    screen = Screen(terminal=True)
    line = ProgressLine(quiet=True, clock=clock, to=screen)
    line.begin("a.csv")
    clock.now += 100
    line.show(5, 0.5)
    line.say("delivering")
    line.close()
    assert screen.getvalue() == ""
