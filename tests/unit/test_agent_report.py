"""What a pass's report says to people."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from reconciler.agent.report import Report, to_status
from reconciler.agent.status import Condition, NetworkStatus, Status
from reconciler.compile.conditions import suspended
from reconciler.compile.node import NodeGraph
from reconciler.compile.part import NetworkPart
from reconciler.engine.plan import Plan
from reconciler.engine.result import Applied, Result, RolledBack, Unchanged
from reconciler.kernel.graph import Graph
from reconciler.kernel.objects import NODE_OWNER, WireGuard
from reconciler.kernel.port import KernelUnavailable, Operation
from reconciler.ledger.repository.objects import CommitId, ObjectId
from reconciler.ledger.trouble import RemoteUnreachable
from reconciler.ledger.verdict import Reason, Verdict
from reconciler.ledger.view import Alarm, AlarmKind, LedgerView
from reconciler.model.documents import Metadata, Network, NetworkSpec, Resource, SealedKey
from reconciler.model.model import Model
from reconciler.model.paths import network_path
from reconciler.model.suspension import Suspended

NODE = "paris/p1"
PATH = network_path("acme", "web")
EMPTY = Graph.of(NODE_OWNER, ())
PART = NetworkPart("acme", "web", "netid", Graph.of("netid", ()), ())


def network() -> Network:
    sealed = SealedKey(key="a" * 26, ciphertext="AAAA")
    resource = Resource(
        node=NODE, node_id="a" * 26, index=3, slot=1, public_key="A" * 43 + "=", sealed=sealed
    )
    spec = NetworkSpec(ipv4="10.10.0.0/16", ipv6="fd00:1:2::/48", resources=(resource,))
    return Network(api_version="tnet/v1", metadata=Metadata(name="web"), spec=spec)


def verdict(number: int, reason: Reason, paths: tuple[str, ...] = (PATH,)) -> Verdict:
    return Verdict(
        commit=CommitId(f"{number:040x}"),
        position=number,
        reason=reason,
        detail="nobody signed it" if not reason.accepted else "",
        signers=(),
        paths=paths,
        subject="Change",
        author="x",
        date=0,
        state_hash="",
    )


def view(*verdicts: Verdict, alarm: Alarm | None = None) -> LedgerView:
    return LedgerView(
        tip=CommitId("f" * 40),
        mark=CommitId("e" * 40),
        effective_tree=ObjectId("d" * 40),
        model=Model.of({PATH: network()}),
        verdicts=verdicts,
        state_hash="abc",
        alarm=alarm,
        changed_by={
            path.encode(): each.commit
            for each in verdicts
            if each.reason.changes_state
            for path in each.paths
        },
    )


def report(ledger: LedgerView, part: NetworkPart = PART, **changes: object) -> Report:
    results: dict[str, Result] = {NODE_OWNER: Unchanged(NODE_OWNER), "netid": Unchanged("netid")}
    values = {"view": ledger, "compiled": NodeGraph(EMPTY, (part,)), "results": results, **changes}
    return Report(NODE, **values)  # type: ignore[arg-type]


def status(of: Report, before: Status | None = None) -> Status:
    return to_status(of, pid=1, time="2026-01-01T00:00:00Z", passes=1, before=before)


def condition(of: NetworkStatus | Status, type_: str) -> Condition:
    conditions = of.conditions if isinstance(of, NetworkStatus) else of.node_conditions
    return next(item for item in conditions if item.type == type_)


def test_a_quiet_pass_is_ready_and_names_the_transaction_it_comes_from() -> None:
    said = status(report(view(verdict(1, Reason.ACCEPTED), verdict(2, Reason.ACCEPTED, ("farms/x",)))))
    assert said.ready
    assert said.networks[0].commit == f"{1:040x}"
    assert said.networks[0].ipv4 == str(IPv4Network("10.10.3.0/24"))


def test_a_rejected_change_is_told_where_it_belongs_and_the_content_before_it_stands() -> None:
    said = status(report(view(verdict(1, Reason.ACCEPTED), verdict(2, Reason.UNSIGNED))))
    assert said.networks[0].commit == f"{1:040x}"
    accepted = condition(said.networks[0], "Accepted")
    assert not accepted.status
    assert "nobody signed it" in accepted.message
    assert [(item.code, bool(item.advice)) for item in said.rejected] == [("unsigned", True)]
    assert condition(said.networks[0], "Converged").status


def test_an_unreachable_remote_keeps_the_last_good_state() -> None:
    said = status(report(view(verdict(1, Reason.ACCEPTED)), trouble=RemoteUnreachable("no route", "look")))
    accepted = condition(said, "Accepted")
    assert (accepted.status, accepted.reason) == (False, "RemoteUnreachable")
    assert "last good state" in accepted.message
    assert condition(said, "Converged").status


def test_nothing_can_be_said_before_the_ledger_was_read_once() -> None:
    said = status(Report(NODE, trouble=RemoteUnreachable("no route", "look")))
    assert not said.ready
    assert said.networks == ()


def test_a_rewritten_ledger_is_an_alarm() -> None:
    alarm = Alarm(AlarmKind.REWRITTEN, "history was rewritten", "ask", CommitId("a" * 40))
    said = status(report(view(alarm=alarm)))
    assert said.alarm == "history was rewritten"
    assert condition(said, "Accepted").reason == "Rewritten"
    assert not report(view(alarm=alarm)).ok


def test_a_network_that_was_rolled_back_says_why_and_the_node_stays_converged() -> None:
    failed = RolledBack(Plan(Graph.of("netid", ())), "add link x: EEXIST")
    said = status(report(view(), results={NODE_OWNER: Unchanged(NODE_OWNER), "netid": failed}))
    converged = condition(said.networks[0], "Converged")
    assert (converged.status, converged.reason) == (False, "RolledBack")
    assert "EEXIST" in converged.message
    assert condition(said, "Converged").status
    assert not said.ready


def test_a_network_in_back_off_keeps_what_was_said_of_it() -> None:
    failed = RolledBack(Plan(Graph.of("netid", ())), "add link x: EEXIST")
    first = status(report(view(), results={NODE_OWNER: Unchanged(NODE_OWNER), "netid": failed}))
    second = status(report(view(), results={NODE_OWNER: Unchanged(NODE_OWNER)}), before=first)
    assert condition(second.networks[0], "Converged") == condition(first.networks[0], "Converged")


def test_a_wireguard_device_that_went_by_itself_is_told_and_a_first_one_is_not() -> None:
    device = WireGuard("tnet-netid", "wnetid", 1420, "A" * 43 + "=", 51000, "")
    plan = Plan(Graph.of("netid", (device,)), phase_1=((Operation("add", "netid", None, device),),))
    results: dict[str, Result] = {NODE_OWNER: Unchanged(NODE_OWNER), "netid": Applied(plan)}
    ledger = view(verdict(1, Reason.ACCEPTED))
    first = status(report(ledger, results=results))
    assert condition(first.networks[0], "Healthy").reason == "Working"
    second = status(report(ledger, results=results), before=first)
    assert condition(second.networks[0], "Healthy").reason == "SessionsLost"
    assert second.ready


def test_a_network_for_which_the_kernel_lacks_something_says_what_to_install() -> None:
    results: dict[str, Result] = {NODE_OWNER: Unchanged(NODE_OWNER)}
    said = report(view(), results=results, lacking={"netid": "no WireGuard (install wireguard-go)"})
    converged = condition(status(said).networks[0], "Converged")
    assert (converged.status, converged.reason) == (False, "MissingFeature")
    assert "install wireguard-go" in converged.message
    assert not said.ok


def test_a_suspended_network_says_why() -> None:
    why = suspended(Suspended("NotGranted", "the grant is gone"))
    part = NetworkPart("acme", "web", "netid", None, (why,))
    said = status(report(view(), part))
    assert condition(said.networks[0], "Healthy").reason == "Suspended"
    assert "grant" in condition(said.networks[0], "Healthy").message
    assert said.networks[0].ipv4 == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"unknown_node": True, "compiled": None}, "NodeUnknown"),
        ({"kernel_trouble": KernelUnavailable("no permission")}, "KernelUnavailable"),
    ],
)
def test_what_keeps_a_node_from_converging_is_named(changes: dict[str, object], reason: str) -> None:
    said = status(report(view(), **changes))
    assert condition(said, "Converged").reason == reason
    assert not condition(said, "Healthy").status


def test_a_host_that_the_ledger_does_not_mean_is_told_what_to_do() -> None:
    said = status(report(view(verdict(1, Reason.ACCEPTED)), other_host="this host's id is a, the ledger's b"))
    healthy = condition(said, "Healthy")
    assert (healthy.status, healthy.reason) == (False, "OtherHost")
    assert "this host's id is a" in healthy.message
    assert "--replace" in healthy.message
