"""What came of one pass, and how it is told: conditions of the node and of each network. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.agent import freshness
from reconciler.agent.status import Condition, NetworkStatus, Rejection, Status
from reconciler.compile.addresses import Slice, nr_slice
from reconciler.compile.node import NodeGraph
from reconciler.compile.part import NetworkPart
from reconciler.engine.result import Applied, Result
from reconciler.errors import TnetError
from reconciler.host.attachment import Attachment
from reconciler.kernel.objects import NODE_OWNER, WireGuard
from reconciler.ledger.verdict import Verdict
from reconciler.ledger.view import LedgerView
from reconciler.model.paths import network_path

SHOWN_REJECTIONS = 50
"""The newest rejected transactions that a status lists; `tnet log` has them all."""


@dataclass(frozen=True, slots=True)
class Report:
    """A pass as values. What is None or empty did not happen or was not reached. `lacking` says by owner
    what the kernel lacks for it, `other_host` that the ledger means another one."""

    node: str
    view: LedgerView | None = None
    trouble: TnetError | None = None
    unknown_node: bool = False
    other_host: str = ""
    compiled: NodeGraph | None = None
    lacking: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, Result] = field(default_factory=dict)
    kernel_trouble: TnetError | None = None
    unplugged: tuple[tuple[Attachment, str], ...] = ()
    attachment_trouble: TnetError | None = None

    @property
    def ok(self) -> bool:
        """Whether the ledger was read and the kernel is what it says."""
        reached = self.view is not None and self.compiled is not None and self.kernel_trouble is None
        judged = self.trouble is None and self.view is not None and self.view.alarm is None
        return reached and judged and not self.lacking and all(result.ok for result in self.results.values())


def to_status(report: Report, *, pid: int, time: str, passes: int, before: Status | None = None) -> Status:
    """`before` is the last status: a network that was not tried this time (back-off) keeps its conditions."""
    view = report.view
    if view is None:
        conditions = (_accepted(report),)
        return Status(node=report.node, pid=pid, time=time, passes=passes, node_conditions=conditions)
    return Status(
        node=report.node,
        pid=pid,
        time=time,
        passes=passes,
        tip=view.tip,
        mark=view.mark,
        state_hash=view.state_hash,
        alarm=view.alarm.message if view.alarm else "",
        begun_at=view.checkpoints.begun_at,
        witness=freshness.witness_status(view.checkpoints, datetime.fromisoformat(time)),
        checkpoint_notes=freshness.notes(view.checkpoints),
        rejected=_rejections(view.verdicts),
        node_conditions=_node_conditions(report, before, datetime.fromisoformat(time)),
        networks=_networks(report, view, before),
    )


def _rejections(verdicts: Iterable[Verdict]) -> tuple[Rejection, ...]:
    refused = [verdict for verdict in verdicts if not verdict.accepted]
    return tuple(
        Rejection(
            commit=verdict.commit,
            code=verdict.code,
            detail=verdict.detail,
            advice=verdict.advice,
            subject=verdict.subject,
        )
        for verdict in refused[-SHOWN_REJECTIONS:]
    )


# --- the node -------------------------------------------------------------------------------------


def _node_conditions(report: Report, before: Status | None, now: datetime) -> tuple[Condition, ...]:
    if report.unknown_node:
        converged = _condition(
            "Converged", False, "NodeUnknown", f"the ledger has no node {report.node}; nothing was changed"
        )
    elif NODE_OWNER in report.lacking:
        converged = _condition("Converged", False, "MissingFeature", report.lacking[NODE_OWNER])
    elif report.kernel_trouble is not None:
        converged = _condition("Converged", False, "KernelUnavailable", str(report.kernel_trouble))
    else:
        earlier = before.node_conditions if before else ()
        converged = _converged(report.results.get(NODE_OWNER), earlier)
    fresh = None if report.view is None else freshness.fresh(report.view.checkpoints, now)
    conditions = (_accepted(report), converged, _healthy(report, converged))
    return conditions if fresh is None else (*conditions, fresh)


def _accepted(report: Report) -> Condition:
    if report.view is not None and report.view.alarm is not None:
        alarm = report.view.alarm
        reason = alarm.kind.name.title().replace("_", "")
        return _condition("Accepted", False, reason, f"{alarm.message}; {alarm.advice}")
    if report.trouble is not None:
        kept = "; the last good state stands" if report.view is not None else ""
        reason = type(report.trouble).__name__
        return _condition(
            "Accepted", False, reason, f"{report.trouble}{kept}; {report.trouble.advice}".rstrip("; ")
        )
    return _condition("Accepted", True, "Judged", "the ledger was read and judged")


def _healthy(report: Report, converged: Condition) -> Condition:
    if not converged.status:
        return _condition("Healthy", False, "NotConverged", "see Converged")
    if report.other_host:
        advice = "correct `node` in the configuration, or let the farmer say: tnet node add --replace"
        return _condition("Healthy", False, "OtherHost", f"{report.other_host}; {advice}")
    if report.attachment_trouble is not None:
        message = f"{report.attachment_trouble}; {report.attachment_trouble.advice}"
        return _condition("Healthy", False, "NotAttached", message)
    if report.unplugged:
        what = "; ".join(f"{attachment.namespace}: {why}" for attachment, why in report.unplugged)
        return _condition("Healthy", False, "NotAttached", what)
    return _condition("Healthy", True, "Working")


# --- the networks ---------------------------------------------------------------------------------


def _networks(report: Report, view: LedgerView, before: Status | None) -> tuple[NetworkStatus, ...]:
    if report.compiled is None:
        return before.networks if before else ()
    newest = _last(view.verdicts)
    earlier = {network.netid: network for network in before.networks} if before else {}
    return tuple(
        _network(part, report, view, newest, earlier.get(part.netid)) for part in report.compiled.networks
    )


def _last(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    """By path, the last transaction that claimed to change it."""
    return {path: verdict for verdict in verdicts for path in verdict.paths}


def _network(
    part: NetworkPart,
    report: Report,
    view: LedgerView,
    newest: Mapping[str, Verdict],
    earlier: NetworkStatus | None,
) -> NetworkStatus:
    path = network_path(part.tenant, part.network)
    commit = view.last_change(path) or ""
    result = report.results.get(part.netid)
    converged = _network_converged(part, report, earlier.conditions if earlier else ())
    settled = earlier is not None and earlier.commit == commit
    held = _slice_here(part, report)
    return NetworkStatus(
        tenant=part.tenant,
        network=part.network,
        netid=part.netid,
        commit=commit,
        ipv4=str(held.ipv4) if held else "",
        ipv6=str(held.ipv6) if held else "",
        conditions=(
            _newest_accepted(newest.get(path)),
            converged,
            _network_healthy(part, converged, settled and _made_wireguard(result)),
        ),
    )


def _slice_here(part: NetworkPart, report: Report) -> Slice | None:
    network = report.view.model.network(part.tenant, part.network) if report.view else None
    if part.graph is None or network is None:
        return None
    here = (resource for resource in network.spec.resources if resource.node == report.node)
    resource = next(here, None)
    return nr_slice(network.spec.ipv4, network.spec.ipv6, resource.index) if resource else None


def _network_converged(part: NetworkPart, report: Report, earlier: Iterable[Condition]) -> Condition:
    if part.graph is None:
        return _condition("Converged", False, "NotBuilt", "see Healthy")
    if part.netid in report.lacking:
        return _condition("Converged", False, "MissingFeature", report.lacking[part.netid])
    if report.kernel_trouble is not None:
        return _condition("Converged", False, "KernelUnavailable", str(report.kernel_trouble))
    return _converged(report.results.get(part.netid), earlier)


def _newest_accepted(verdict: Verdict | None) -> Condition:
    if verdict is None or verdict.accepted:
        return _condition("Accepted", True, "Accepted")
    message = f"{verdict.commit[:12]} was rejected ({verdict.detail}); the content before it stands"
    return _condition("Accepted", False, "Rejected", message)


def _network_healthy(part: NetworkPart, converged: Condition, sessions_lost: bool) -> Condition:
    """What the compiler could not make whole comes first: it is the cause of the rest."""
    if part.conditions:
        reason = part.conditions[0].reason
        return _condition("Healthy", False, reason, "; ".join(item.message for item in part.conditions))
    if not converged.status:
        return _condition("Healthy", False, "NotConverged", "see Converged")
    if sessions_lost:
        message = "the WireGuard device had gone and was made again: every session began anew"
        return _condition("Healthy", True, "SessionsLost", message)
    return _condition("Healthy", True, "Working")


def _made_wireguard(result: Result | None) -> bool:
    """In a network whose document has not changed, that means the device had gone by itself."""
    return isinstance(result, Applied) and any(
        operation.verb == "add" and isinstance(operation.after, WireGuard)
        for operation in result.plan.operations()
    )


def _converged(result: Result | None, earlier: Iterable[Condition]) -> Condition:
    """Without a result the owner waits in back-off: what was said of it last is still so."""
    if result is None:
        last = next((condition for condition in earlier if condition.type == "Converged"), None)
        return last or _condition("Converged", False, "Waiting", "not tried yet")
    return _condition(
        "Converged", result.ok, "UpToDate" if result.ok else type(result).__name__, result.message
    )


def _condition(type_: str, status: bool, reason: str, message: str = "") -> Condition:
    return Condition(type=type_, status=status, reason=reason, message=message)
