"""One pass over a node: what the ledger says now, made true in its kernel, and what came of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from reconciler.agent.backoff import Backoff
from reconciler.agent.report import Report
from reconciler.agent.requirements import explain, missing_features
from reconciler.compile.node import NodeGraph, compile_node
from reconciler.engine.converge import NodePlan, converge, observe, plan_node
from reconciler.engine.journal import Journal
from reconciler.engine.result import NotStarted, Result
from reconciler.errors import TnetError
from reconciler.host.attachment import Attachment, AttachmentError, AttachmentStore
from reconciler.kernel.graph import Graph
from reconciler.kernel.objects import NODE_OWNER
from reconciler.kernel.port import Kernel, KernelUnavailable
from reconciler.kernel.probe import Capabilities
from reconciler.ledger.trouble import LocalTrouble
from reconciler.ledger.view import LedgerView
from reconciler.model.model import Model

log = logging.getLogger(__name__)


class NodeUnknown(TnetError):
    """The ledger's effective state has no such node."""


class LedgerReader(Protocol):
    """Where the effective state comes from; `Ledger` is it."""

    def sync(self) -> LedgerView:
        """Fetch and judge. Raises LocalTrouble."""
        ...

    def judge_local(self) -> LedgerView:
        """Judge what is in the clone, without a network. Raises LocalTrouble."""
        ...


class Keys(Protocol):
    """The private keys behind a model; told when there is a new one."""

    def update(self, model: Model) -> None: ...

    def other_host(self, model: Model) -> str:
        """Why this host is not the one that the model has under the node's name; "" if it is."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a node is made of; see `assemble` for the real ones."""

    name: str
    ledger: LedgerReader
    kernel: Kernel
    keys: Keys
    journal: Journal
    attachments: AttachmentStore
    plug_again: Callable[[tuple[Attachment, ...]], tuple[tuple[Attachment, str], ...]]
    probe: Callable[[], Capabilities]
    clock: Callable[[], float]


class Node:
    """Keeps what has to be known from one pass to the next: the last good view, and who is in back-off."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._view: LedgerView | None = None
        self._compiled: NodeGraph | None = None
        self._capabilities: Capabilities | None = None
        self._backoff = Backoff()

    def seconds_to_retry(self) -> float | None:
        """How long until a network that failed may be tried again; None if none failed."""
        moment = self._backoff.next_retry()
        return None if moment is None else max(moment - self._parts.clock(), 0.0)

    def run_pass(self, *, fetch: bool = True, confirmed: bool = False) -> Report:
        """Raises nothing that a person or time can mend: that is in the report."""
        trouble = self._read_ledger(fetch)
        report = Report(self._parts.name, view=self._view, trouble=trouble)
        if self._view is None:
            return report
        if self._view.model.node(self._parts.name) is None:
            return replace(report, unknown_node=True)
        compiled = self._compiled = compile_node(self._view.model, self._parts.name, self._compiled)
        self._parts.keys.update(self._view.model)
        lacking = self._lacking(compiled)
        other_host = self._parts.keys.other_host(self._view.model)
        report = replace(report, compiled=compiled, lacking=lacking, other_host=other_host)
        if NODE_OWNER in lacking:
            return report
        try:
            report = replace(report, results=self._converge(compiled, lacking.keys(), confirmed))
        except KernelUnavailable as error:
            return replace(report, kernel_trouble=error)
        try:
            with self._parts.attachments.alone():
                return replace(report, unplugged=self._parts.plug_again(self._attachments(report.results)))
        except AttachmentError as error:
            return replace(report, attachment_trouble=error)

    def _attachments(self, results: Mapping[str, Result]) -> tuple[Attachment, ...]:
        """Those of networks that stand here as they should. The rest wait for their network: that it lacks
        a namespace is no fault of its own."""
        standing = {owner for owner, result in results.items() if result.ok}
        return tuple(item for item in self._parts.attachments.all() if item.netid in standing)

    def plan(self, *, fetch: bool = True) -> NodePlan:
        """What a pass would do now. Raises LocalTrouble, NodeUnknown or KernelUnavailable."""
        parts = self._parts
        view = parts.ledger.sync() if fetch else parts.ledger.judge_local()
        if view.model.node(parts.name) is None:
            raise NodeUnknown(
                f"the ledger has no node {parts.name}",
                "a farmer adds it: tnet node add; or correct `node` in the config",
            )
        compiled = compile_node(view.model, parts.name)
        lacking = self._lacking(compiled)
        graphs = [graph for graph in graphs_of(compiled) if graph.owner not in lacking]
        found = plan_node(graphs, observe(graphs, parts.kernel), keep=lacking.keys())
        refused = tuple(NotStarted(owner, f"the kernel lacks: {why}") for owner, why in lacking.items())
        return replace(found, results=(*found.results, *refused), titles=titles_of(compiled))

    def _read_ledger(self, fetch: bool) -> LocalTrouble | None:
        """Keep the last good view when the remote can't be asked; take the clone's when there is none yet."""
        try:
            self._view = self._parts.ledger.sync() if fetch else self._parts.ledger.judge_local()
        except LocalTrouble as trouble:
            log.debug("the ledger can't be read: %s", trouble)
            self._view = self._view or self._last_good()
            return trouble
        return None

    def _last_good(self) -> LedgerView | None:
        try:
            return self._parts.ledger.judge_local()
        except LocalTrouble as trouble:
            log.debug("nor is there a last good state: %s", trouble)
            return None

    def _lacking(self, compiled: NodeGraph) -> dict[str, str]:
        """By owner, what its graph needs and this kernel lacks. Tried again while something is missing: a
        package or module may have been installed."""
        if self._capabilities is None or self._capabilities.missing:
            self._capabilities = self._parts.probe()
        missing = {graph.owner: missing_features(graph, self._capabilities) for graph in graphs_of(compiled)}
        return {owner: explain(features) for owner, features in missing.items() if features}

    def _converge(
        self, compiled: NodeGraph, lacking: Collection[str], confirmed: bool
    ) -> Mapping[str, Result]:
        """Owners in back-off, and those for which the kernel lacks something, are left as they are."""
        desired = {graph.owner: graph for graph in graphs_of(compiled)}
        now = self._parts.clock()
        due = [
            graph
            for owner, graph in desired.items()
            if owner not in lacking and self._backoff.due(owner, graph, now)
        ]
        waiting = desired.keys() - {graph.owner for graph in due}
        results = converge(due, self._parts.kernel, self._parts.journal, keep=waiting, confirmed=confirmed)
        self._note(results, desired, now)
        return results

    def _note(self, results: Mapping[str, Result], desired: Mapping[str, Graph], now: float) -> None:
        for owner, result in results.items():
            if result.ok:
                self._backoff = self._backoff.succeeded(owner)
            else:
                log.debug("%s: %s", owner, result.message)
                self._backoff = self._backoff.failed(owner, desired.get(owner), now)


def graphs_of(compiled: NodeGraph) -> list[Graph]:
    """Every graph of the node, its own first."""
    return [compiled.node, *(part.graph for part in compiled.networks if part.graph is not None)]


def titles_of(compiled: NodeGraph) -> dict[str, str]:
    """By netid, how a person calls the network."""
    return {part.netid: f"{part.tenant}/{part.network} ({part.netid})" for part in compiled.networks}
