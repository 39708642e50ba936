"""Which methods, tools, techniques and skills suit which pilot, and who takes part in which decisions.

`activities` reads what happened at each activity from a pilot's rows; `cells` makes the method-fit table of it, `best`
the probability of being best; `interaction` and `one_size` ask whether one size fits all; `decisions`, `skills` and
`coded` tell who decides, what was needed, and what stood in the way. All are pure; `pipeline.findings` has the types.
"""
