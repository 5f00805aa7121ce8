"""`tnet trace`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import click

from reconciler.cli.names import DOCUMENT, NODE, Pair
from reconciler.cli.output import example, output_option, print_json
from reconciler.cli.reading import Source, ledgers_before, source_options
from reconciler.errors import TnetError
from reconciler.ledger.replay import Replay
from reconciler.model.paths import place_of
from reconciler.records.blame import Blame, LineOrigin, Version, versions_of
from reconciler.records.claimed_date import claimed_date
from reconciler.records.kernel_origin import Source as Field
from reconciler.records.kernel_origin import origins
from reconciler.records.spot import Spot, at_line, at_pointer, lines_of, spot_of, whole


class NothingLikeIt(TnetError):
    """Neither a document nor an object that is made from one."""


@dataclass(frozen=True, slots=True)
class Traced:
    """Lines of a document with their origins."""

    spot: Spot
    text: tuple[str, ...]
    origins: tuple[LineOrigin, ...]

    def stretches(self) -> Iterator[tuple[int, int, LineOrigin]]:
        """First and last line (from 1) of each stretch of one origin."""
        line = self.spot.first + 1
        for origin, group in groupby(self.origins):
            count = len(list(group))
            yield line, line + count - 1, origin
            line += count


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing that was meant: empty `what` for a place in a document."""

    what: str
    suspended: str
    traced: tuple[Traced, ...]


@click.command(
    epilog=example(
        "tnet trace tenants/ac/acme/networks/web.yaml:12",
        "tnet trace 'tenants/ac/acme/networks/web.yaml#spec.resources[0].slot'",
        "tnet trace bq3kvz5m2xw7ra              # an interface",
        "tnet trace 10.10.1.7 --on paris/p1     # an address",
        "tnet trace udp/51820 --node            # a port, on this host",
        "tnet trace nft:tnet-q3kvz5m2xw7ra -o json",
    )
)
@click.argument("what", type=DOCUMENT)
@click.option("--on", "on", type=NODE, metavar="FARM/NODE", help="Only what is on this node.")
@source_options
@output_option
def command(source: Source, what: str, on: Pair | None, output: str) -> None:
    """Say which commit, whose key and which transaction something comes from.

    WHAT is a document (PATH), a line of it (PATH:LINE) or a field (PATH#spec.slot), as it is in effect; or
    what you see on a host: an interface, a namespace, an address, a UDP port (udp/51820), a WireGuard public
    key, an nftables table (nft:NAMESPACE, nft:tnet for the host's own). Of those it says first from which
    fields they are made.

    Lines are followed over what was accepted, never over what was rejected, and through merges to the signed
    commit that wrote them.
    """
    with source.replay() as judged, ledgers_before(source) as before:
        tracer = _Tracer(judged, Blame(judged, before))
        answers = tracer.answers(what, str(on) if on else source.node)
    if output == "json":
        print_json({"what": what, "found": [_plain(answer) for answer in answers]})
    else:
        click.echo("\n".join(line for answer in answers for line in _lines(answer)))


@dataclass(frozen=True, slots=True)
class _Meant:
    """The same before it is traced."""

    what: str
    suspended: str
    spots: tuple[Spot, ...]


class _Tracer:
    """Finds what is meant, and traces it."""

    def __init__(self, judged: Replay, blame: Blame) -> None:
        self._judged = judged
        self._blame = blame

    def answers(self, what: str, node: str) -> list[Answer]:
        """Raises `TnetError` where nothing is meant."""
        meant = self._meant(what, node)
        versions = versions_of(self._judged, {spot.path for each in meant for spot in each.spots})
        return [
            Answer(each.what, each.suspended, tuple(self._traced(spot, versions) for spot in each.spots))
            for each in meant
        ]

    def _meant(self, what: str, node: str) -> list[_Meant]:
        document = _as_document(what)
        if document is not None:
            return [_Meant("", "", (self._spot(*document),))]
        found = origins(self._judged.model, what, node)
        if not found:
            raise NothingLikeIt(
                f"{what} is no document, and nothing that is made from what is in effect"
                + (f" on {node}" if node else ""),
                "a document is named by its path in the repository; of what lies in the tree and isn't in "
                "effect, `tnet diff` tells",
            )
        return [_Meant(each.what, each.suspended, tuple(self._spots(each.sources))) for each in found]

    def _spots(self, sources: Sequence[Field]) -> Iterator[Spot]:
        for source in sources:
            data = self._judged.blob(source.path)
            spot = None if data is None else spot_of(source.path, data, source.pointer)
            if spot is not None:
                yield spot

    def _spot(self, path: str, line: str, pointer: str) -> Spot:
        data = self._judged.blob(path)
        if data is None:
            raise NothingLikeIt(
                f"{path} is not in effect", f"`tnet log --path {path}` lists what became of it"
            )
        if line:
            return at_line(path, data, int(line))
        return at_pointer(path, data, pointer) if pointer else whole(path, data)

    def _traced(self, spot: Spot, versions: Mapping[str, Sequence[Version]]) -> Traced:
        data = self._judged.blob(spot.path)
        assert data is not None, "it was found there"
        found = self._blame.lines(versions[spot.path], spot.lines)
        text = lines_of(data)[spot.first : spot.last + 1]
        return Traced(spot, tuple(text), tuple(found[line] for line in spot.lines))


def _as_document(what: str) -> tuple[str, str, str] | None:
    """Path, line and pointer; None if it isn't a document's path."""
    path, _, pointer = what.partition("#")
    line = ""
    if place_of(path) is None:
        path, _, line = path.rpartition(":")
    if place_of(path) is None or not (line == "" or line.isdecimal()):
        return None
    return path, line, pointer


# --- told ----------------------------------------------------------------------------------------------


def _lines(answer: Answer) -> Iterator[str]:
    if answer.what:
        yield answer.what + (f" (not there now: {answer.suspended})" if answer.suspended else "")
    for traced in answer.traced:
        indent = "  " if answer.what else ""
        where = f"{traced.spot.path}:{traced.spot.first + 1}"
        yield f"{indent}{where}  {traced.spot.pointer}".rstrip()
        for first, last, origin in traced.stretches():
            start = first - traced.spot.first - 1
            for number, text in enumerate(traced.text[start : start + last - first + 1], first):
                yield f"{indent}  {number:>4} | {text}"
            yield from (f"{indent}         {line}" for line in _origin_lines(origin))


def _origin_lines(origin: LineOrigin) -> Iterator[str]:
    verdict = origin.verdict
    date = claimed_date(verdict.date)[:16]
    if verdict.position == 0:
        yield f"in the anchor {verdict.commit[:12]}, which everybody was told to begin with"
        return
    yield f"transaction {verdict.position}, {verdict.commit[:12]}  {date}  {verdict.subject}"
    written = "" if origin.author == verdict.commit else f"written in {origin.author[:12]}, "
    yield f"{written}signed by {origin.signer or 'the key'}, {origin.fingerprint}"


def _plain(answer: Answer) -> dict[str, object]:
    return {
        "what": answer.what,
        "suspended": answer.suspended,
        "sources": [
            {
                "path": traced.spot.path,
                "pointer": traced.spot.pointer,
                "first_line": traced.spot.first + 1,
                "last_line": traced.spot.last + 1,
                "text": list(traced.text),
                "origins": [_plain_origin(*stretch) for stretch in traced.stretches()],
            }
            for traced in answer.traced
        ],
    }


def _plain_origin(first: int, last: int, origin: LineOrigin) -> dict[str, object]:
    verdict, signer = origin.verdict, origin.signer
    return {
        "first_line": first,
        "last_line": last,
        "position": verdict.position,
        "commit": verdict.commit,
        "author_commit": origin.author,
        "subject": verdict.subject,
        "date_claimed": claimed_date(verdict.date),
        "fingerprint": origin.fingerprint,
        "role": signer.role if signer else "",
        "principal": signer.principal if signer else "",
    }
