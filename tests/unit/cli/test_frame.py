"""What every verb has in common: help without cost, exit codes, how errors are told."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from reconciler import __version__
from reconciler.cli import exits, main
from reconciler.cli.difference_text import readable
from reconciler.cli.lazy import Branch, LazyGroup, Verb
from reconciler.cli.output import print_json
from reconciler.cli.sections import SECTIONS
from reconciler.cli.verbs import VERBS
from reconciler.errors import TnetError

HEAVY = ("pyroute2", "git", "cryptography", "msgspec", "ruamel.yaml", "watchfiles", "immutables")


def all_verbs() -> Iterator[tuple[str, Verb]]:
    for name, entry in VERBS.items():
        if isinstance(entry, Branch):
            yield from ((f"{name} {verb}", found) for verb, found in entry.verbs.items())
        else:
            yield name, entry


def leaves(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """The command, or the commands in it if it is a group."""
    if isinstance(command, click.Group):
        for word, child in command.commands.items():
            yield from leaves(child, f"{name} {word}")
    else:
        yield name, command


@pytest.mark.parametrize(
    "words", [["--help"], ["-h"], ["--version"], ["farm", "--help"], ["completion", "bash"]]
)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    script = (
        "import json, sys\n"
        "from reconciler.cli.main import main\n"
        f"code = main({words!r})\n"
        f"print(json.dumps([code, [name for name in {HEAVY!r} if name in sys.modules]]), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stderr.splitlines()[-1]) == [0, []]


def test_every_verb_stands_under_one_heading(capsys: pytest.CaptureFixture[str]) -> None:
    placed = [name for names in SECTIONS.values() for name in names]
    assert set(VERBS) <= set(placed)
    assert len(placed) == len(set(placed))
    main.main(["--help"])
    told = capsys.readouterr().out
    for name, entry in VERBS.items():
        assert f"\n  {name} " in told
        assert " ".join(entry.summary.split()) in " ".join(told.split())


def test_only_base64_is_cut_short_in_differences() -> None:
    sealed, flow = "A" * 1400 + "==", "{" + "a: 1, " * 300 + "}"
    told = f"+      ciphertext: {sealed}\n-    - key: {sealed}\n+  ciphertext: {flow}\n+ note: {sealed}\n"
    assert readable(told).splitlines() == [
        f"+      ciphertext: {'A' * 16}… (1402 characters)",
        f"-    - key: {'A' * 16}… (1402 characters)",
        f"+  ciphertext: {flow}",
        f"+ note: {sealed}",
    ]


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--version"]) == 0
    assert capsys.readouterr().out == f"tnet {__version__}\n"


@pytest.mark.parametrize(("name", "verb"), list(all_verbs()), ids=lambda value: str(value))
def test_every_verb_is_there_and_shows_an_example(name: str, verb: Verb) -> None:
    command = importlib.import_module(f"reconciler.cli.{verb.module}").command
    for words, leaf in leaves(command, name):
        assert leaf.help, f"tnet {words} has no help"
        assert leaf.epilog, f"tnet {words} has no example"
        assert "Example:" in leaf.epilog
        assert "tnet" in leaf.epilog


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["farm", "nonsense"],
        ["farm"],
        [],
        ["log", "--nonsense"],
        ["network", "create", "no-slash"],
    ],
)
def test_wrong_usage_ends_with_64(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(words) == exits.USAGE == 64
    assert "Usage: tnet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "why"),
    [("a", "two names"), ("a/b/c", "two names"), ("A/b", "lower-case"), ("a-/b", "hyphen"), ("a/b\n", "two")],
)
def test_a_bad_name_is_refused_before_anything_is_loaded(
    name: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["network", "delete", name]) == 64
    assert why in capsys.readouterr().err


def failing(error: BaseException) -> click.Command:
    @click.command()
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (TnetError("it broke", "mend it\nor don't"), 1, "tnet: error: it broke\n  mend it\n  or don't\n"),
        (TnetError("it broke"), 1, "tnet: error: it broke\n"),
        (PermissionError(13, "Permission denied", "/x"), 1, "tnet: error: /x: Permission denied\n"),
        (OSError(28, "No space left on device"), 1, "tnet: error: No space left on device\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_failures_are_told_in_one_way(
    error: BaseException,
    code: int,
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(main, "cli", failing(error))
    assert main.main([]) == code
    said = capsys.readouterr()
    assert (said.out, said.err.lstrip("\n")) == ("", told)


def test_a_defect_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "cli", failing(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main.main([])


def test_a_reader_that_goes_away_is_no_error() -> None:
    script = "from reconciler.cli.main import main; import sys; sys.exit(main(['--help']))"
    reader = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    reader.wait()
    assert reader.stdin is not None
    done = subprocess.run(
        [sys.executable, "-c", script], stdout=reader.stdin, stderr=subprocess.PIPE, text=True
    )
    reader.stdin.close()
    assert "Traceback" not in done.stderr


def test_verbs_are_completed_from_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TNET_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "tnet node ")
    monkeypatch.setenv("COMP_CWORD", "2")
    done = subprocess.run([sys.executable, "-m", "reconciler.cli.main"], capture_output=True, text=True)
    node = VERBS["node"]
    assert isinstance(node, Branch)
    assert {"init", "add", "config", "reanchor"} <= node.verbs.keys()
    assert [line.split(",")[1] for line in done.stdout.splitlines()] == list(node.verbs)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_completion_script_for(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["completion", shell]) == 0
    assert "_TNET_COMPLETE" in capsys.readouterr().out


def test_json_is_one_document_with_letters_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "Zoë"})
    assert capsys.readouterr().out == '{\n  "name": "Zoë"\n}\n'


def test_a_group_knows_its_verbs_without_loading_them() -> None:
    group = LazyGroup("g", {"gone": Verb("no_such_module", "Never loaded.")}, help="")
    context = click.Context(group)
    assert group.list_commands(context) == ["gone"]
    assert "Never loaded." in group.get_help(context)
    assert group.get_command(context, "other") is None
