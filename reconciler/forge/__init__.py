"""What a forge has to do with: what a request would make of the ledger, and what a push may bring."""
