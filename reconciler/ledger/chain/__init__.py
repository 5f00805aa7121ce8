"""Where the ledger begins, how far it is judged, and what is remembered of it. Begin with `course`."""
