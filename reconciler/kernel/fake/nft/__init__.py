"""nftables in the fake: tables as values, documents as transactions, listings as libnftables prints them."""
