"""What `ahead` starts: `python -m reconciler.ledger.chain.ahead_process` does the tasks that it reads.

It ends when its input does, and so with whoever started it, however that ends.
"""

from __future__ import annotations

import sys

from reconciler.ledger.chain.ahead import find, receive, send


def main() -> None:
    while (task := receive(sys.stdin.buffer)) is not None:
        send(sys.stdout.buffer, find(task))


if __name__ == "__main__":
    main()
