#!/bin/bash
# Installs what building and testing need on Debian 12. Nothing happens when all of it is there.
# bash tests/setup.sh, or source it and call setup_packages [PACKAGE...] to name more.

SETUP_PACKAGES=(
    # the extension
    php-cli php-dev gcc make autoconf pkg-config libssh2-1-dev libyaml-dev libxxhash-dev libzstd-dev liblz4-dev zlib1g-dev libssl-dev
    # its tests: the engine with sanitizers, fuzzing and a second compiler, memory checks
    libc6-dev clang libclang-rt-14-dev valgrind
    # the wrappers
    composer php-symfony-console php-mbstring php-xml phpunit unzip
    # throw-away servers
    openssh-server openssh-client rsync iproute2 util-linux procps coreutils faketime
    ca-certificates git
)

setup_as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

setup_missing() {
    local package
    for package in "$@"; do
        dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || echo "$package"
    done
}

# The openssh-server package would start a daemon: for the time of the installation nothing may be started.
setup_install() {
    local policy=/usr/sbin/policy-rc.d status=0

    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | setup_as_root tee $policy >/dev/null
        setup_as_root chmod 755 $policy
    else
        policy=
    fi
    setup_as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null || status=$?
    [ -z "$policy" ] || setup_as_root rm -f "$policy"
    return $status
}

setup_packages() {
    local missing

    mapfile -t missing < <(setup_missing "${SETUP_PACKAGES[@]}" "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing ${missing[*]}"
    if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
        echo "only root can install these packages" >&2
        return 1
    fi
    setup_as_root apt-get update -q </dev/null || echo "apt-get update failed, going on with the lists that are there" >&2
    setup_install "${missing[@]}"
}

# A package's files without installing it: setup_unpack PACKAGE DIRECTORY
setup_unpack() {
    local package=$1 to=$2 work status=0

    [ ! -d "$to" ] || return 0
    work=$(mktemp -d)
    (
        cd "$work" || exit
        apt-get download -q "$package" </dev/null 2>/dev/null || {
            setup_as_root apt-get update -q </dev/null && apt-get download -q "$package" </dev/null
        } || exit
        mkdir tree && dpkg-deb -x ./*.deb tree
    ) >/dev/null || status=$?
    # Renamed when it is whole, so that an interrupted run leaves nothing half unpacked under the name.
    [ $status -ne 0 ] || { mkdir -p "$(dirname "$to")" && rm -rf "$to.new" && mv "$work/tree" "$to.new" && mv "$to.new" "$to"; } || status=$?
    rm -rf "$work"
    [ $status -eq 0 ] || echo "cannot fetch and unpack the package $package" >&2
    return $status
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    setup_packages "$@"
fi
