"""The command line: one module a verb.

How to add a verb
-----------------
1. Write `reconciler/cli/<module>.py` with a click command object named `command` (a group is one too).
   The module is imported only when the verb is used or asked for help.
2. Add a line to the table in `verbs.py`: verb, module, one line of help; a new word after `tnet` also goes
   under a heading in `sections.py`. `tnet --help` and the shell's completion are answered from these alone.
3. Give it an example: `@click.command(epilog=example("tnet plan -o json"))`.

What verbs share
----------------
- Result on stdout, everything else (progress, warnings, errors) on stderr.
- `-o text|json` by `@output_option` (`output.py`); JSON is one document on stdout, keys in snake_case.
- Failure: raise `TnetError` (or a child). It is printed as `tnet: error: <message>` and `  <advice>`;
  exit code 1. Wrong usage: raise `click.UsageError`; exit code 64.
- Exit codes: 0 done, 1 failed, 2 there is something to do (`plan`), 64 wrong usage, 130 interrupted.
  A verb ends with another code than 0 by `ctx.exit(code)`.
- No verb asks a question when there is no terminal.
"""
