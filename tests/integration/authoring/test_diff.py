"""`tnet diff`: what lies in the tree and isn't in effect."""

from __future__ import annotations

from tests.integration.authoring.desk import WEB, Desk

MAIL = "tenants/ac/acme/networks/mail.yaml"


def test_nothing_was_rejected(web: Desk) -> None:
    assert web.tnet("diff").out == "all that HEAD holds is in effect\n"
    assert web.tnet("diff", "-o", "json").json["paths"] == []


def test_a_rejected_change_is_shown_with_its_commit_and_the_ways_out(web: Desk) -> None:
    web.tnet("network", "add-node", "acme/web", "lyon/l1", "--force", by="erin")
    commit = web.git("rev-parse", "HEAD")
    said = web.tnet("diff", code=2).out
    assert f"--- a/{WEB}\n+++ b/{WEB}\n@@" in said
    assert "\n+  - node: lyon/l1\n" in said or "\n+    - node: lyon/l1\n" in said
    assert f"changed  {WEB}" in said
    assert f"by {commit[:12]}" in said
    assert "not-authorized" in said
    assert f"tnet adopt {WEB}" in said and f"tnet repair {WEB}" in said
    plain = web.tnet("diff", "-o", "json", code=2).json["paths"]
    assert [(each["path"], each["what"], each["rejected_by"]) for each in plain] == [(WEB, "changed", commit)]
    assert plain[0]["diff"].startswith("--- a/")


def test_only_a_path_and_only_the_list(web: Desk) -> None:
    web.tnet("network", "create", "acme/mail", "--node", "paris/p2", "--force", by="erin")
    web.tnet("diff", WEB)
    assert "@@" not in web.tnet("diff", "--list", code=2).out
    assert web.tnet("diff", "tenants/ac", "--list", code=2).out.startswith(f"added    {MAIL}")


def test_a_rejected_removal_is_shown_as_one(web: Desk) -> None:
    web.tnet("network", "delete", "acme/web", "--force", by="erin")
    said = web.tnet("diff", code=2).out
    assert f"--- a/{WEB}\n+++ /dev/null\n" in said
    assert f"removed  {WEB}" in said


def test_a_repair_leaves_nothing_to_show(web: Desk) -> None:
    web.tnet("network", "delete", "acme/web", "--force", by="erin")
    web.tnet("repair", by="erin")
    web.tnet("diff")


def test_what_a_terminal_would_obey_is_escaped(web: Desk) -> None:
    """Whoever can push can put anything into a file that will be rejected, and hopes that somebody looks."""
    (web.root / WEB).write_bytes((web.root / WEB).read_bytes() + b"# \x1b]0;owned\x07\x1b[31m\r\n")
    commit_unsigned(web)
    said = web.tnet("diff", code=2).out
    assert "\x1b" not in said and "\x07" not in said
    assert "\\x1b]0;owned" in said


def test_links_and_long_files_are_named_not_shown(web: Desk) -> None:
    (web.root / "tenants/ac/acme/networks/link.yaml").symlink_to("/etc/passwd")
    (web.root / "tenants/ac/acme/networks/long.yaml").write_bytes(b"# long\n" * 100_000)
    commit_unsigned(web)
    said = web.tnet("diff", code=2).out
    assert "link.yaml: of mode 120000, not a plain file" in said
    assert "long.yaml: longer than" in said


def test_attributes_of_the_tree_hide_nothing(web: Desk) -> None:
    (web.root / ".gitattributes").write_text("*.yaml binary -diff\n")
    (web.root / WEB).write_text(web.read(WEB) + "# more\n")
    commit_unsigned(web)
    assert "+# more" in web.tnet("diff", code=2).out


def commit_unsigned(desk: Desk) -> None:
    desk.git("add", "-A")
    desk.git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "--no-gpg-sign", "-m", "Nonsense")
