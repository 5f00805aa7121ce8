"""What somebody with the Git server in his hands can do to objects: signatures, headers, paths, modes, names.

Each attack ends in a verdict that names it, or in git refusing the object; what is in effect stays.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import TnetError
from reconciler.ledger.anchor import Anchor
from reconciler.ledger.config import LedgerConfig
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.replay import replay
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.trouble import AnchorRefused, LocalTrouble, ObjectsRefused
from reconciler.ledger.view import LedgerView
from reconciler.model import claims
from tests.integration.ledger.world import (
    ALICE,
    BOB,
    DAVE,
    ERIN,
    MAIL,
    SHOP,
    WEB,
    Blob,
    Files,
    Person,
    World,
    armor,
    network,
    signed,
)

pytestmark = pytest.mark.rule(20)

ZOE = "Zoë"


class Attack:
    """Dave's next commit, of one governed path, with something odd in its bytes."""

    def __init__(self, world: World) -> None:
        self.world, self.forge = world, world.forge
        self.before = world.sync()
        self.files: Files = {**self.forge.trees[self.forge.tip], WEB: Blob(network("web", 7, comment="new"))}
        tree = self.forge.write_tree(self.files)
        self.payload = self.forge.payload(tree, [self.forge.tip], f"{ZOE} was here\n\nBody")

    def push(self, raw: bytes) -> LedgerView:
        self.forge.add(raw, self.files)
        return self.world.sync()

    def rejected(self, raw: bytes, code: str) -> None:
        view = self.push(raw)
        assert view.verdicts[-1].code == code, view.verdicts[-1].detail
        assert (view.model, view.mark) == (self.before.model, self.before.mark)
        # And nobody is held up by it.
        self.forge.commit({WEB: Blob(self._effective())}, tree_of=None)
        self.forge.commit({MAIL: network("mail", 8)}, DAVE)
        assert [verdict.code for verdict in self.world.sync().verdicts[-2:]] == ["repair", "accepted"]

    def refused_by_git(self, raw: bytes) -> None:
        """The branch can't be fetched; once it is set back, all goes on."""
        good = self.forge.tip
        self.forge.add(raw, self.files)
        with pytest.raises(ObjectsRefused) as raised:
            self.world.sync()
        assert "the branch has to be set back" in raised.value.advice
        self.forge.set_main(good)
        self.forge.commit({MAIL: network("mail", 8)}, DAVE)
        assert self.world.sync().verdicts[-1].accepted

    def _effective(self) -> bytes:
        content = self.world.effective(WEB)
        assert content is not None
        return content


@pytest.fixture
def attack(world: World) -> Attack:
    return Attack(world)


def with_header(raw: bytes, line: bytes) -> bytes:
    return raw.replace(b"\n\n", b"\n" + line + b"\n\n", 1)


def test_without_an_oddity_the_commit_counts(attack: Attack) -> None:
    assert attack.push(signed(attack.payload, DAVE)).verdicts[-1].code == "accepted"


# --- what the signature covers ------------------------------------------------------------------------


def test_a_signature_over_re_encoded_bytes(attack: Attack) -> None:
    """Signed in UTF-8, handed on in Latin-1: a reader that re-encodes would find it good."""
    raw = signed(attack.payload, DAVE)
    attack.rejected(raw.replace(ZOE.encode(), ZOE.encode("latin-1")), "malformed-commit")


def test_a_signature_over_re_encoded_bytes_with_the_header_that_says_so(attack: Attack) -> None:
    raw = signed(attack.payload, DAVE).replace(ZOE.encode(), ZOE.encode("latin-1"))
    attack.rejected(with_header(raw, b"encoding ISO-8859-1"), "malformed-commit")


def test_a_signature_over_normalised_text(attack: Attack) -> None:
    raw = signed(attack.payload, DAVE)
    attack.rejected(raw.replace("ë".encode(), "e\u0308".encode()), "bad-signature")


@pytest.mark.parametrize("encoding", [b"ISO-8859-1", b"UTF-8", b"UTF-16", b"", b"x\x1b"])
def test_an_encoding_header_even_if_it_is_signed(attack: Attack, encoding: bytes) -> None:
    payload = with_header(attack.payload, b"encoding " + encoding)
    attack.rejected(signed(payload, DAVE), "malformed-commit")


def test_a_signature_that_was_made_for_another_tree(attack: Attack) -> None:
    other = attack.forge.write_tree({**attack.files, SHOP: Blob(b"x")})
    tree = attack.payload[5:45].decode()
    attack.rejected(signed(attack.payload, DAVE).replace(tree.encode(), other.encode()), "bad-signature")


def test_a_signature_of_a_tag_or_a_file_is_none_of_a_commit(attack: Attack) -> None:
    head, _, message = attack.payload.partition(b"\n\n")
    for namespace in ("file", "tnet-tenant", "tnet-checkpoint", "Git"):
        signature = armor(DAVE.sign(attack.payload, namespace)).replace(b"\n", b"\n ")
        view = attack.push(head + b"\ngpgsig " + signature + b"\n\n" + message)
        assert view.verdicts[-1].code == "unsupported-signature"
        attack.forge.set_main(attack.before.tip)


# --- where the signature stands -----------------------------------------------------------------------


def folded(payload: bytes, person: Person, header: bytes = b"gpgsig") -> bytes:
    return header + b" " + armor(person.sign(payload)).replace(b"\n", b"\n ") + b"\n"


PLACES: dict[str, Callable[[bytes], bytes]] = {
    "twice the same": lambda p: with_header(with_header(p, folded(p, DAVE)[:-1]), folded(p, DAVE)[:-1]),
    "twice, by two": lambda p: with_header(with_header(p, folded(p, ERIN)[:-1]), folded(p, DAVE)[:-1]),
    "split in two headers": lambda p: with_header(
        p, folded(p, DAVE)[:-1].replace(b"\n U1", b"\ngpgsig U1", 1)
    ),
    "after an unknown header": lambda p: with_header(with_header(p, b"x y"), folded(p, DAVE)[:-1]),
    "continued by a tab": lambda p: with_header(p, folded(p, DAVE)[:-1].replace(b"\n ", b"\n\t")),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_misplaced_or_double_signature(attack: Attack, place: str) -> None:
    attack.rejected(PLACES[place](attack.payload), "malformed-commit")


def test_a_signature_in_the_message(attack: Attack) -> None:
    attack.rejected(attack.payload + b"\n" + folded(attack.payload, DAVE), "unsigned")


def test_a_signature_for_another_hash_alone(attack: Attack) -> None:
    raw = with_header(attack.payload, folded(attack.payload, DAVE, b"gpgsig-sha256")[:-1])
    attack.rejected(raw, "unsigned")


@pytest.mark.parametrize(
    ("begin", "named"),
    [(b"PGP SIGNATURE", "OpenPGP"), (b"PGP MESSAGE", "OpenPGP"), (b"SIGNED MESSAGE", "X.509")],
)
def test_a_signature_by_other_means_is_refused_by_name_with_advice(
    attack: Attack, begin: bytes, named: str
) -> None:
    raw = signed(attack.payload, DAVE).replace(b"SSH SIGNATURE", begin)
    attack.rejected(raw, "unsupported-signature")
    verdict = next(v for v in attack.world.sync().verdicts if v.code == "unsupported-signature")
    assert named in verdict.detail
    assert "tnet key setup" in verdict.advice


# --- headers ------------------------------------------------------------------------------------------

WHO = b"Somebody <somebody@example.net> 1700000000 +0000"
FATAL: dict[str, Callable[[bytes], bytes]] = {
    "two trees": lambda p: p[:46] + p,
    "another tree after the parent": lambda p: p.replace(b"\nauthor", b"\n" + p[:45] + b"\nauthor", 1),
    "two authors": lambda p: p.replace(b"\ncommitter", b"\nauthor " + WHO + b"\ncommitter", 1),
    "no author": lambda p: p.replace(b"\nauthor ", b"\nauthors ", 1),
    "a tab in front of a header": lambda p: p.replace(b"\ncommitter", b"\n\tcommitter", 1),
    "a NUL in the author": lambda p: p.replace(b"Somebody <", b"Some\0body <", 1),
    "a NUL in a header of its own": lambda p: with_header(p, b"x-note a\0b"),
    "a parent after the author": lambda p: p.replace(b"\ncommitter", b"\n" + p[46:93] + b"\ncommitter", 1),
}
FATAL_PLACES: dict[str, Callable[[bytes], bytes]] = {
    "before the author": lambda p: p.replace(b"author ", folded(p, DAVE) + b"author ", 1),
    "before the committer": lambda p: p.replace(b"committer ", folded(p, DAVE) + b"committer ", 1),
}
JUDGED: dict[str, Callable[[bytes], bytes]] = {
    "two committers": lambda p: with_header(p, b"committer " + WHO),
    "a parent twice": lambda p: p.replace(b"\nauthor", b"\n" + p[46:93] + b"\nauthor", 1),
    "a merged tag": lambda p: with_header(p, b"mergetag object " + p[53:93] + b"\n type commit"),
    "an unknown header": lambda p: with_header(p, b"x-note y"),
    "a zero before the date": lambda p: p.replace(b"> 17", b"> 017"),
    "a date beyond the calendar": lambda p: p.replace(b"> 17", b"> 9999999999917"),
    "a delete character in the author": lambda p: p.replace(b"Somebody <", b"\x7f <"),
    "a carriage return behind a header": lambda p: p.replace(b" +0000\ncommitter", b" +0000\r\ncommitter", 1),
    "an escape in the author": lambda p: p.replace(b"Somebody <", b"\x1b[2J <"),
    "an escape in the message": lambda p: p.replace(b"Body", b"\x1b]0;x\x07"),
    "a carriage return in the message": lambda p: p.replace(b"Body", b"all is well\rBody"),
    "a NUL in the message": lambda p: p.replace(b"Body", b"Bo\0dy"),
    "bytes that are no UTF-8": lambda p: p.replace(b"Body", b"\xff\xfe"),
    "a huge commit": lambda p: p + b"x" * (128 << 10),
}


@pytest.mark.parametrize("what", FATAL)
def test_headers_that_make_a_commit_ambiguous_are_refused_by_git(attack: Attack, what: str) -> None:
    payload = FATAL[what](attack.payload)
    assert payload != attack.payload
    attack.refused_by_git(signed(payload, DAVE))


@pytest.mark.parametrize("what", FATAL_PLACES)
def test_a_signature_between_git_s_own_headers_is_refused_by_git(attack: Attack, what: str) -> None:
    attack.refused_by_git(FATAL_PLACES[what](attack.payload))


@pytest.mark.parametrize("what", JUDGED)
def test_headers_and_messages_in_another_form_though_signed(attack: Attack, what: str) -> None:
    payload = JUDGED[what](attack.payload)
    assert payload != attack.payload
    attack.rejected(signed(payload, DAVE), "malformed-commit")


WELL_FORMED: dict[str, Callable[[bytes], bytes]] = {
    "no name": lambda p: p.replace(b"Somebody <", b"<"),
    "no address": lambda p: p.replace(b"<somebody@example.net>", b"<>"),
    "spaces in the name": lambda p: p.replace(b"Somebody ", b"   Some   body   "),
    "an address that is none": lambda p: p.replace(b"somebody@example.net", b" x y ; -- "),
    "the first second": lambda p: re.sub(rb"> \d+ ", b"> 0 ", p),
    "the last second": lambda p: re.sub(rb"> \d+ ", b"> 253402214399 ", p),
    "a zone that is none": lambda p: p.replace(b"+0000", b"-9999"),
    "no message": lambda p: p.partition(b"\n\n")[0] + b"\n\n",
    "lines as on Windows": lambda p: p.replace(b"\n\nBody", b"\r\n\r\nBody\t"),
    "a message of headers": lambda p: p.replace(b"Body", b"tree x\ngpgsig y\nauthor z"),
    "the largest that may be": lambda p: p + b"x" * ((128 << 10) - len(p) - 400),
}


@pytest.mark.parametrize("what", WELL_FORMED)
def test_what_is_well_formed_here_is_never_refused_at_the_fetch(attack: Attack, what: str) -> None:
    """Or somebody's good commit would keep the branch from everybody."""
    payload = WELL_FORMED[what](attack.payload)
    assert payload != attack.payload
    assert attack.push(signed(payload, DAVE)).verdicts[-1].code == "accepted"


# --- paths and modes ----------------------------------------------------------------------------------


@pytest.mark.rule(8)
@pytest.mark.parametrize(
    "path",
    [
        "tenants/ac/acme/networks/wéb.yaml",
        'tenants/ac/acme/networks/"web".yaml',
        "tenants/ac/acme/networks/w\\145b.yaml",
        "tenants/ac/acme/networks/\udcff.yaml",
        "tenants/ac/acme/networks/web.yaml.",
        "tenants/ac/acme/networks/web.yaml ",
        "tenants/ac/acme/networks/WEB.yaml",
        "tenants/ac/acme/networks/web.YAML",
        "tenants/ac/acme./networks/web.yaml",
        "tenants/ac/ACME/tenant.yaml",
        "TENANTS/ac/acme/networks/web.yaml",
        "Tenants./ac/acme/networks/web.yaml",
        "tenants\u200d/ac/acme/networks/web.yaml",
        "tenants/../trust/policy.yaml",
        "tenants/ac/acme/../globex/networks/shop.yaml",
        "tenants/ac/acme/networks/./web.yaml",
        "tenants/ac/acme/.gitattributes",
        "tenants/.gitmodules",
        "trust/.gitignore",
        "farms/.git/hooks/post-checkout",
        "tenants/ac/acme/networks/web.yaml\n",
        "tenants/ac/acme/networks/\tweb.yaml",
        "tenants/gl/acme/networks/web.yaml",
        "tenants/ac/acme/networks/" + "w" * 64 + ".yaml",
    ],
)
def test_a_path_that_only_looks_like_a_documents(attack: Attack, path: str) -> None:
    """The right owner signs it; still nothing may lie there."""
    attack.forge.commit({path: network("web", 7)}, DAVE)
    view = attack.world.sync()
    assert (view.verdicts[-1].code, view.model) == ("ungovernable-path", attack.before.model)


@pytest.mark.parametrize(
    "name", [".gitattributes", ".gitmodules", ".gitignore", "x/.gitattributes", ".mailmap"]
)
@pytest.mark.rule(21)
def test_files_that_git_obeys_change_nothing(attack: Attack, name: str) -> None:
    """Outside of the governed directories anybody may put them; the bytes judged are the objects' own."""
    obeyed = b"* text eol=crlf filter=x ident working-tree-encoding=UTF-16\n[submodule]\n\tpath = x\n"
    attack.forge.commit({name: obeyed}, None)
    attack.forge.commit({WEB: network("web", 7, comment="$Id$")}, DAVE)
    assert attack.world.codes(2) == ["void", "accepted"]
    assert attack.world.effective(WEB) == network("web", 7, comment="$Id$")


@pytest.mark.rule(8)
@pytest.mark.parametrize("path", [WEB, MAIL, "tenants/ac/acme/tenant.yaml"])
@pytest.mark.parametrize(
    "blob",
    [
        Blob(b"../../../../trust/policy.yaml", "120000"),
        Blob(network("web", 7), "100755"),
        Blob(b"1234567890" * 4, "160000"),
    ],
    ids=["symlink", "executable", "submodule"],
)
def test_a_document_that_is_no_plain_file(attack: Attack, path: str, blob: Blob) -> None:
    attack.forge.commit({path: blob}, DAVE)
    view = attack.world.sync()
    assert (view.verdicts[-1].code, view.model) == ("wrong-mode", attack.before.model)


@pytest.mark.rule(4)
def test_the_same_file_made_executable_is_a_change(attack: Attack) -> None:
    attack.forge.commit({WEB: Blob(attack.forge.trees[attack.forge.tip][WEB].data, "100755")}, None)
    assert attack.world.codes() == ["wrong-mode"]


# --- tags ---------------------------------------------------------------------------------------------


def tag(world: World, target: str, kind: str, name: str = "v1") -> str:
    text = f"object {target}\ntype {kind}\ntag {name}\ntagger T <t@t> 1700000000 +0000\n\nA tag\n"
    return world.forge.write("tag", text.encode())


@pytest.mark.parametrize("depth", [1, 2, 300])
@pytest.mark.parametrize("by", [DAVE, None], ids=["signed", "unsigned"])
def test_a_tag_where_the_branch_should_be_is_worth_its_commit(
    attack: Attack, depth: int, by: Person | None, tmp_path: Path
) -> None:
    """git itself refuses to make such a branch; a server needn't. Nothing that a tag says is looked at."""
    attack.forge.commit({WEB: network("web", 7)}, by)
    commit, target, kind = attack.forge.tip, attack.forge.tip, "commit"
    for level in range(depth):
        target, kind = CommitId(tag(attack.world, target, kind, f"v{level}")), "tag"
    attack.forge.set_main(target)
    view = attack.world.sync()
    attack.forge.set_main(commit)
    other = ledger_at(attack.world, attack.world.anchor.commit, tmp_path / "other")
    try:
        straight = other.sync()
        assert (view.tip, view.state_hash, view.mark) == (commit, straight.state_hash, straight.mark)
    finally:
        other.close()


def ledger_at(world: World, anchor: str, directory: Path) -> Ledger:
    """A node with this anchor, whatever it is."""
    return Ledger(
        LedgerConfig(
            remote=str(world.forge.path),
            branch="main",
            anchor=CommitId(anchor),
            root_fingerprints=world.anchor.root_fingerprints,
            directory=directory,
            fetch_timeout_s=30.0,
        )
    )


@pytest.mark.parametrize("depth", [1, 2])
def test_a_tag_for_an_anchor(world: World, depth: int, tmp_path: Path) -> None:
    """Its id is pinned, and it leads to the right commit; still it is none."""
    target, kind = world.anchor.commit, "commit"
    for level in range(depth):
        target, kind = CommitId(tag(world, target, kind, f"a{level}")), "tag"
    world.forge.git("update-ref", "refs/tags/a", target)
    ledger = ledger_at(world, target, tmp_path / "other")
    try:
        with pytest.raises(LocalTrouble):
            ledger.sync()
    finally:
        ledger.close()


def test_a_tag_for_an_anchor_in_a_persons_clone(world: World, tmp_path: Path) -> None:
    name = CommitId(tag(world, world.anchor.commit, "commit"))
    world.forge.git("update-ref", "refs/tags/a", name)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(world.forge.path), str(clone)], check=True)
    with pytest.raises(AnchorRefused):
        replay(clone / ".git", Anchor(name, world.anchor.root_fingerprints))


# --- truncated ids ------------------------------------------------------------------------------------


@pytest.mark.rule(11)
def test_a_second_network_with_the_same_truncated_id_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirteen characters are 65 bits: a collision costs some 2^33 names, which is little for an attacker.

    Nobody waits here for one to be found: the hash is replaced by one that gives all networks named `mail`
    the same id. Tested is what comes after: the later one is refused, and the earlier one isn't touched.
    """
    monkeypatch.setattr(claims, "netid", lambda tenant, name: name.ljust(13, "a"))
    world.forge.commit({MAIL: network("mail", 8)}, DAVE)
    before = world.sync()
    theirs = "tenants/gl/globex/networks/mail.yaml"
    world.forge.commit({theirs: network("mail", 9)}, ERIN)
    view = world.sync()
    assert [verdict.code for verdict in view.verdicts[-2:]] == ["accepted", "violation"]
    assert "the network's id mailaaaaaaaaa is already that of" in view.verdicts[-1].detail
    assert view.model == before.model
    world.forge.commit({theirs: None, "tenants/gl/globex/networks/post.yaml": network("post", 9)}, ERIN)
    assert [verdict.code for verdict in world.sync().verdicts[-1:]] == ["accepted"]


@pytest.mark.parametrize("length", [7, 12, 39])
def test_an_abbreviated_anchor_names_nothing(world: World, tmp_path: Path, length: int) -> None:
    """A pinned anchor is forty digits: a shorter one could be made to mean something else."""
    with pytest.raises(TnetError):
        ledger_at(world, world.anchor.commit[:length], tmp_path / "other").sync()


# --- keys ---------------------------------------------------------------------------------------------


@pytest.mark.rule(8)
def test_somebody_elses_good_signature(attack: Attack) -> None:
    for person, code in (
        (ERIN, "not-authorized"),
        (BOB, "not-authorized"),
        (Person("nobody"), "unknown-key"),
    ):
        view = attack.push(signed(attack.payload, person))
        assert (view.verdicts[-1].code, view.model) == (code, attack.before.model)
        attack.forge.set_main(attack.before.tip)


@pytest.mark.rule(8)
def test_root_signs_nothing_of_a_tenants(attack: Attack) -> None:
    attack.rejected(signed(attack.payload, ALICE), "not-authorized")
