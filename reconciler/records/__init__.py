"""What the ledger says about the past: purchases, the origin of every line and object, receipts.

Everything here is computed from accepted transactions each time somebody asks. Nothing is kept beside the
ledger, so nothing can come to differ from it.
"""
