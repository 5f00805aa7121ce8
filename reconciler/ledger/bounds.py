"""Protocol constants: how much one transaction may ask of a node (docs/spec/ledger.md, sections 7 and 9).

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

MAX_NEAREST_AUTHORS = 64
"""Lines on which a path may have been changed behind one commit of a merge."""

MAX_LISTED = 100_000
"""Entries, files and directories, that may differ under the governed roots for a transaction to be looked at
in detail, repairs and all."""

MAX_DEPTH = 16
"""Names in the path of such an entry. A document's path has five at most."""

MAX_PATH_BYTES = 512
"""Bytes in it. A document's path has at most 150."""

MAX_REMEMBERED_PATHS = 100
"""Paths that are remembered of a transaction beside those that it changed, in order to be shown."""

MAX_TRANSACTION_BYTES = 32 << 20
"""Bytes of all documents that one transaction brings."""

MAX_DOCUMENT_BYTES = 256 * 1024
"""Bytes of one document."""
