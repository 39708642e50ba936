"""When people stop taking part, and when a feed falls silent.

state     pure: `step(state, rule, judged_day or None, now) -> (state, transitions)`
drop_off  from a pilot's days to judged days, and their replay
silence   from a feed's last sign of life to the same machine, by the clock
evaluate  the shell: replay, compare with what is recorded, record transitions

The detector of a fall in daily counts is pure, over arrays (series, days):

expectation  what is to be expected of a day: a weekly-seasonal quasi-Poisson fit
baseline     the fits in force, held while an incident is open
evidence     how strongly counts speak for a fall; bands
detector     the day loop and the state machine over both
power        how long a fall by half takes to be seen
"""
