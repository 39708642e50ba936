"""When people stop taking part, and when a feed falls silent.

state     pure: `step(state, rule, judged_day or None, now) -> (state, transitions)`
drop_off  from a pilot's days to judged days, and their replay
silence   from a feed's last sign of life to the same machine, by the clock
evaluate  the shell: replay, compare with what is recorded, record transitions
"""
