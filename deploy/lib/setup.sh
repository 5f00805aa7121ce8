# What demo.sh and test.sh share: make this machine able to run tnet from this checkout.
# Debian 12 or newer, Ubuntu 22.04 or newer; to be sourced by bash. Everything is done once: what is there is left alone.

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VENV=$CHECKOUT/.venv
OLDEST_PYTHON="3, 11"
PYTHONS="python3 python3.14 python3.13 python3.12 python3.11"

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }

die() {
    printf 'setup: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
}

require_root() {
    [ "$(id -u)" = 0 ] || die "networks are the kernel's, and only root may make them" "run it so: sudo $0 $*"
}

# --- Debian packages ----------------------------------------------------------------------------------

has_command() { command -v "$1" >/dev/null 2>&1; }
has_library() { PATH=$PATH:/usr/sbin:/sbin ldconfig -p | grep -q "$1"; }

# Prints the packages that this machine lacks, by what it can't do.
missing_packages() {
    has_command git || echo git
    has_command ip || echo iproute2
    has_command nft || echo nftables
    has_library libnftables.so.1 || echo libnftables1
    has_command wg || echo wireguard-tools
    has_command wireguard-go || has_kernel_wireguard || echo wireguard-go
    has_command ssh-keygen || echo openssh-client
    has_command ping || echo iputils-ping
    has_command ps || echo procps
    [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
}

has_kernel_wireguard() { [ -d /sys/module/wireguard ] || modprobe -q wireguard 2>/dev/null; }

APT_UPDATED=

install_packages() {
    [ $# -gt 0 ] || return 0
    has_command apt-get || die "these are missing, and there is no apt-get to install them: $*"
    say "installing $*"
    apt_update_once
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$LOG" 2>&1 ||
        { tail -n 20 "$LOG" >&2; die "apt-get could not install: $*"; }
}

apt_update_once() {
    [ -z "$APT_UPDATED" ] || return 0
    apt-get update -qq >"$LOG" 2>&1 || { tail -n 20 "$LOG" >&2; die "apt-get update failed"; }
    APT_UPDATED=yes
}

# --- Python -------------------------------------------------------------------------------------------

is_new_enough() { "$1" -c "import sys; sys.exit(sys.version_info < ($OLDEST_PYTHON))" 2>/dev/null; }

# Prints the first Python that is new enough; fails if there is none.
find_python() {
    local name
    for name in $PYTHONS; do
        if has_command "$name" && is_new_enough "$name"; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

# The distribution's, if it has one that is new enough (Ubuntu 22.04's own is 3.10, with 3.11 beside it).
install_python() {
    local name
    apt_update_once
    for name in $PYTHONS; do
        if is_candidate_new_enough "$name"; then
            install_packages "$name"
            return 0
        fi
    done
    die "tnet needs Python 3.11 or newer, and this machine has $(python3 --version 2>&1 || echo none)" \
        "its package sources have none either: use Debian 12, Ubuntu 24.04 or newer"
}

is_candidate_new_enough() {
    local version
    version=$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: *//p')
    [ -n "$version" ] && [ "$version" != "(none)" ] && dpkg --compare-versions "$version" ge 3.11
}

# A Python of Debian's comes without what makes virtual environments.
require_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null && return 0
    install_packages "$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
}

# --- The virtual environment --------------------------------------------------------------------------

# The environment's stamp says from what it was made and with which extras; it is made again only when that changes.
stamp() {
    echo "$(sha256sum <"$CHECKOUT/pyproject.toml" | cut -d' ' -f1) $1"
}

# The test extras include all that the demo needs.
is_installed() {
    [ -x "$VENV/bin/tnet" ] && grep -qxF -e "$(stamp "$1")" -e "$(stamp '[test]')" "$VENV/.tnet" 2>/dev/null
}

# make_environment PYTHON EXTRAS, as in "[test]"
make_environment() {
    is_installed "$2" && return 0
    say "installing tnet into $VENV"
    [ -x "$VENV/bin/python" ] && is_new_enough "$VENV/bin/python" || "$1" -m venv --clear "$VENV" ||
        die "can't make a virtual environment in $VENV"
    "$VENV/bin/python" -m pip install -q --disable-pip-version-check -e "$CHECKOUT$2" >"$LOG" 2>&1 ||
        { tail -n 20 "$LOG" >&2; die "pip could not install tnet's requirements"; }
    stamp "$2" >"$VENV/.tnet"
}

# prepare EXTRAS: all of the above. One at a time for a checkout.
prepare() {
    require_root
    LOG=$(mktemp)
    trap 'rm -f "$LOG"' EXIT
    exec 9<"$CHECKOUT"
    flock 9
    # shellcheck disable=SC2046  # a list of words
    install_packages $(missing_packages)
    local python
    python=$(find_python) || { install_python; python=$(find_python) || die "no Python after all"; }
    require_venv "$python"
    make_environment "$python" "$1"
    exec 9>&-
    rm -f "$LOG"
    trap - EXIT
}
