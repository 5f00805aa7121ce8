"""RTM_NEWRULE and RTM_DELRULE, onto rules.py."""

from __future__ import annotations

import errno
from ipaddress import ip_network
from socket import AF_INET, AF_INET6
from typing import Any

from reconciler.kernel.fake import rules
from reconciler.kernel.fake.decode import NLM_F_EXCL, RTM_DELRULE, Message
from reconciler.kernel.fake.records import FibRule
from reconciler.kernel.fake.refusals import NotModelled, Refused
from reconciler.kernel.fake.world import Netns
from reconciler.kernel.objects import IPNetwork

KNOWN = (
    "FRA_SRC",
    "FRA_DST",
    "FRA_IIFNAME",
    "FRA_PRIORITY",
    "FRA_TABLE",
    "FRA_PROTOCOL",
    "FRA_FWMARK",
    "FRA_FWMASK",
)


def handle(space: Netns, message: Message) -> None:
    """Carry out one message of the rule family. Raises Refused."""
    message.only(*KNOWN)
    if message.fields["family"] not in (AF_INET, AF_INET6):
        raise NotModelled(f"rules of family {message.fields['family']}")
    if message.fields["flags"] or message.fields["tos"]:
        raise NotModelled("a rule with flags or TOS")
    family = 4 if message.fields["family"] == AF_INET else 6
    asked = _asked(message)
    if message.type == RTM_DELRULE:
        rules.delete(space, {"family": family, **asked})
        return
    if message.fields["action"] != rules.FR_ACT_TO_TBL:
        raise NotModelled(f"rules of action {message.fields['action']}")
    if not asked.get("table"):
        raise Refused(errno.EINVAL, "Invalid table id")
    asked.setdefault("priority", rules.unused_priority(space, family))
    rules.add(space, FibRule(family, **asked), message.has(NLM_F_EXCL))


def _asked(message: Message) -> dict[str, Any]:
    attrs = message.attrs
    table = attrs.get("FRA_TABLE", message.fields["table"])
    found = {
        "priority": attrs.get("FRA_PRIORITY"),
        "table": table or None,
        "action": message.fields["action"] or None,
        "source": _network(attrs.get("FRA_SRC"), message.fields["src_len"]),
        "destination": _network(attrs.get("FRA_DST"), message.fields["dst_len"]),
        "iif": attrs.get("FRA_IIFNAME"),
        "mark": attrs.get("FRA_FWMARK"),
        "mask": attrs.get("FRA_FWMASK", 0xFFFFFFFF if "FRA_FWMARK" in attrs else None),
        "protocol": attrs.get("FRA_PROTOCOL"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _network(address: str | None, length: int) -> IPNetwork | None:
    return None if address is None else ip_network((address, length), strict=False)
