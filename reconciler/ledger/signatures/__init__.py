"""SSH keys and signatures, verified in this process. Knows nothing of Git or of the ledger."""
