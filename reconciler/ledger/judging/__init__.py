"""The verdict on one transaction: pure functions of the state before it and of what the repository holds.

Begin with `judge`."""
