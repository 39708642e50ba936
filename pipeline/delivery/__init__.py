"""Incidents reach people: at least once, each with one id that never changes, and no channel waits for another.

A transition writes a notification and, for each channel that hears it, a row of the outbox, in its own transaction.
Each channel's worker gathers its rows into letters; a process of its own makes each attempt, so that it can be ended.

routes     which channels hear of an incident
notices    the notification of a transition: its id, its words, its rows
gathering  pure: which waiting rows become which letters; groups, and the storm cap
letters    pure: the words of a letter, for programs and for people
outbox     rows and letters in the operational database
patience   pure: when a failed letter is tried again, and when it is given up
channels   the channels of the settings; addresses never leave them unhidden
attempt    one attempt with a deadline, by a process of its own (send)
send       that process: one letter through webhook, mail or through_apprise
reminders  what time alone brings: repeats, silences that end, the watchdog
post       the workers, and the ping of the dead-man's switch
"""
