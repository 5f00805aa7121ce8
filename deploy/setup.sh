#!/usr/bin/env bash
# Install what tnet needs on this machine, and tnet itself into .venv/ of this checkout. Needs root.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/lib/setup.sh"
prepare ""
say "tnet is $VENV/bin/tnet"
