"""`tnet lab`: a farm of nodes on this one machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from reconciler.cli.output import example, output_option, print_json, say

_name_option = click.option(
    "--name", default="lab", show_default=True, help="Which lab; labs of different names live side by side."
)


@click.group(
    epilog=example("tnet lab demo", "tnet lab up && tnet lab exec p1 -- tnet status", "tnet lab down")
)
def command() -> None:
    """A farm on this machine: two sites, three public nodes, a hidden one, an internet between them.

    Each node is a process tree with its own network, mount, process and host name namespaces, its own
    agent and its own clone. Nothing of it is seen in the machine's own namespaces. Needs root.
    """


@command.command(epilog=example("tnet lab demo", "tnet lab demo --keep", "tnet lab demo --report demo.json"))
@_name_option
@click.option("--keep", is_flag=True, help="Leave the farm up afterwards, to play with.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a JSON report there.")
@click.option("--until", metavar="STEP", help="End (and clear up) after this step.")
@click.option("--fault", hidden=True, help="Break something on purpose: the demo has to notice.")
def demo(name: str, keep: bool, report: Path | None, until: str | None, fault: str | None) -> None:
    """Build a farm and show that it keeps its promises.

    Each claim is observed. Exit 1 if one does not hold.
    """
    from reconciler.lab.demo.faults import FAULTS, with_fault
    from reconciler.lab.demo.play import demo_steps, play_demo
    from reconciler.lab.demo.transcript import Transcript
    from reconciler.lab.record import Record

    if fault is not None and fault not in FAULTS:
        raise click.UsageError(f"there is no fault {fault}; there are: {', '.join(FAULTS)}")
    steps = with_fault(demo_steps(), fault)
    names = [step.name for step in steps]
    if until is not None and until not in names:
        raise click.UsageError(f"there is no step {until}; there are: {', '.join(names)}")
    chosen = steps[: names.index(until) + 1] if until else steps
    told = play_demo(Record.named(name), chosen, Transcript(), keep)
    if report is not None:
        told.write(report)
    if keep:
        _say_how_to_play(name, "remove-node")
    sys.exit(0 if told.ok else 1)


@command.command(epilog=example("tnet lab up", "tnet lab up --name two"))
@_name_option
def up(name: str) -> None:
    """Build the farm and leave it running.

    Its agents run, and containers are attached.
    """
    from reconciler.lab.demo.play import play_demo
    from reconciler.lab.demo.script import BUILDING
    from reconciler.lab.demo.transcript import Transcript
    from reconciler.lab.errors import LabError
    from reconciler.lab.record import Record

    told = play_demo(Record.named(name), BUILDING, Transcript(), keep=True)
    if not told.complete:
        raise LabError("the farm is not whole", f"take it down: tnet lab down --name {name}")
    _say_how_to_play(name, "add-node")
    sys.exit(0 if told.ok else 1)


def _say_how_to_play(name: str, change: str) -> None:
    """`change` is a verb that makes sense on the farm as it stands."""
    from reconciler.lab.record import Record

    chosen = "" if name == "lab" else f" --name {name}"
    record = Record.named(name)
    say(f"the farm is up. See it: tnet lab status{chosen}")
    say(f"Go in: tnet lab exec{chosen} p1 -- tnet status")
    say(f"Change a network: cd {record.worktree}")
    say(f"  tnet network {change} globex/shop paris/p2 --key {record.people}/erin/id_ed25519")
    say("  git push origin")
    say(f"Take it down: tnet lab down{chosen}")


@command.command(epilog=example("tnet lab down", "tnet lab down --name two"))
@_name_option
def down(name: str) -> None:
    """End everything of the lab.

    Also of one that broke, or whose demo was killed.
    """
    from reconciler.lab.lab import down as take_down
    from reconciler.lab.record import Record

    take_down(Record.named(name))
    click.echo(f"lab {name} is down")


@command.command(epilog=example("tnet lab status", "tnet lab status -o json"))
@_name_option
@output_option
def status(name: str, output: str) -> None:
    """Show nodes, agents, and how far each has come."""
    from reconciler.lab.lab import find
    from reconciler.lab.overview import overview, render
    from reconciler.lab.record import Record

    lab = find(Record.named(name))
    seen = overview(lab)
    if output == "json":
        print_json({"directory": str(lab.record.directory), "machines": [each.plain() for each in seen]})
    else:
        click.echo("\n".join(render(lab, seen)))


@command.command(
    "exec",
    context_settings={"ignore_unknown_options": True},
    epilog=example("tnet lab exec p1 -- ip netns", "tnet lab exec p1 --netns acme-web -- ping 10.10.2.10"),
)
@_name_option
@click.option("--netns", default="", metavar="NAMESPACE", help="One of the machine's named namespaces.")
@click.argument("machine")
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(name: str, netns: str, machine: str, arguments: tuple[str, ...]) -> None:
    """Run a command in one of the lab's machines.

    Its exit code is the command's.
    """
    from reconciler.lab.lab import find
    from reconciler.lab.record import Record

    there = find(Record.named(name)).machine(machine)
    sys.exit(there.attend(arguments, netns))
