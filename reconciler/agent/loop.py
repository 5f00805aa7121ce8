"""The agent: pass after pass, until it is told to stop. Stopping leaves every network up."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from reconciler.agent.news import news
from reconciler.agent.node import Node
from reconciler.agent.notify import notify
from reconciler.agent.report import Report, to_status
from reconciler.agent.status import Status, write_status
from reconciler.agent.wake import STOP, Waker

log = logging.getLogger(__name__)


class Publisher:
    """Turns reports into the status file, counting passes."""

    def __init__(self, path: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._path = path
        self._now = now
        self.last: Status | None = None

    def publish(self, report: Report) -> Status:
        passes = self.last.passes + 1 if self.last else 1
        time = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        self.last = to_status(report, pid=os.getpid(), time=time, passes=passes, before=self.last)
        try:
            write_status(self.last, self._path)
        except OSError as error:
            log.error("%s can't be written: %s", self._path, error)
        return self.last


def run(
    node: Node, publisher: Publisher, waker: Waker, after_pass: Callable[[], None] = lambda: None
) -> None:
    """One pass at once, then one for every wake-up. A pass that was begun is finished before stopping."""
    reasons = frozenset({"start"})
    ready = False
    while STOP not in reasons:
        log.log(_level(reasons), "pass: %s", ", ".join(sorted(reasons)))
        before = publisher.last
        status = publisher.publish(node.run_pass())
        _tell(before, status)
        notify(*([] if ready else ["READY=1"]), f"STATUS={summary(status)}")
        if not ready:
            _settle_memory()
        ready = True
        after_pass()
        reasons = waker.wait(node.seconds_to_retry())
    notify("STOPPING=1")
    log.info("stopping; the networks stay up")


def _tell(before: Status | None, after: Status) -> None:
    for item in news(before, after):
        log.log(logging.INFO if item.good else logging.WARNING, "%s", item.text)


def _settle_memory() -> None:
    """What the first pass has made mostly stays: two thirds of a later compile went into looking at it
    for garbage (1000 networks)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _level(reasons: frozenset[str]) -> int:
    """The timer's passes are of no interest to a reader of the log."""
    return logging.DEBUG if reasons <= {"timer", "retry"} else logging.INFO


def summary(status: Status) -> str:
    """One line for the service manager."""
    networks = f"{sum(network.ready for network in status.networks)} of {len(status.networks)} networks ready"
    wrong = [condition for condition in status.node_conditions if not condition.status]
    return f"{networks}; {wrong[0].type}: {wrong[0].reason}" if wrong else networks
