"""Editing the ledger's documents in a work tree, and committing what was edited, signed.

The way of one edit: the effective state (`effective`) says what is in force; a verb computes new documents
from it (`allocation`, `resources`, `documents`, `edit`); `commit` turns them into one signed commit, has it
judged before the branch moves, and only then touches branch, index and files. Whatever fails on the way
leaves the repository as it was.
"""
