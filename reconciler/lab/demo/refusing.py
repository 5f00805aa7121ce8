"""What must be refused: by every node, with the reason in its status, and without a change in any kernel."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from reconciler.agent.status import Rejection
from reconciler.lab.agents import await_status
from reconciler.lab.demo.check import Check, compare
from reconciler.lab.demo.scene import Scene
from reconciler.lab.jobs import Job, outputs
from reconciler.lab.observe import differences
from reconciler.model.paths import network_path

_VICTIM = "acme"
_STRANGER = "globex"


def unsigned(scene: Scene) -> Iterator[Check]:
    """Somebody who can write to the repository deletes a tenant's network, in its name but unsigned."""
    network = scene.network(_VICTIM)
    scene.look("before the unsigned commit")
    scene.repository.delete(network_path(_VICTIM, network.name))
    commit = scene.repository.commit_unsigned(
        f"network {_VICTIM}/{network.name}: delete", scene.person(_VICTIM)
    )
    scene.repository.push()
    yield from _refused(scene, commit, "an unsigned commit")
    yield from _repaired(scene, commit, "before the unsigned commit")


def stranger(scene: Scene) -> Iterator[Check]:
    """The other tenant signs, properly, with its own key: that it rules this network is what isn't so."""
    network = scene.network(_VICTIM)
    path = network_path(_VICTIM, network.name)
    scene.look("before the other tenant's commit")
    text = (scene.record.worktree / path).read_bytes()
    scene.repository.write(path, text.replace(b"10.10.0.0/16", b"10.20.0.0/16"))
    signer = scene.person(_STRANGER)
    subject = f"network {_VICTIM}/{network.name}: another range"
    commit = scene.repository.commit((path,), subject, signer)
    scene.repository.push()
    yield from _refused(scene, commit, f"a commit on {_VICTIM}'s network by {_STRANGER}'s key")
    yield from _repaired(scene, commit, "before the other tenant's commit")


def _refused(scene: Scene, commit: str, what: str) -> Iterator[Check]:
    scene.progress("waiting for every node's verdict")
    await_status(
        scene.lab.nodes,
        lambda status: any(each.commit == commit for each in status.rejected),
        f"rejected {commit[:12]}",
    )
    verdicts = _rejections(scene, commit)
    reasons = {f"{each.code}: {each.detail}" for each in verdicts.values()}
    claim = f"every node refuses {what}; `tnet status` says why:"
    yield Check(claim, verdicts.keys() == {node.name for node in scene.lab.nodes}, tuple(reasons), shown=True)
    yield compare("all of them for the same reason", 1, len(reasons))


def _rejections(scene: Scene, commit: str) -> Mapping[str, Rejection]:
    """What `tnet status -o json` says of the commit on each node."""
    texts = outputs(Job(node, ["tnet", "status", "-o", "json"]) for node in scene.lab.nodes)
    found = {}
    for node, text in zip(scene.lab.nodes, texts, strict=True):
        for said in json.loads(text)["rejected"]:
            if said["commit"] == commit:
                found[node.name] = Rejection(commit=commit, code=said["code"], detail=said["detail"])
    return found


def _repaired(scene: Scene, commit: str, before: str) -> Iterator[Check]:
    """No kernel has changed; a plain revert mends the repository, and needs no signature, since it only
    says again what is in effect."""
    changed = differences(scene.seen[before], scene.look("refused"))
    yield Check("nothing has changed in any kernel", not changed, changed)
    scene.repository.revert(commit, None)
    scene.await_converged(scene.repository.push())
    changed = differences(scene.seen[before], scene.look("repaired"))
    yield Check(
        "an unsigned revert of it repairs the repository, and changes no kernel either", not changed, changed
    )


def rewritten(scene: Scene) -> Iterator[Check]:
    """The branch is set back behind what the nodes have accepted, and goes on from there, well signed."""
    scene.look("before the rewriting")
    true_tip = scene.repository.head
    network = scene.network(_VICTIM)
    path = network_path(_VICTIM, network.name)
    signer = scene.person(_VICTIM)
    scene.repository.go_to(f"{scene.commits['extend']}^")
    text = (scene.record.worktree / path).read_bytes()
    scene.repository.write(path, text.replace(b"10.10.0.0/16", b"10.20.0.0/16"))
    false_tip = scene.repository.commit((path,), f"network {_VICTIM}/{network.name}: another range", signer)
    scene.repository.push_forced(false_tip)
    scene.progress("waiting for every node's alarm")
    statuses = await_status(
        scene.lab.nodes, lambda status: bool(status.alarm), "alarmed at the rewritten history"
    )
    alarms = {status.alarm for status in statuses.values()}
    claim = f"every node refuses the rewritten history (signed by {signer.name}, {_VICTIM}'s own key):"
    yield Check(claim, bool(alarms), tuple(sorted(alarms)), shown=True)
    changed = differences(scene.seen["before the rewriting"], scene.look("rewritten"))
    yield Check("nothing has changed in any kernel", not changed, changed)
    scene.repository.go_to(true_tip)
    scene.repository.push_forced(true_tip)
    statuses = scene.await_converged(true_tip)
    yield Check("the true history is back: every alarm is over", not any(s.alarm for s in statuses.values()))
    changed = differences(scene.seen["before the rewriting"], scene.look("true again"))
    yield Check("and still nothing has changed in any kernel", not changed, changed)
