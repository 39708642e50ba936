"""The Log: how an operator records what happened, and how people check in.

`draft` reads what a browser sent, `events` turns a record into CloudEvents, `desk` keeps and corrects records, `post`
hands their events to the broker through the port in `publisher`. `words`, `controls` and `steps` draw the form,
`listing` what was recorded, `check_in` and `tokens` the address behind an activity's QR code.
"""
