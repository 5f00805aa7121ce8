#!/usr/bin/env bash
# A farm of nodes on this one machine, doing tnet's main job from signed commit to packets. Needs root.
# Arguments go to `tnet lab demo` (--keep leaves the farm up).
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/lib/setup.sh"
prepare ""
exec "$VENV/bin/tnet" lab demo "$@"
