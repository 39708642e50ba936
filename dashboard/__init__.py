"""Stored facts in, pages out.

`app` builds the one Dash; `queries` makes every read; `selection` is what the reader chose, as kept in the address;
`shell` is what all pages share; `frame` is how every figure is shown; `figures` draw; `pages` put them together.
"""
