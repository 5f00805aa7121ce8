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

DIFFERENCE_MEMORY_BYTES = 512 << 20
"""Memory for git to find what a commit changed: enough for several hundred thousand paths. A few trees that
hold each other many times over would take any amount. Not part of the rules: what needs more gets no
verdict."""

MAX_DOCUMENT_BYTES = 256 * 1024
"""Bytes of one document."""
