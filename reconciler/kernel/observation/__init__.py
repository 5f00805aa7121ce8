"""Looking at a kernel: dumps in, vocabulary out.

`namespace_view` reads the links of one namespace and says whose it is
`link_objects`   links into Bridge, Veth, VethPeer, Vxlan (and WireGuard, with `wireguard_objects`)
`contents`       addresses, routes, rules, neighbours and forwarding entries
`wireguard_objects` devices with their peers
`table_objects`  nft tables, read again only when their generation has moved
`look`           all of it together, into `Observed`
"""
