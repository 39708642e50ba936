"""When people stop taking part, and when a feed falls silent.

series       what is counted: totals, kinds, segments, use; by which rule each is watched
streams      from a pilot's history to daily counts, and which days may be judged
gate         which feed-days can be trusted, and what that leaves of each stream
drop_off     the replay of a pilot's whole past: what opened and closed
cells        a day by kind and segment at once, with the people behind it
parts        who accounts for a fall, and whether a wider fall does
states       the state of each stream-day: written down when it changes, kept as a series
explanation  why an alert fired, in numbers and in one paragraph
silence      from a feed's last sign of life, by the clock
suspicion    a feed without rhythm that has been without a sign for too long
transition   what is recorded when something begins or ends
care         what people do about incidents
stories      an incident as a reader wants it
evaluate     the shell: replay, compare with what is recorded, record transitions

The detector of a fall in daily counts is pure, over arrays (series, days):

expectation  what is to be expected of a day: a weekly-seasonal quasi-Poisson fit
baseline     the fits in force, held while an incident is open
evidence     how strongly counts speak for a fall; bands
detector     the day loop and the state machine over both
power        how long a fall by half takes to be seen
"""
