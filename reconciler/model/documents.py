"""The seven kinds of document, as immutable typed values.

The types say everything that can be said of one field; `loader` turns bytes into them, `rules` holds what
two fields or two documents must agree on. JSON Schemas are generated from these types (`schema`), so
a constraint is written once, here.

Field names are camelCase in YAML and snake_case here.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

ApiVersion = Literal["tnet/v1"]

_END = r"$(?!\n)"
"""The end of the text. `$` alone also matches before a last line break in Python (not so in ECMAScript,
whose dialect JSON Schema uses; there the look-ahead changes nothing)."""

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"


def _form(words: str) -> dict[str, str]:
    """What a text must look like, kept where a field says something else of it; error messages show it."""
    return {"form": words}


_LABEL_FORM = "lower-case letters, digits and hyphens between them, at most 63 characters"

DnsLabel = Annotated[
    str,
    Meta(
        pattern=rf"^{_LABEL}{_END}",
        description="A DNS label (RFC 1123).",
        extra=_form(f"A DNS label: {_LABEL_FORM}."),
    ),
]
NodeRef = Annotated[
    str,
    Meta(
        pattern=rf"^{_LABEL}/{_LABEL}{_END}",
        description="A node, as `<farm>/<node>`.",
        extra=_form(f"A node, as `<farm>/<node>`; each {_LABEL_FORM}."),
    ),
]
SshPublicKey = Annotated[
    str,
    Meta(
        pattern=r"^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa"
        r"|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]+={0,2}" + _END,
        description="An OpenSSH public key without a comment.",
        extra=_form(
            "An OpenSSH public key, ed25519, ecdsa or rsa, or of a security key: the first two words of a"
            " .pub file."
        ),
    ),
]
PathPattern = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9.-]+(/([a-z0-9.-]+|\*))+" + _END,
        max_length=300,
        description="A document's path; `*` stands for any one name in it, with the name's `.yaml`.",
        extra=_form("A document's path, with `*` for any name: `tenants/ac/acme/networks/*`."),
    ),
]
CommitHash = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{40}" + _END,
        description="The id of a commit without its signature, as `tnet tenant withdraw` writes it, or the"
        " commit's own.",
        extra=_form("A commit's id: 40 digits 0-9, a-f."),
    ),
]
WireGuardKey = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9+/]{43}=" + _END,
        description="A Curve25519 public key, base64.",
        extra=_form("A WireGuard public key as `wg pubkey` prints it: 44 characters of base64."),
    ),
]
Base64 = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9+/]+={0,2}" + _END,
        max_length=8192,
        description="Base64.",
        extra=_form("Base64 in one line."),
    ),
]
Ip = Annotated[str, Meta(max_length=45, description="An IPv4 or IPv6 address.")]
Prefix = Annotated[str, Meta(max_length=49, description="An IPv4 or IPv6 prefix, host bits zero.")]
Port = Annotated[int, Meta(ge=1, le=65535, description="A port number.")]
Vni = Annotated[int, Meta(ge=1, le=16777215, description="A VXLAN network identifier (RFC 7348), 24 bits.")]
Index = Annotated[
    int, Meta(ge=1, le=65535, description="The NR's number in its network; addresses derive from it.")
]
Slot = Annotated[
    int,
    Meta(
        ge=1,
        le=65535,
        description="The NR's number on its node; UDP port and transit addresses derive from it.",
    ),
]
InterfaceName = Annotated[
    str,
    Meta(
        pattern=r"^(?!(\.\.?|all|default|lo)$)[A-Za-z0-9._-]{1,15}" + _END,
        description="A network interface.",
        extra=_form("The name of a network interface, 1 to 15 characters; not `lo`, `all` or `default`."),
    ),
]
UniqueId = Annotated[
    str,
    Meta(
        pattern=r"^[a-z2-7]{26}" + _END,
        description="Names one key or machine for ever.",
        extra=_form("26 characters of lower-case base32, as `tnet node init` prints them."),
    ),
]


class _Document(Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """Settings that every part of a document shares."""


class Metadata(_Document, frozen=True):
    """What a document is called. The path it lies at must say the same."""

    name: DnsLabel
    description: Annotated[
        str, Meta(max_length=1000, description="For people. Everybody can read it, for ever.")
    ] = ""


class Principal(_Document, frozen=True):
    """A person or a machine that signs. However many of its keys sign, it counts once."""

    name: Annotated[DnsLabel, Meta(description="A pseudonym, a DNS label; unique in this list.")]
    keys: Annotated[
        tuple[SshPublicKey, ...],
        Meta(min_length=1, max_length=16, description="OpenSSH public keys; any of them signs for it."),
    ]


class Signers(_Document, frozen=True):
    """Who may sign for something, and how many distinct principals of them it takes."""

    principals: Annotated[
        tuple[Principal, ...], Meta(min_length=1, max_length=64, description="Who may sign.")
    ]
    threshold: Annotated[
        int, Meta(ge=1, le=64, description="How many distinct principals must sign together.")
    ] = 1


class Rule(_Document, frozen=True):
    """Other signers for some of the paths that the document's own signers would sign for."""

    paths: Annotated[
        tuple[PathPattern, ...],
        Meta(min_length=1, max_length=32, description="For which paths; of several rules the first counts."),
    ]
    signers: Annotated[Signers, Meta(description="Who signs for them, instead of the document's own.")]


Rules = Annotated[
    tuple[Rule, ...],
    Meta(max_length=32, description="Paths with signers of their own. The document itself is none of them."),
]
Withdrawn = Annotated[
    tuple[CommitHash, ...],
    Meta(max_length=1024, description="Signed commits that approve nothing any more."),
]


# --- Policy: trust/policy.yaml ---------------------------------------------------------------------


class PolicySpec(_Document, frozen=True):
    """Who is root, and by which rules the ledger is read."""

    protocol: Annotated[
        Literal[1], Meta(description="The number of the ledger's rules (docs/spec/ledger.md).")
    ]
    version: Annotated[int, Meta(ge=1, description="Goes up by one with every change of this file.")]
    root: Annotated[Signers, Meta(description="Who registers farms and tenants and changes this file.")]
    rules: Rules = ()
    witness: Annotated[
        Signers | None,
        Meta(description="Whose keys sign witness checkpoints: online, and good for nothing else."),
    ] = None
    withdrawn: Withdrawn = ()


class Policy(_Document, frozen=True, tag_field="kind", tag="Policy"):
    """Who is root: the start of all trust. Signed by root, old threshold and new."""

    api_version: ApiVersion
    metadata: Metadata
    spec: PolicySpec


# --- Suspension: trust/suspensions/<tenant>.yaml ----------------------------------------------------


class SuspensionSpec(_Document, frozen=True):
    """Why a tenant is suspended."""

    reason: Annotated[
        str,
        Meta(
            pattern=r"^[^\n]*[^\n \t][^\n]*" + _END,
            max_length=200,
            description="Why, in one line; every node shows it, and everybody can read it, for ever.",
            extra=_form("One line of text that isn't empty."),
        ),
    ]


class Suspension(_Document, frozen=True, tag_field="kind", tag="Suspension"):
    """Stops all networks of the tenant it is named after, until it is removed. Signed by root."""

    api_version: ApiVersion
    metadata: Metadata
    spec: SuspensionSpec


# --- Farm: farms/<farm>/farm.yaml ------------------------------------------------------------------


class PortRange(_Document, frozen=True):
    """UDP ports `first` to `first + count - 1`; a NR listens on `first + slot - 1`."""

    first: Annotated[Port, Meta(description="The UDP port of slot 1.")]
    count: Annotated[
        int, Meta(ge=1, le=65535, description="How many ports, and so how many slots, each node has.")
    ]


class FastNetwork(_Document, frozen=True):
    """A network between the farm's nodes that is trusted to carry VXLAN unencrypted."""

    prefix: Annotated[Prefix, Meta(description="The prefix that the nodes' fast addresses are in.")]
    mtu_bytes: Annotated[
        int,
        Meta(
            ge=1350,
            le=65535,
            description="The largest packet it carries, in bytes; below 1350, IPv6 in VXLAN has no room.",
        ),
    ] = 1500


PerNode = Annotated[
    Annotated[int, Meta(ge=1, le=65535)] | None,
    Meta(description="How many of a tenant's NRs may be on one node; not bounded if left out."),
]


class OpenGrant(_Document, frozen=True):
    """What a farmer lets every tenant place that has no grant of its own."""

    max_resources_per_tenant: Annotated[
        int, Meta(ge=0, le=65535, description="How many NRs one such tenant may have, over all nodes.")
    ]
    max_resources: Annotated[
        int, Meta(ge=0, le=65535, description="How many NRs all such tenants together may have.")
    ]
    max_resources_per_node: PerNode = None
    nodes: Annotated[
        tuple[DnsLabel, ...], Meta(max_length=4096, description="On which nodes; on all if empty.")
    ] = ()


class FarmSpec(_Document, frozen=True):
    """What a farmer declares of a site."""

    farmers: Annotated[Signers, Meta(description="Who signs for the farm, its nodes and its grants.")]
    udp_ports: Annotated[
        PortRange, Meta(description="The UDP ports that every node keeps for WireGuard, one for each NR.")
    ]
    fast_network: Annotated[
        FastNetwork | None, Meta(description="The network between the farm's nodes, if there is one.")
    ] = None
    reserved: Annotated[
        tuple[Prefix, ...],
        Meta(
            max_length=256,
            description="Prefixes that no tenant may reach: the farm's LAN, management, underlay.",
        ),
    ] = ()
    ipv6_allocation: Annotated[
        Prefix | None, Meta(description="The routed IPv6 /48 from which the farm gives tenants public /64s.")
    ] = None
    open_grant: Annotated[
        OpenGrant | None, Meta(description="What tenants may place that have no grant of their own.")
    ] = None
    rules: Rules = ()
    withdrawn: Withdrawn = ()


class Farm(_Document, frozen=True, tag_field="kind", tag="Farm"):
    """A site with nodes. Registered by root, signed by its farmers from then on."""

    api_version: ApiVersion
    metadata: Metadata
    spec: FarmSpec


# --- Node: farms/<farm>/nodes/<node>.yaml -----------------------------------------------------------


class SealingKey(_Document, frozen=True):
    """A public HPKE key (ML-KEM-768 + X25519) to which tenants seal the node's WireGuard keys."""

    id: Annotated[UniqueId, Meta(description="Derives from the key.")]
    key: Annotated[Base64, Meta(description="The public key, base64 of 1216 bytes.")]


class FastPort(_Document, frozen=True):
    """The node's place in the farm's fast network."""

    nic: Annotated[InterfaceName, Meta(description="The network interface that is in the fast network.")]
    address: Annotated[Ip, Meta(description="The node's address there; unique in the farm.")]


class NodeSpec(_Document, frozen=True):
    """One Linux host."""

    id: Annotated[UniqueId, Meta(description="Names this machine for ever (made by `tnet node init`).")]
    reachability: Annotated[
        Literal["public", "hidden"],
        Meta(
            description="`public`: others reach it at its endpoints; `hidden`: it is behind NAT, dials out."
        ),
    ]
    uplink: Annotated[InterfaceName, Meta(description="The network interface towards the outside.")]
    sealing_keys: Annotated[
        tuple[SealingKey, ...],
        Meta(
            min_length=1,
            max_length=8,
            description="The node's current sealing key first, then former ones and the farmer's backup key.",
        ),
    ]
    endpoints: Annotated[
        tuple[Ip, ...],
        Meta(max_length=8, description="Addresses at which other nodes reach this one; the first is used."),
    ] = ()
    fast: Annotated[
        FastPort | None, Meta(description="The node's place in the farm's fast network, if it has one.")
    ] = None


class Node(_Document, frozen=True, tag_field="kind", tag="Node"):
    """A Linux host of a farm. Signed by the farm's farmers."""

    api_version: ApiVersion
    metadata: Metadata
    spec: NodeSpec


# --- Grant: farms/<farm>/grants/<tenant>.yaml --------------------------------------------------------


class GrantSpec(_Document, frozen=True):
    """What a farmer lets a tenant place on the farm; nothing without it."""

    max_resources: Annotated[int, Meta(ge=0, le=65535, description="How many NRs, over all nodes.")]
    max_resources_per_node: PerNode = None
    nodes: Annotated[
        tuple[DnsLabel, ...], Meta(max_length=4096, description="On which nodes; on all if empty.")
    ] = ()


class Grant(_Document, frozen=True, tag_field="kind", tag="Grant"):
    """The seller's half of a purchase, named after the tenant. Signed by the farm's farmers."""

    api_version: ApiVersion
    metadata: Metadata
    spec: GrantSpec


# --- Tenant: tenants/<xx>/<tenant>/tenant.yaml --------------------------------------------------------


class KeyProof(_Document, frozen=True):
    """Shows that who wrote the tenant down holds the key: an SSHSIG over the tenant's name (see the spec)."""

    key: Annotated[SshPublicKey, Meta(description="The key that is proved; one of its signers'.")]
    signature: Annotated[Base64, Meta(description="The signature's binary form (PROTOCOL.sshsig), base64.")]


class TenantSpec(_Document, frozen=True):
    """Who signs for the tenant."""

    signers: Annotated[Signers, Meta(description="Who signs for this file and the tenant's networks.")]
    proofs: Annotated[
        tuple[KeyProof, ...],
        Meta(max_length=1024, description="For each key, a proof that the tenant holds it."),
    ] = ()
    rules: Rules = ()
    withdrawn: Withdrawn = ()


class Tenant(_Document, frozen=True, tag_field="kind", tag="Tenant"):
    """Who buys networks. Registered by root, signed by its own signers from then on."""

    api_version: ApiVersion
    metadata: Metadata
    spec: TenantSpec


# --- Network: tenants/<xx>/<tenant>/networks/<net>.yaml ------------------------------------------------


class SealedKey(_Document, frozen=True):
    """A WireGuard private key sealed to a node's sealing key (HPKE; see docs/spec/sealed-keys.md)."""

    key: Annotated[UniqueId, Meta(description="The id of the sealing key it is sealed to.")]
    ciphertext: Annotated[Base64, Meta(description="What only the node can open, base64 of 1168 bytes.")]


class Resource(_Document, frozen=True):
    """A network resource (NR): this network's part on one node."""

    node: NodeRef
    node_id: Annotated[UniqueId, Meta(description="The node's unique id when the NR was bought.")]
    index: Index
    slot: Slot
    public_key: Annotated[WireGuardKey, Meta(description="The NR's WireGuard public key, base64.")]
    sealed: Annotated[SealedKey, Meta(description="The private half, for this node's eyes only.")]


class NetworkSpec(_Document, frozen=True):
    """A tenant network (TN). NR `index` n holds the n-th /24 of `ipv4` and the n-th /64 of `ipv6`."""

    ipv4: Annotated[
        Prefix,
        Meta(description="The network's IPv4 range, private, /8 to /23; other tenants may use the same."),
    ]
    ipv6: Annotated[Prefix, Meta(description="The network's IPv6 range: a unique local /48 (RFC 4193).")]
    resources: Annotated[
        tuple[Resource, ...],
        Meta(max_length=128, description="The network's NRs. 128 of them fill the 256 KiB a file may have."),
    ] = ()
    relays: Annotated[
        tuple[NodeRef, ...],
        Meta(
            max_length=16,
            description="Public nodes with a NR of this network that carry what hidden ones send each other.",
        ),
    ] = ()
    vnis: Annotated[
        dict[DnsLabel, Vni],
        Meta(
            max_length=1024,
            description="The VXLAN network identifier in each farm where there is a fast network.",
        ),
    ] = {}


class Network(_Document, frozen=True, tag_field="kind", tag="Network"):
    """A tenant network: everything a tenant has bought under one name. Signed by the tenant."""

    api_version: ApiVersion
    metadata: Metadata
    spec: NetworkSpec


Document = Policy | Suspension | Farm | Node | Grant | Tenant | Network

KINDS: tuple[type[Document], ...] = (Policy, Suspension, Farm, Node, Grant, Tenant, Network)


def to_builtins(document: Document) -> dict[str, object]:
    """The document as plain mappings, lists and scalars, in the order and spelling of the YAML."""
    plain: dict[str, object] = msgspec.to_builtins(document)
    return plain
