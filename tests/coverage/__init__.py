"""Intervals and tests against planted truth: `make coverage` (docs/coverage.md)."""
