"""Protocol constants: how much one transaction may ask of a node.

The same on every node, so verdicts agree.
"""

from __future__ import annotations

PROTOCOL = 1
"""The number of these rules, as `spec.protocol` of the policy names it."""

MAX_PATHS = 10_000
"""Paths that one transaction may change, not counting repairs."""

MAX_MERGED_COMMITS = 10_000
"""Commits that one merge may bring in, if it changes something governed."""

MAX_MERGE_WORK = 1_000_000
"""Paths times commits of one merge."""

MAX_DOCUMENT_BYTES = 256 * 1024
"""Bytes of one document."""
