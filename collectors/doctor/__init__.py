"""`periscope doctor`: what goes wrong in practice, found by looking, each with its remedy.

`examine` runs all checks; `finding` is what they return and the list of their codes. `broker`, `queue` and `session`
ask the broker, `store` the store, `health` the collector that runs here; `spool_look` reads the spool, which `spool`
and `feeds` judge. docs/doctor.md explains every code.
"""
