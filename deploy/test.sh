#!/usr/bin/env bash
# All checks and all tests. Needs root: many tests make namespaces.
# With arguments only pytest runs, and gets them:
#   deploy/test.sh tests/unit -k yaml
#   deploy/test.sh -m 'not lab'
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/lib/setup.sh"
prepare "[test]"
cd "$CHECKOUT"
export PATH=$VENV/bin:$PATH

[ $# -eq 0 ] || exec pytest "$@"

failed=
check() {
    say "$*"
    "$@" || failed="$failed\n  $*"
}

check ruff check .
check ruff format --check .
check mypy
check lint-imports
[ -z "$failed" ] || printf 'these checks failed:%b\n' "$failed" >&2

say "pytest"
status=0
pytest -n 2 --dist loadgroup --cov --cov-report=term:skip-covered || status=$?
[ -z "$failed" ] || exit 1
exit "$status"
