"""Netlink messages, made from the vocabulary and read back into it, with `struct` and nothing else.

A message is encoded in about a microsecond, and of a dump only what is compared is decoded: at a thousand
networks that is the difference between milliseconds and seconds. One module a family:

`wire`        headers and attributes, whatever the family
`link`        RTM_NEWLINK, RTM_SETLINK, RTM_DELLINK; `LinkSeen` out of a dump
`address`     RTM_NEWADDR, RTM_DELADDR
`route`       RTM_NEWROUTE, RTM_DELROUTE
`rule`        RTM_NEWRULE, RTM_DELRULE
`neighbour`   RTM_NEWNEIGH, RTM_DELNEIGH: permanent neighbours
`fdb`         the same messages in family AF_BRIDGE: static entries of VXLAN devices
`wireguard`   WG_CMD_SET_DEVICE, WG_CMD_GET_DEVICE of the generic netlink family `wireguard`
`uapi`        the same as text, for a userspace WireGuard
`dump`        every dump request, filtered as far as the kernel filters

Encoders leave sequence number and port at 0 and set neither NLM_F_ACK nor anything else that belongs to
the conversation: that is the transport's. All of them are held against pyroute2's own decoders by tests.
"""
