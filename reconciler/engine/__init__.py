"""Plan, apply, roll back: from a graph of what should be to a kernel that is so.

`plan` is pure; `apply` carries plans out as a whole or not at all; `converge` does it for a whole node.
"""
