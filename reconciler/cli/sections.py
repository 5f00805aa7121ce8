"""The headings under which `tnet --help` lists the verbs."""

from __future__ import annotations

from collections.abc import Mapping

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Whose ledger, whose key": ("init", "trust", "key"),
    "What it says": ("farm", "node", "tenant", "network"),
    "Editing it": ("commit", "check", "adopt", "repair", "rollback"),
    "Reading it": ("log", "diff", "trace", "ledger", "receipt"),
    "How far it has come, and forks": ("checkpoint", "reanchor"),
    "On a node": ("plan", "apply", "agent", "status", "attach", "detach"),
    "Elsewhere": ("server-hook", "lab", "completion"),
}
