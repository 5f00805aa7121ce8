#!/bin/sh
# check.sh REPORT: judge one request against the ledger and write what to say about it to REPORT, in Markdown.
# Exit code 0: nodes would accept it. 1: they would reject it. 2: it couldn't be judged.
#
#   LEDGER_URL       the repository
#   LEDGER_BRANCH    the ledger's branch (main)
#   LEDGER_TOKEN     what it takes to read it, if it isn't public; LEDGER_USER the name that goes with it
#   REQUEST_REF      where the repository keeps the request: refs/pull/7/head, refs/merge-requests/7/head
#   REQUEST_COMMIT   the request's commit that is asked about
#   TNET_ANCHOR, TNET_ROOT_KEYS   whose ledger it is: from the forge's own settings, never from the request
#   TNET_LANDING     how the forge lands requests: merge (default), fast-forward, rebase, squash
#
# Nothing of the request is checked out or run. Its objects are fetched into a bare repository that is removed
# afterwards, and tnet, which reads them, gets no token and none of the job's environment.
set -eu
export GIT_TERMINAL_PROMPT=0

report=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

unjudged() {
    printf '<!-- tnet check -->\n### tnet: this could not be judged\n\n%s The log of the job says more.\n' "$1" >"$report"
    exit 2
}

# git's settings for a URL that only the one command sees.
with_token() {
    [ -n "${LEDGER_TOKEN:-}" ] || { "$@" && return 0 || return 1; }
    basic=$(printf '%s:%s' "${LEDGER_USER:-x-access-token}" "$LEDGER_TOKEN" | base64 | tr -d '\n')
    GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.$LEDGER_URL.extraHeader" \
        GIT_CONFIG_VALUE_0="Authorization: Basic $basic" "$@"
}

case $REQUEST_COMMIT in
*[!0-9a-f]* | '') unjudged "The request's commit isn't known." ;;
esac

ledger=$scratch/ledger.git
git init --quiet --bare --template= "$ledger"
with_token git -C "$ledger" -c fetch.fsckObjects=true fetch --quiet --no-tags "$LEDGER_URL" \
    "+refs/heads/${LEDGER_BRANCH:-main}:refs/heads/ledger" "+$REQUEST_REF:refs/heads/request" ||
    unjudged "The ledger or the request can't be fetched, or holds an object that git refuses."
git -C "$ledger" merge-base --is-ancestor "$REQUEST_COMMIT" refs/heads/request ||
    unjudged "The request has been changed meanwhile; it is judged anew."

code=0
env -i PATH="$PATH" HOME="$scratch" LC_ALL=C.UTF-8 TNET_ANCHOR="$TNET_ANCHOR" TNET_ROOT_KEYS="$TNET_ROOT_KEYS" \
    tnet check --repo "$ledger" "--${TNET_LANDING:-merge}" -o markdown "refs/heads/ledger..$REQUEST_COMMIT" \
    >"$report" || code=$?
[ -s "$report" ] || unjudged "tnet couldn't tell."
exit "$code"
