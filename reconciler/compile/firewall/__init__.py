"""The nftables table of each kind of namespace: a NR's, the NAT namespace's, the node's own."""
