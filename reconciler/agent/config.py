"""The node's configuration file: who this node is, which ledger it follows, where it keeps things."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from reconciler.errors import TnetError
from reconciler.ledger.checkpoints import checkpoint_branch

DEFAULT_PATH = Path("/etc/tnet/agent.yaml")

_ADVICE = "write it with `tnet node config`; docs/operations.md lists every field"


class ConfigError(TnetError):
    """The configuration can't be read or isn't valid."""


class AgentConfig(Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """What `/etc/tnet/agent.yaml` says.

    `anchor` is the full id of the commit that the node trusts because it was told so; `root_keys` are
    the fingerprints (`SHA256:...`) of the root keys that the anchor's policy must name. `checkpoints` is the
    branch on which checkpoints travel, "" if none are to be looked for.
    """

    node: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,63}/[a-z0-9-]{1,63}$")]
    remote: Annotated[str, Meta(min_length=1)]
    anchor: Annotated[str, Meta(pattern=r"^[0-9a-f]{40}$")]
    root_keys: Annotated[tuple[str, ...], Meta(min_length=1)]
    branch: str = "main"
    checkpoints: Annotated[str, Meta(pattern=r"^([A-Za-z0-9_][A-Za-z0-9_./-]*)?$")] = checkpoint_branch.NAME
    state_dir: str = "/var/lib/tnet"
    run_dir: str = "/run/tnet"
    interval_seconds: Annotated[float, Meta(ge=1, le=86400)] = 30.0

    @property
    def state(self) -> Path:
        return Path(self.state_dir)

    @property
    def run(self) -> Path:
        return Path(self.run_dir)

    @property
    def ledger_directory(self) -> Path:
        return self.state / "ledger.git"

    @property
    def identity_directory(self) -> Path:
        return self.state / "identity"

    @property
    def journal_directory(self) -> Path:
        return self.state / "journal"

    @property
    def attachment_directory(self) -> Path:
        return self.state / "attachments"

    @property
    def status_file(self) -> Path:
        return self.run / "status.json"


def load_config(path: Path = DEFAULT_PATH) -> AgentConfig:
    """Read the configuration; raises ConfigError that names the file and the field."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file, so this host is not a node yet", _ADVICE) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: can't be read: {error}", _ADVICE) from error
    try:
        return msgspec.convert(YAML(typ="safe").load(io.StringIO(text)), AgentConfig)
    except (YAMLError, msgspec.ValidationError) as error:
        raise ConfigError(f"{path}: {error}", _ADVICE) from error
