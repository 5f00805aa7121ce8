"""The ready workflows: safe against who opens a request, and really run, step by step."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.ledger.repository.objects import CommitId
from tests.integration.forge.forge_api import Comment, ForgeApi, serving
from tests.integration.forge.place import CHECKOUT
from tests.integration.forge.workflows import DIRECTORY, Runner, load, run
from tests.integration.ledger.world import DAVE, MALLORY, SHOP, WEB, World, network

ACTIONS = ("github.yml", "forgejo.yml")
SOURCE = ("reconciler", "benchmarks", "deploy", "pyproject.toml", "README.md", "LICENSE")

pytestmark = pytest.mark.xdist_group("workflows")


# --- what they may and what they see ----------------------------------------------------------------------


def steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


@pytest.mark.parametrize("name", ACTIONS)
def test_a_request_cannot_change_what_runs(name: str) -> None:
    """The workflow is the base branch's, uses nobody's actions, and puts no text of a request in a script."""
    workflow = load(name)
    assert list(workflow[True]) == ["pull_request_target"]  # YAML's `on`
    for step in steps(workflow):
        assert "uses" not in step
        assert "${{" not in step["run"]


@pytest.mark.parametrize("name", ACTIONS)
def test_no_secret_is_within_reach(name: str) -> None:
    assert "secrets." not in (DIRECTORY / name).read_text()
    by_name = {step["name"]: step for step in steps(load(name))}
    with_token = {step for step, each in by_name.items() if "github.token" in str(each.get("env"))}
    assert with_token == {"Judge", "Comment"}


def test_github_gives_each_job_the_least() -> None:
    workflow = load("github.yml")
    permissions = {name: job["permissions"] for name, job in workflow["jobs"].items()}
    assert workflow["permissions"] == {}
    assert permissions == {"judge": {"contents": "read"}, "comment": {"pull-requests": "write"}}


@pytest.mark.parametrize("name", (*ACTIONS, "gitlab.yml"))
def test_whose_ledger_it_is_comes_from_the_forges_settings(name: str) -> None:
    text = (DIRECTORY / name).read_text()
    if name in ACTIONS:
        judge = next(step for step in steps(load(name)) if step["name"] == "Judge")
        assert judge["env"]["TNET_ANCHOR"] == "${{ vars.TNET_ANCHOR }}"
        assert judge["env"]["TNET_ROOT_KEYS"] == "${{ vars.TNET_ROOT_KEYS }}"
    else:
        assert "TNET_ANCHOR=" not in text, "GitLab's variables are in the environment as they are set"


def test_only_gitlabs_schedule_on_the_protected_branch_has_the_token() -> None:
    workflow = load("gitlab.yml")
    using = {name for name, job in workflow.items() if "TNET_TOKEN" in str(job)}
    assert using == {"tnet:comment"}
    (rule,) = workflow["tnet:comment"]["rules"]
    assert rule["if"] == '$CI_PIPELINE_SOURCE == "schedule" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH'


def test_what_reads_a_request_gets_no_environment(sandbox: Sandbox, tmp_path: Path) -> None:
    """A `tnet` that prints its environment into the report: no token, no setting but the ledger's own."""
    (tmp_path / "bin").mkdir()
    spy = tmp_path / "bin" / "tnet"
    spy.write_text("#!/bin/sh\nenv\n")
    spy.chmod(0o755)
    report = tmp_path / "report.md"
    environment = {
        **sandbox.asked(sandbox.good),
        "PATH": f"{spy.parent}:{os.environ['PATH']}",
        "LEDGER_TOKEN": "hush",
        "FORGE_TOKEN": "hush",
    }
    assert run(f"sh {DIRECTORY}/check.sh {report}", tmp_path, environment) == 0
    names = {line.partition("=")[0] for line in report.read_text().splitlines()}
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {
        "PATH",
        "HOME",
        "LC_ALL",
        "TNET_ANCHOR",
        "TNET_ROOT_KEYS",
    }
    assert "hush" not in report.read_text()


# --- run ----------------------------------------------------------------------------------------------------


class Sandbox:
    """A forge's repository with three requests: a good one, a bad one, one that holds what git refuses."""

    def __init__(self, directory: Path) -> None:
        self.world = World(directory)
        self.world.populate()
        forge = self.world.forge
        self.good = forge.branch({WEB: network("web", 1, [("paris/p1", 1, 5)])}, DAVE, forge.tip)
        self.bad = forge.branch({SHOP: None}, MALLORY, forge.tip)
        blob = forge.write("blob", b"x\n")
        twice = b"".join(b"100644 notes\0" + bytes.fromhex(blob) for _ in range(2))
        self.odd = forge.add(forge.payload(forge.write("tree", twice), [forge.tip], "Twice"), {}, push=False)
        for number, commit in enumerate((self.good, self.bad, self.odd), start=1):
            for ref in (f"refs/pull/{number}/head", f"refs/merge-requests/{number}/head"):
                forge.git("update-ref", ref, commit)

    def close(self) -> None:
        self.world.ledger.close()

    def asked(self, commit: CommitId, ref: str = "refs/pull/1/head") -> dict[str, str]:
        """What check.sh is told."""
        return {
            "LEDGER_URL": str(self.world.forge.path),
            "REQUEST_REF": ref,
            "REQUEST_COMMIT": commit,
            "TNET_ANCHOR": self.world.anchor.commit,
            "TNET_ROOT_KEYS": " ".join(self.world.anchor.root_fingerprints),
        }


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A repository with this checkout's tnet, and the commit to pin."""
    there = tmp_path_factory.mktemp("source")
    for name in SOURCE:
        ignored = shutil.ignore_patterns("__pycache__")
        if (CHECKOUT / name).is_dir():
            shutil.copytree(CHECKOUT / name, there / name, ignore=ignored)
        else:
            shutil.copy(CHECKOUT / name, there / name)
    identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
    for words in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "Release"]):
        subprocess.run(["git", "-C", str(there), *words], check=True)
    told = subprocess.run(["git", "-C", str(there), "rev-parse", "HEAD"], capture_output=True, check=True)
    return there, told.stdout.decode().strip()


@pytest.fixture(scope="module")
def installed(source: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace after the step that installs tnet. It is the same in both workflows."""
    workspace = tmp_path_factory.mktemp("workspace")
    scripts = [next(steps(load(name))) for name in ACTIONS]
    assert scripts[0] == scripts[1]
    values = {"vars.TNET_SOURCE": str(source[0]), "vars.TNET_COMMIT": source[1]}
    assert Runner(workspace, values).step(scripts[0])[0] == 0
    return workspace


def values(
    api: ForgeApi, sandbox: Sandbox, source: tuple[Path, str], number: int, head: str
) -> dict[str, str]:
    """What the forge knows of the event. The `server` is a directory here."""
    path = sandbox.world.forge.path
    return {
        "vars.TNET_SOURCE": str(source[0]),
        "vars.TNET_COMMIT": source[1],
        "vars.TNET_ANCHOR": sandbox.world.anchor.commit,
        "vars.TNET_ROOT_KEYS": " ".join(sandbox.world.anchor.root_fingerprints),
        "vars.TNET_LANDING": "",
        "vars.TNET_COMMENTER || 'forgejo-actions'": "forgejo-actions",
        "github.server_url": str(path.parent),
        "github.repository": path.name,
        "github.api_url": api.url,
        "github.token": api.token,
        "github.event.pull_request.number": str(number),
        "github.event.pull_request.base.ref": "main",
        "github.event.pull_request.head.sha": head,
    }


def run_actions(name: str, runner: Runner, api: ForgeApi, tmp_path: Path) -> int:
    """The steps after the installation, the second job in a workspace of its own; how the check ends."""
    workflow = load(name)
    judge = next(step for step in steps(workflow) if step["name"] == "Judge")
    code, outputs = runner.step(judge)
    assert code == 0
    elsewhere = tmp_path / "comment-job"
    shutil.rmtree(elsewhere, ignore_errors=True)
    elsewhere.mkdir()
    job = Runner(elsewhere, runner.values)
    posting, verdict = workflow["jobs"]["comment"]["steps"]
    posting = {**posting, "env": {**posting["env"], "FORGE_API": api.url}}
    assert job.step(posting, **outputs)[0] == 0
    return job.step(verdict, **outputs)[0]


@pytest.mark.parametrize(
    ("name", "me"), [("github.yml", "github-actions[bot]"), ("forgejo.yml", "forgejo-actions")]
)
def test_actions_comment_on_a_request_and_keep_one_comment(
    name: str, me: str, sandbox: Sandbox, source: tuple[Path, str], installed: Path, tmp_path: Path
) -> None:
    with serving(ForgeApi(me, "t0ken")) as api:
        lookalike = Comment("mallory", "<!-- tnet check -->\n### tnet: nodes would accept this")
        talk = {number: Comment("alice", "hm") for number in range(120)}
        api.comments[2] = {**talk, 500: lookalike}
        good = Runner(installed, values(api, sandbox, source, 1, sandbox.good))
        assert run_actions(name, good, api, tmp_path) == 0
        bad = Runner(installed, values(api, sandbox, source, 2, sandbox.bad))
        assert run_actions(name, bad, api, tmp_path) == 1
        assert run_actions(name, bad, api, tmp_path) == 1
    (accepted,) = api.comments[1].values()
    assert "nodes would accept this" in accepted.body
    assert "to add" in accepted.body
    ours = [each for each in api.comments[2].values() if each.author == me]
    assert ["nodes would reject this" in each.body for each in ours] == [True], "one, put in its own place"
    assert lookalike.body.endswith("nodes would accept this")
    assert not api.refused


@pytest.mark.parametrize("name", ACTIONS)
def test_what_cannot_be_judged_says_so_and_fails(
    name: str, sandbox: Sandbox, source: tuple[Path, str], installed: Path, tmp_path: Path
) -> None:
    with serving(ForgeApi("x", "t0ken")) as api:
        odd = Runner(installed, values(api, sandbox, source, 3, sandbox.odd))
        assert run_actions(name, odd, api, tmp_path) == 2
        moved = Runner(installed, values(api, sandbox, source, 1, sandbox.bad))
        assert run_actions(name, moved, api, tmp_path) == 2
    assert "an object that git refuses" in next(iter(api.comments[3].values())).body
    assert "changed meanwhile" in next(iter(api.comments[1].values())).body


def gitlab_environment(
    api: ForgeApi, sandbox: Sandbox, source: tuple[Path, str], tmp_path: Path
) -> dict[str, str]:
    path = sandbox.world.forge.path
    return {
        "TMPDIR": str(tmp_path),
        "TNET_SOURCE": str(source[0]),
        "TNET_COMMIT": source[1],
        "TNET_ANCHOR": sandbox.world.anchor.commit,
        "TNET_ROOT_KEYS": " ".join(sandbox.world.anchor.root_fingerprints),
        "CI_PROJECT_URL": str(path.with_suffix("")),
        "CI_MERGE_REQUEST_PROJECT_URL": str(path.with_suffix("")),
        "CI_JOB_TOKEN": "job",
        "CI_DEFAULT_BRANCH": "main",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_API_V4_URL": api.url,
        "CI_PROJECT_ID": "42",
    }


def gitlab_script(job: str) -> str:
    workflow = load("gitlab.yml")
    assert workflow[job]["extends"] == ".tnet"
    return "\n".join((*workflow[".tnet"]["before_script"], *workflow[job]["script"]))


def test_gitlabs_schedule_comments_on_every_open_request(
    sandbox: Sandbox, source: tuple[Path, str], tmp_path: Path
) -> None:
    with serving(ForgeApi("tnet-bot", "t0ken")) as api:
        api.requests = [(1, sandbox.good), (2, sandbox.bad), (3, sandbox.odd)]
        environment = gitlab_environment(api, sandbox, source, tmp_path)
        secret = {"TNET_TOKEN": api.token, "TNET_COMMENTER": api.me}
        assert run(gitlab_script("tnet:comment"), tmp_path, {**environment, **secret}) == 0
    told = {number: next(iter(here.values())).body for number, here in api.comments.items()}
    assert "nodes would accept this" in told[1]
    assert "nodes would reject this" in told[2]
    assert "could not be judged" in told[3]


@pytest.mark.parametrize(("number", "code"), [(1, 0), (2, 1)])
def test_gitlabs_own_pipeline_of_a_request_says_the_same_without_a_token(
    number: int, code: int, sandbox: Sandbox, source: tuple[Path, str], installed: Path, tmp_path: Path
) -> None:
    workflow = load("gitlab.yml")
    with serving(ForgeApi("x", "t0ken")) as api:
        environment = gitlab_environment(api, sandbox, source, tmp_path)
        commit = (sandbox.good, sandbox.bad)[number - 1]
        event = {"CI_MERGE_REQUEST_IID": str(number), "CI_COMMIT_SHA": commit}
        path = {"PATH": f"{installed}/venv/bin:{os.environ['PATH']}"}
        (script,) = workflow["tnet:judge"]["script"]
        assert run(script, installed, {**environment, **event, **path}) == code
