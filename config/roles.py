"""The roles that an account may have; `dashboard/access/rules.py` says what each may do."""

from typing import Final, Literal, get_args

Role = Literal["viewer", "operator", "evaluator", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
