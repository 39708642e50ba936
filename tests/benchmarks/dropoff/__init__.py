"""A benchmark of detectors of engagement drop-off: simulated daily counts, rules, scoring, and the figures A1 to A12.

generator  the series and what happens to them
rules      what each rule says of a series: one score per day, higher is more alarming
scoring    false alarms, detections and their intervals
figures    A1 to A11 by the production detector
rivals     the rules side by side at equal false-alarm rates (A12)
published  the 16 published daily signals
reports    the real monthly series of civic reports
"""
