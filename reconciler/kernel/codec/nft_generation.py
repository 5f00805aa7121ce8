"""NFT_MSG_GETGEN (linux/netfilter/nf_tables.h): the number of the last nftables transaction."""

from __future__ import annotations

from reconciler.kernel.codec.wire import ASK, attributes, message

NFNL_SUBSYS_NFTABLES = 10
NFT_MSG_GETGEN = 16
NFTA_GEN_ID = 1


def get_generation() -> bytes:
    return message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, ASK, bytes(4))


def decode_generation(data: bytes) -> int:
    """One NFT_MSG_NEWGEN message, header included; the number is big-endian, as all of nftables."""
    return int.from_bytes(attributes(data, 20)[NFTA_GEN_ID], "big")
