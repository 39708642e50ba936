"""Who may see and do what.

`rules` is the one table; `guard` holds every request against it; `access` finds out who is there, from a `proxy`, a
session or, where nobody can be asked, as the demo's operator; `forgery` tells our own pages from others'; `throttle`
limits how often; `sign_in`, `provider_routes` and `oidc` are the ways in, and `plain_page` what they are shown on.
"""
