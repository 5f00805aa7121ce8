"""A node from its configuration: the real ledger, the real kernel, the node's own identity."""

from __future__ import annotations

import time

from reconciler.agent.config import AgentConfig
from reconciler.agent.keys import NodeKeys
from reconciler.agent.node import Node, Parts
from reconciler.engine.journal import Journal
from reconciler.host.attachment import AttachmentStore
from reconciler.host.plug import plug_again
from reconciler.kernel.netlink_kernel import NetlinkKernel
from reconciler.kernel.probe import probe
from reconciler.ledger.config import LedgerConfig
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.repository.objects import CommitId
from reconciler.model.yaml_parser import require_parser
from reconciler.services.wireguard_go import linux_transport


def assemble(config: AgentConfig) -> Node:
    """Raises TnetError if this host has no identity or can't be used as a node."""
    require_parser()
    keys = NodeKeys(config.identity_directory, config.node)
    return Node(
        Parts(
            name=config.node,
            ledger=Ledger(ledger_config(config)),
            kernel=NetlinkKernel(linux_transport(config.run), keys),
            keys=keys,
            journal=Journal(config.journal_directory),
            attachments=AttachmentStore(config.attachment_directory),
            plug_again=plug_again,
            probe=probe,
            clock=time.monotonic,
        )
    )


def ledger_config(config: AgentConfig) -> LedgerConfig:
    return LedgerConfig(
        remote=config.remote,
        branch=config.branch,
        anchor=CommitId(config.anchor),
        root_fingerprints=frozenset(config.root_keys),
        directory=config.state,
        checkpoints=config.checkpoints or None,
    )
