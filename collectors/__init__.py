"""Messages in, events out. The path of one message:

1. `mqtt` takes it from the broker (`publish` reads the packets) and puts it in a bounded queue; nothing there can
   raise or block.
2. `intake` names its pilot and feed (`topics`), hides people (`pseudonym`) and bounds its size.
3. `spool` commits it to disk together with its `ledger` row; only then is it acknowledged.
4. `ingest` decodes it (`decoders`), checks identity, consent and clock (`clock_rules`): events or a reason.
5. `index` knows every event id of the last ten days: duplicate, correction, misuse or new.
6. `delivery` writes batches to the store, touches the days, then marks the messages as done; this and the two steps
   before it happen in a process of their own (`delivery_process`).
7. What can never be written is kept with its reason: `dead_letters`.
8. `collector` wires these and reports on them (`health`, the ledger as events).
"""
