"""What the agent's log says when a status differs from the one before."""

from __future__ import annotations

from msgspec.structs import replace

from reconciler.agent.news import News, news
from reconciler.agent.status import Condition, NetworkStatus, Rejection, Status

TYPES = ("Accepted", "Converged", "Healthy")
GOOD = tuple(Condition(type=name, status=True, reason="Fine") for name in TYPES)
BAD = Condition(type="Converged", status=False, reason="RolledBack", message="EBUSY")
WEB = NetworkStatus(tenant="acme", network="web", netid="n", commit="c" * 40, conditions=GOOD)
REJECTED = Rejection(commit="d" * 40, code="unsigned", detail="the commit is not signed")
STATUS = Status(
    node="paris/p1",
    pid=1,
    time="",
    passes=1,
    mark="a" * 40,
    state_hash="b" * 40,
    node_conditions=GOOD,
    networks=(WEB,),
)


def told(before: Status | None, after: Status) -> list[tuple[str, bool]]:
    return [(item.text, item.good) for item in news(before, after)]


def with_web(*conditions: Condition) -> Status:
    return replace(STATUS, networks=(replace(WEB, conditions=conditions),))


def test_a_start_says_where_the_node_is() -> None:
    assert told(None, STATUS) == [
        ("the ledger's state is bbbbbbbbbbbb, of aaaaaaaaaaaa", True),
        ("paris/p1: ready", True),
        ("acme/web: ready", True),
    ]


def test_a_pass_that_changed_nothing_says_nothing() -> None:
    assert told(STATUS, replace(STATUS, passes=2, time="later")) == []
    reworded = tuple(replace(condition, message="30 operations done") for condition in GOOD)
    assert told(STATUS, with_web(*reworded)) == []


def test_trouble_is_told_once_and_its_end() -> None:
    broken = with_web(GOOD[0], BAD, GOOD[2])
    assert told(STATUS, broken) == [("acme/web: not Converged, RolledBack: EBUSY", False)]
    assert told(broken, replace(broken, passes=3)) == []
    assert told(broken, STATUS) == [("acme/web: Converged, Fine", True)]


def test_a_rejected_commit_is_told_once() -> None:
    after = replace(STATUS, rejected=(REJECTED,))
    assert told(STATUS, after) == [("rejected dddddddddddd (unsigned): the commit is not signed", False)]
    assert list(news(after, after)) == []


def test_a_network_that_another_transaction_changed() -> None:
    after = replace(STATUS, networks=(replace(WEB, commit="e" * 40),))
    assert told(STATUS, after) == [("acme/web: as of eeeeeeeeeeee", True)]


def test_networks_that_come_and_go() -> None:
    without = replace(STATUS, networks=())
    assert list(news(without, STATUS)) == [News("acme/web: ready", good=True)]
    assert list(news(STATUS, without)) == [News("acme/web: is no longer this node's", good=True)]
    assert told(without, with_web(BAD)) == [("acme/web: not Converged, RolledBack: EBUSY", False)]
