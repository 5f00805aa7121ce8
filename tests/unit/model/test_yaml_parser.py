"""Only one parser is believed: with another, nothing is read, and that is said."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml as pyyaml
from yaml import _yaml as binding

from reconciler.model import loader, yaml, yaml_parser
from reconciler.model.problems import DocumentError
from reconciler.model.yaml_parser import ParserUnfit, require_parser
from tests.unit.model import example

pytestmark = pytest.mark.rule(3)


@pytest.fixture(autouse=True)
def looked_at_anew() -> Iterator[None]:
    """What was found out about one test's parser isn't remembered for the next."""
    yaml_parser._parser.cache_clear()
    yield
    yaml_parser._parser.cache_clear()


def test_the_parser_that_is_installed_here_is_the_one() -> None:
    require_parser()
    assert yaml.read(b"a: 1\n") == {"a": 1}


@pytest.mark.parametrize("version", [(0, 2, 4), (0, 2, 6), (0, 1, 7), (1, 0, 0)])
def test_another_version_of_libyaml_reads_nothing(
    version: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binding, "get_version", lambda: version)
    with pytest.raises(ParserUnfit, match=r"libyaml \d\.\d\.\d, and nodes read with 0\.2\.5") as caught:
        yaml.read(b"a: 1\n")
    assert "wheel" in caught.value.advice


def test_a_parser_that_only_says_that_it_is_the_one_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML's own parser in the place of libyaml's: much the same, and not the same."""
    monkeypatch.setattr(binding, "CParser", pyyaml.Loader)
    with pytest.raises(ParserUnfit, match="otherwise than libyaml"):
        yaml.read(b"a: 1\n")


def test_that_the_parser_is_unfit_is_no_fault_of_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for what would be right nor for what would be wrong."""
    monkeypatch.setattr(binding, "get_version", lambda: (0, 2, 4))
    for data in (example.texts()[example.WEB].encode() + b"# new\n", b"a: [", b"\xff"):
        with pytest.raises(ParserUnfit) as caught:
            loader.load(example.WEB, data)
        assert not isinstance(caught.value, DocumentError | yaml.YamlError)


def python_without_libyaml(directory: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Runs a program where PyYAML is as it is when it was built without libyaml."""
    source = Path(pyyaml.__file__).parent
    shutil.copytree(source, directory / "yaml", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    paths = os.pathsep.join((str(directory), str(example.ROOT)))
    command: list[Any] = [sys.executable, "-c", program]
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_a_pyyaml_without_libyaml_reads_nothing(tmp_path: Path) -> None:
    program = (
        "import yaml; assert not yaml.__with_libyaml__\n"
        "from reconciler.cli.exits import report_tnet_error\n"
        "from reconciler.model.loader import load\n"
        "from reconciler.model.yaml_parser import ParserUnfit\n"
        "try:\n    load('trust/policy.yaml', b'a: 1')\n"
        "except ParserUnfit as unfit:\n    raise SystemExit(report_tnet_error(unfit))\n"
    )
    done = python_without_libyaml(tmp_path, program)
    assert done.returncode == 1, done.stderr
    assert "tnet: error: PyYAML is installed without libyaml" in done.stderr
    assert "Install PyYAML from its wheel" in done.stderr


def test_an_agent_without_the_parser_does_not_start(tmp_path: Path) -> None:
    config = tmp_path / "agent.yaml"
    config.write_text(
        f'node: paris/p1\nremote: {tmp_path}/none.git\nanchor: "{"1" * 40}"\n'
        f'rootKeys: ["SHA256:{"A" * 43}"]\n'
        f"stateDir: {tmp_path}/state\nrunDir: {tmp_path}/run\n"
    )
    program = (
        "import sys\nfrom reconciler.cli.main import main\n"
        f"sys.argv = ['tnet', 'agent', '--config', {str(config)!r}]\nraise SystemExit(main())\n"
    )
    done = python_without_libyaml(tmp_path / "packages", program)
    assert done.returncode == 1, done.stderr
    assert "PyYAML is installed without libyaml" in done.stderr
