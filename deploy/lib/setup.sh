# shellcheck shell=bash
# What demo.sh, test.sh and setup.sh share: make this machine able to run tnet from this checkout.
# Debian 12 or newer, Ubuntu 24.04 or newer; to be sourced by bash. Everything is done once: what is there is left alone.

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
VENV=$CHECKOUT/.venv
OLDEST_PYTHON="3, 11"
PYTHONS="python3 python3.14 python3.13 python3.12 python3.11"
COMMAND=("$0" "$@")

# `su` without a dash leaves root without these, and nft, modprobe and dpkg's own tools are there.
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
# Another Python's settings would lead ours astray.
unset PYTHONHOME PYTHONPATH

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }

die() {
    printf 'setup: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
}

require_root() {
    [ "$(id -u)" = 0 ] || die "networks are the kernel's, and only root may make them" \
        "run it as root: sudo$(printf ' %q' "${COMMAND[@]}")"
}

# die, after the end of what the failed command has said.
die_with_log() {
    tail -n 8 "$LOG" >&2
    die "$@" "run this again when that is repaired: it goes on from there"
}

# --- Debian packages ----------------------------------------------------------------------------------

has_command() { command -v "$1" >/dev/null 2>&1; }
has_library() { [[ $(ldconfig -p) == *"$1"* ]]; }

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

# What the tests need besides: servers, which they start themselves and end again.
missing_servers() {
    has_command sshd || echo openssh-server
    has_command lighttpd || echo lighttpd
    [ -e /usr/lib/lighttpd/mod_openssl.so ] || echo lighttpd-mod-openssl
}

has_kernel_wireguard() { [ -d /sys/module/wireguard ] || modprobe -q wireguard 2>/dev/null; }

install_packages() {
    [ $# -gt 0 ] || return 0
    update_package_lists
    say "installing packages: $*"
    run_apt_get install -y --no-install-recommends "$@" || die_with_log "apt-get could not install: $*"
}

# Installs servers that nobody shall find running, neither now nor after the next boot. What this machine has
# already is left as it is.
install_servers() {
    [ $# -gt 0 ] || return 0
    if [ -d /run/systemd/system ]; then
        services_of "$@" | xargs -r systemctl --quiet mask >>"$LOG" 2>&1
        say "for the tests, which start them themselves: $* (the services are masked)"
        install_packages "$@"
    elif [ -e /usr/sbin/policy-rc.d ]; then
        install_packages "$@"
    else
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod 755 /usr/sbin/policy-rc.d
        trap 'rm -rf "$SCRATCH" /usr/sbin/policy-rc.d' EXIT
        install_packages "$@"
        rm -f /usr/sbin/policy-rc.d
        trap 'rm -rf "$SCRATCH"' EXIT
    fi
}

services_of() {
    local package
    for package in "$@"; do
        case $package in
        openssh-server) printf 'ssh.service\nssh.socket\n' ;;
        lighttpd) echo lighttpd.service ;;
        esac
    done
}

# Waits for the package system where a new machine is still updating itself.
run_apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$LOG" 2>&1
}

LISTS_UPDATED=

# The lists that are there may do where one of the sources is down.
update_package_lists() {
    [ -z "$LISTS_UPDATED" ] || return 0
    has_command apt-get || die "packages are missing, and there is no apt-get to install them" \
        "tnet is made for Debian 12 and Ubuntu 24.04 or newer"
    say "updating the package lists"
    run_apt_get update || say "apt-get update failed: going on with the lists that are there"
    LISTS_UPDATED=yes
}

# --- Python -------------------------------------------------------------------------------------------

is_new_enough() { "$1" -c "import sys; sys.exit(sys.version_info < ($OLDEST_PYTHON))" 2>/dev/null; }

# Sets PYTHON to a Python's name, and PYTHON_PACKAGES to what has to be installed for it, if anything.
choose_python() {
    PYTHON_PACKAGES=
    if PYTHON=$(find_python); then
        makes_environments "$PYTHON" || PYTHON_PACKAGES=$(venv_package "$PYTHON")
        return 0
    fi
    update_package_lists
    PYTHON=$(find_python_package) ||
        die "tnet needs Python 3.11 or newer, and this machine has $(python3 --version 2>/dev/null || echo none)" \
            "its package sources have none either: use Debian 12, Ubuntu 24.04 or newer"
    PYTHON_PACKAGES="$PYTHON $PYTHON-venv"
}

# Prints the first Python here that is new enough; fails if there is none.
find_python() {
    local name
    for name in $PYTHONS; do
        if has_command "$name" && is_new_enough "$name"; then
            echo "$name"
            return 0
        fi
    done
    return 1
}

# Prints the first Python of the package sources that is new enough; fails if there is none.
find_python_package() {
    local name
    for name in $PYTHONS; do
        if is_candidate_new_enough "$name"; then
            echo "$name"
            return 0
        fi
    done
    return 1
}

# The version of package $1 that would be installed. To apt-cache the name is a pattern: where there is no
# python3.13, it speaks of postgresql-plpython3-13.
candidate() {
    apt-cache policy "$1" 2>/dev/null |
        awk -v header="$1:" '/^[^ ]/ { ours = $1 == header } ours && $1 == "Candidate:" { print $2 }'
}

# Ubuntu 22.04 has 3.11 only as a release candidate, which is not what a network should hang on.
is_candidate_new_enough() {
    local version
    version=$(candidate "$1")
    [[ -n $version && $version != "(none)" && $version != *rc* ]] && dpkg --compare-versions "$version" ge 3.11
}

# A Python of Debian's comes without what makes virtual environments.
makes_environments() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }
venv_package() { "$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'; }

# --- The virtual environment --------------------------------------------------------------------------

# A finished environment is stamped with what it was made from, and with where it is and for which Python,
# since it doesn't survive being moved or losing that Python.
requirements() { echo "$(sha256sum <"$CHECKOUT/pyproject.toml" | cut -d' ' -f1) $1"; }
place() { "$VENV/bin/python" -c 'import sys; print(sys.prefix, "%d.%d" % sys.version_info[:2])' 2>/dev/null; }

is_whole() {
    [ -f "$VENV/.tnet" ] && grep -qxF -e "$(place)" "$VENV/.tnet" && "$VENV/bin/tnet" --help >/dev/null 2>&1
}

# The test extras include all that the demo needs.
is_installed() {
    is_whole && grep -qxF -e "$(requirements "$1")" -e "$(requirements '[test]')" "$VENV/.tnet"
}

# make_environment EXTRAS, as in "[test]". One that was left unfinished or has been damaged is made anew.
make_environment() {
    is_installed "$1" && return 0
    say "installing tnet into $VENV"
    is_whole || "$PYTHON" -m venv --clear "$VENV" >>"$LOG" 2>&1 ||
        die_with_log "can't make a virtual environment in $VENV"
    rm -f "$VENV/.tnet"
    run_pip install -q -e "$CHECKOUT$1" || die_with_log "pip could not install tnet's requirements"
    [ "$1" != "[test]" ] || install_fuzzer
    { requirements "$1" && place; } >"$VENV/.tnet"
}

# There are no wheels of it for every Python and processor, and building it takes a whole compiler.
install_fuzzer() {
    run_pip install -q --only-binary atheris -e "$CHECKOUT[fuzz]" ||
        say "no atheris for $("$VENV/bin/python" --version) on $(uname -m): the short fuzz runs will be skipped"
}

# pip leaves its temporary files behind when it is interrupted.
run_pip() {
    TMPDIR=$SCRATCH "$VENV/bin/python" -m pip --disable-pip-version-check "$@" </dev/null >>"$LOG" 2>&1
}

# One at a time for a checkout.
take_turn() {
    exec 9<"$CHECKOUT"
    flock -n 9 || { say "waiting for another setup of this checkout to end" && flock 9; }
}

# prepare EXTRAS: all of the above.
prepare() {
    require_root
    SCRATCH=$(mktemp -d)
    LOG=$SCRATCH/log
    trap 'rm -rf "$SCRATCH"' EXIT
    take_turn
    choose_python
    # shellcheck disable=SC2046,SC2086  # lists of words
    install_packages $(missing_packages) $PYTHON_PACKAGES
    # shellcheck disable=SC2046
    [ "$1" != "[test]" ] || install_servers $(missing_servers)
    make_environment "$1"
    exec 9>&-
    rm -rf "$SCRATCH"
    trap - EXIT
}
