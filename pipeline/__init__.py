"""Events in, indicators and alerts out.

run       touched days of the store → partials → values → alerts → store: the only loop
partials  stage 1: the events of one pilot-local day as one document
history   stage 2: the days of one pilot, and sets of people over any window of them
quality   what a feed delivered of what it announced
indicators  the registry: each indicator is a function of a window, and words
release   the one place that hides small numbers of people
answers   what pages and exports ask
alerts    pure state machines over judged days; `operations` keeps incidents
delivery  how incidents reach people: a row of the outbox for each channel, and workers that send
"""
