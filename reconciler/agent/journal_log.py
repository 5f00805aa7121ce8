"""Log lines for people on a terminal and for journald, which reads a priority from `<n>` at the start."""

from __future__ import annotations

import logging
import os
import sys

# sd-daemon(3): syslog priorities
_PRIORITY = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class _JournalFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        priority = _PRIORITY.get(record.levelno, 6)
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines())


def set_up_logging(verbose: bool = False) -> None:
    """Log to standard error, with priorities if that is journald's stream and with times if it is not."""
    handler = logging.StreamHandler(sys.stderr)
    if "JOURNAL_STREAM" in os.environ:
        handler.setFormatter(_JournalFormatter("%(name)s: %(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    for noisy in ("git", "watchfiles", "pyroute2", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
