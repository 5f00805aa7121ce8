"""A kernel that is a dictionary: just enough of one to see what the engine asks of it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from reconciler.kernel.graph import KernelObject, Observed
from reconciler.kernel.objects import HOST, NODE_OWNER, Key, Sysctl, VethPeer
from reconciler.kernel.port import KernelUnavailable, Operation, Outcome


class Died(BaseException):
    """The process ends here."""


class MemoryKernel:
    """Objects by key with their owner. `fault(operation, number)` may return an errno, or raise."""

    def __init__(self, foreign: Iterable[Key] = ()) -> None:
        self.objects: dict[Key, tuple[str, KernelObject]] = {}
        self.foreign = set(foreign)
        self.sysctls: dict[Key, str] = {}
        self.executed: list[list[Operation]] = []
        self.looks = 0
        self.fault: Callable[[Operation, int], int] = lambda operation, number: 0
        self.blind = 0
        """How many looks fail from now on."""
        self.deaf: set[Key] = set()
        """Objects whose operations are acknowledged and not carried out."""

    @property
    def operations(self) -> list[Operation]:
        return [operation for batch in self.executed for operation in batch]

    def forget_history(self) -> None:
        self.executed.clear()
        self.looks = 0

    def put(self, owner: str, items: Iterable[KernelObject]) -> None:
        for item in items:
            if isinstance(item, Sysctl):
                self.sysctls[item.key] = item.value
            else:
                self.objects[item.key] = (owner, item)

    def of(self, owner: str) -> dict[Key, KernelObject]:
        return {key: item for key, (whose, item) in self.objects.items() if whose == owner}

    # --- the port ------------------------------------------------------------------------------
    def observe(self, sysctls: Collection[Key] = (), namespaces: Collection[str] | None = None) -> Observed:
        self.looks += 1
        if self.blind:
            self.blind -= 1
            raise KernelUnavailable("torn")
        owned: dict[str, dict[Key, KernelObject]] = {}
        for key, (owner, item) in self.objects.items():
            if namespaces is None or key.namespace in namespaces:
                owned.setdefault(owner, {})[key] = item
        for key in sysctls:
            if key in self.sysctls and (namespaces is None or key.namespace in namespaces):
                value = Sysctl(key.namespace, key.name, self.sysctls[key])
                owned.setdefault(self._owner(value), {})[key] = value
        foreign = {key for key in self.foreign if namespaces is None or key.namespace in namespaces}
        return Observed(owned, frozenset(foreign))

    def _owner(self, value: Sysctl) -> str:
        holder = self.objects.get(value.container) if value.container is not None else None
        return NODE_OWNER if holder is None else holder[0]

    def execute(self, operations: Sequence[Operation]) -> list[Outcome]:
        _check_batch(operations)
        self.executed.append(list(operations))
        number = len(self.operations) - len(operations)
        return [Outcome(item, self._one(item, number + place)) for place, item in enumerate(operations)]

    def _one(self, operation: Operation, number: int) -> int:
        code = self.fault(operation, number)
        if code or operation.key in self.deaf:
            return code
        if operation.verb == "delete":
            return self._delete(operation.key)
        assert operation.after is not None
        return self._make(operation, operation.after)

    def _make(self, operation: Operation, item: KernelObject) -> int:
        if any(need not in self.objects and need not in self.foreign for need in item.needs):
            return errno.ENODEV
        if isinstance(item, Sysctl):
            self.sysctls[item.key] = item.value
            return 0
        known = self.objects.get(item.key)
        if operation.verb == "add" and (known is not None or item.key in self.foreign):
            return errno.EEXIST
        if operation.verb == "change" and known is None:
            return errno.ENOENT
        self.objects[item.key] = (operation.owner, item)
        return 0

    def _delete(self, key: Key) -> int:
        if key not in self.objects:
            return errno.ENOENT
        _, item = self.objects.pop(key)
        content = [other for other, (_, held) in self.objects.items() if held.container == key]
        if isinstance(item, VethPeer) and item.container in self.objects:
            content.append(item.container)
        for other in content:
            self._delete(other)
        for other in [other for other in self.sysctls if _container(other, self.sysctls) == key]:
            del self.sysctls[other]
        return 0


def _container(key: Key, values: Mapping[Key, str]) -> Key | None:
    return Sysctl(key.namespace, key.name, values[key]).container


def _check_batch(operations: Sequence[Operation]) -> None:
    """What `Kernel.execute` demands of a batch."""
    seen: dict[Key, str] = {}
    made = {item.key for item in operations if item.verb != "delete"}
    for operation in operations:
        assert operation.key not in seen, f"{operation.key} twice in one batch"
        seen[operation.key] = operation.verb
        for need in operation.after.needs if operation.after is not None else ():
            if need in made:
                assert need in seen, f"{operation.key} comes before {need}, which it needs"
                assert need.namespace == operation.key.namespace != HOST, (
                    f"{operation.key} must wait for {need}"
                )
