"""What witnesses and root sign about a position of the ledger, and the way off a fork."""
