"""Attaching and detaching by name: from what a person types to what is remembered and plugged."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Network

from reconciler.agent.config import AgentConfig
from reconciler.agent.status import NetworkStatus, read_status
from reconciler.host.attachment import Attachment, AttachmentError, AttachmentStore, new_attachment
from reconciler.host.plug import plug, seen, unplug


def attach(
    config: AgentConfig, network: str, namespace: str, interface: str, address: IPv4Address | None
) -> Attachment:
    """Plug it in, then remember it. Raises AttachmentError; then nothing is left of the attempt."""
    here = _network_here(config, network)
    store = AttachmentStore(config.attachment_directory)
    with store.alone():
        return _attach(store, here, namespace, interface, address)


def _attach(
    store: AttachmentStore,
    here: NetworkStatus,
    namespace: str,
    interface: str,
    address: IPv4Address | None,
) -> Attachment:
    attachment = new_attachment(
        here.tenant,
        here.network,
        here.netid,
        (IPv4Network(here.ipv4), IPv6Network(here.ipv6)),
        namespace,
        interface,
        store.all(),
        address,
        seen(namespace),
    )
    plug(attachment)
    try:
        store.add(attachment)
    except OSError:
        unplug(attachment)
        raise
    return attachment


def _network_here(config: AgentConfig, network: str) -> NetworkStatus:
    networks = read_status(config.status_file).networks
    for candidate in networks:
        if network == f"{candidate.tenant}/{candidate.network}" and candidate.ipv4:
            return candidate
    here = ", ".join(f"{item.tenant}/{item.network}" for item in networks if item.ipv4) or "none"
    raise AttachmentError(
        f"{network} has no resource on {config.node}; networks here: {here}",
        "add the node to the network first: tnet network add-node, then wait until it has converged",
    )


def detach(config: AgentConfig, network: str, namespace: str, interface: str) -> None:
    """Pull it out and forget it. Raises AttachmentError if it is not attached."""
    store = AttachmentStore(config.attachment_directory)
    with store.alone():
        _detach(store, network, namespace, interface)


def _detach(store: AttachmentStore, network: str, namespace: str, interface: str) -> None:
    attachments = {_plug_name(attachment): attachment for attachment in store.all()}
    found = attachments.get((network, namespace, interface))
    if found is None:
        there = "; ".join(" ".join(name) for name in attachments) or "nothing is"
        raise AttachmentError(
            f"{namespace} is not attached to {network} as {interface}", f"attached: {there}"
        )
    unplug(found)
    store.remove(found)


def _plug_name(attachment: Attachment) -> tuple[str, str, str]:
    return f"{attachment.tenant}/{attachment.network}", attachment.namespace, attachment.interface
