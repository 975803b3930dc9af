#!/bin/bash
# A fleet of throw-away servers: stock sshd and rsync, each with an address, a file system and a host key of its own.
#
#   . tests/lib/fleet.sh
#   fleet_enter "$0" "$@"          # goes on inside namespaces of its own; call it first
#   fleet_start 3                  # web1, web2, web3
#   fleet_topology topology.yml    # the cluster "live" of all of them
#   fleet_exec web1 ls /var/aegir
#
#   hub: this script             bridge br0 10.87.0.1          web1 10.87.0.11     web2 10.87.0.12    ...
#   /var/aegir of its own   ────────────┴───────────────────────────┴──────────────────┴
#
# All of it lives in a mount, network and process namespace that ends with the script: however the script ends, the kernel
# takes the processes, links and mounts along, and the machine's own /var/aegir, users and keys are never seen.
# Without the right to make namespaces the servers are sshds on 127.0.0.x whose root is a directory: FLEET_MODE is then
# loopback instead of namespaces. FLEET_WANT=loopback asks for that.
#
# From other languages: bash tests/lib/fleet.sh exec web1 ls, and so on for every function.

FLEET_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
FLEET_SSHD=$(command -v sshd || echo /usr/sbin/sshd)

fleet_say() { echo "fleet: $*" >&2; }

# --- coming in and going out ------------------------------------------------------------------------------------------

fleet_enter() {
    if [ -n "${FLEET_MODE:-}" ]; then
        [ -e "$FLEET_DIR/key" ] || fleet_prepare
        return
    fi
    if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then
        exec sudo -n -E bash "$@"
    fi
    if [ "${FLEET_WANT:-}" != loopback ] && fleet_may_unshare; then
        FLEET_MODE=namespaces FLEET_DIR=/run/fleet fleet_outside unshare --mount --net --pid --uts --fork --kill-child \
            --mount-proc --propagation private bash "$@"
    else
        fleet_say "no right to make namespaces: servers are sshds on 127.0.0.x, what needs more is skipped"
        FLEET_MODE=loopback FLEET_DIR=$(mktemp -d) fleet_outside bash "$@"
    fi
}

fleet_may_unshare() {
    [ "$(id -u)" = 0 ] && unshare --mount --net --pid --uts --fork --kill-child --mount-proc --propagation private bash -c \
        'mount -t tmpfs fleet /run && ip link add br0 type bridge && ip link add veth1 type veth peer name veth2' 2>/dev/null
}

# Waits for the inner run and outlives it, so that an interrupt ends everything inside at once.
fleet_outside() {
    local status inner

    export FLEET_MODE FLEET_DIR
    [ -z "${FLEET_MEASURE:-}" ] || fleet_make_cgroups
    setpriv --pdeathsig KILL "$@" <&0 &
    inner=$!
    trap 'fleet_end '$inner'; exit 130' INT
    trap 'fleet_end '$inner'; exit 143' TERM HUP
    wait $inner
    status=$?
    fleet_end $inner
    exit $status
}

fleet_end() {
    trap '' INT TERM HUP
    if [ "$FLEET_MODE" = namespaces ]; then
        kill -KILL "$1" 2>/dev/null
        wait "$1" 2>/dev/null
    else
        local name
        fleet_tree "$1" | xargs -r kill -TERM 2>/dev/null
        wait "$1" 2>/dev/null
        for name in $(fleet_names); do fleet_kill "$name"; done
        rm -rf "$FLEET_DIR"
    fi
    fleet_remove_cgroups
}

# With FLEET_MEASURE set, two control groups tell the CPU of this side (FLEET_NEAR) and of the servers (FLEET_CGROUP) apart.
fleet_make_cgroups() {
    local base

    for base in /sys/fs/cgroup/unified /sys/fs/cgroup /sys/fs/cgroup/cpuacct; do
        { [ -e $base/cgroup.controllers ] || [ -e $base/cpuacct.usage ]; } && mkdir "$base/aegir-fleet-$$" 2>/dev/null || continue
        mkdir "$base/aegir-fleet-$$/near" "$base/aegir-fleet-$$/far"
        export FLEET_NEAR=$base/aegir-fleet-$$/near FLEET_CGROUP=$base/aegir-fleet-$$/far
        return
    done
    fleet_say 'no control groups can be made here: CPU time is not measured'
}

fleet_remove_cgroups() {
    local try
    [ -n "${FLEET_NEAR:-}" ] || return
    for ((try = 0; try < 100; try++)); do
        rmdir "$FLEET_NEAR" "$FLEET_CGROUP" "${FLEET_NEAR%/near}" 2>/dev/null
        [ -d "${FLEET_NEAR%/near}" ] || return
        sleep 0.1
    done
}

# Microseconds of CPU that a control group has used; 0 when it cannot be told.
fleet_cpu() {
    if [ -e "${1:-}/cpuacct.usage" ]; then
        echo $(($(<"$1/cpuacct.usage") / 1000))
    else
        awk '$1 == "usage_usec" { n = $2 } END { print n + 0 }' "${1:-}/cpu.stat" 2>/dev/null || echo 0
    fi
}

fleet_has_namespaces() { [ "$FLEET_MODE" = namespaces ]; }

# The hub's side: once per run.
fleet_prepare() {
    if fleet_has_namespaces; then
        mount -t tmpfs -o size=75% fleet /run
        mkdir -p "$FLEET_DIR" /run/netns
        fleet_private_var
        mkdir -p "$FLEET_DIR/hub/aegir" "$FLEET_DIR/home"
        mount --bind "$FLEET_DIR/hub/aegir" /var/aegir
        fleet_users
        ip netns attach hub $$
        ip link set lo up
        ip link add br0 type bridge
        ip addr add 10.87.0.1/16 dev br0
        ip link set br0 up
    fi
    mkdir -p "$FLEET_DIR/servers" "$FLEET_DIR/home"
    [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
    chmod 755 "$FLEET_DIR"
    export HOME=$FLEET_DIR/home
    unset SSH_AUTH_SOCK
    ssh-keygen -q -t ed25519 -N '' -C fleet -f "$FLEET_DIR/key"
    cp "$FLEET_DIR/key.pub" "$FLEET_DIR/authorized_keys"
    : >"$FLEET_DIR/known_hosts" >"$FLEET_DIR/ssh_config"
}

# An empty /var with the machine's own directories linked in, so that /var/aegir can be made.
fleet_private_var() {
    local old=/run/machine-var entry

    if [ ! -d $old ]; then
        mkdir $old
        mount --rbind /var $old
    fi
    mount -t tmpfs -o mode=755 var /var
    for entry in "$old"/*; do
        [ "${entry##*/}" = aegir ] || ln -s "$entry" "/var/${entry##*/}"
    done
    mkdir /var/aegir
}

# root and the user aegir, whose home is /var/aegir as everywhere with Aegir.
fleet_users() {
    local etc=$FLEET_DIR/etc file

    mkdir -p "$etc"
    { echo "root:x:0:0:root:$FLEET_DIR/home:/bin/bash"; echo 'aegir:x:5999:5999::/var/aegir:/bin/bash'
      grep -Ev '^(root|aegir):' /etc/passwd; } >"$etc/passwd"
    { grep -Ev '^aegir:' /etc/group; echo 'aegir:x:5999:'; } >"$etc/group"
    { echo 'root:*:19000:0:99999:7:::'; echo 'aegir:*:19000:0:99999:7:::'; grep -Ev '^(root|aegir):' /etc/shadow; } >"$etc/shadow"
    for file in passwd group shadow; do mount --bind "$etc/$file" /etc/$file; done
    chown 5999:5999 "$FLEET_DIR/hub/aegir"
}

# --- servers ----------------------------------------------------------------------------------------------------------

# fleet_start N: web1 to webN, as far as they are not there yet.
fleet_start() {
    local i started=()

    for ((i = 1; i <= $1; i++)); do
        [ ! -d "$FLEET_DIR/servers/web$i" ] || continue
        fleet_add "web$i" $i
        started+=("web$i")
    done
    for i in "${started[@]}"; do
        fleet_wait "$i" || { fleet_say "$i does not answer"; cat "$FLEET_DIR/servers/$i/log" >&2; return 1; }
    done
}

fleet_add() {
    local name=$1 number=$2 dir=$FLEET_DIR/servers/$1 address port=22

    mkdir -p "$dir/aegir" "$dir/home"
    if fleet_has_namespaces; then
        address=10.87.$(((number + 10) / 250)).$(((number + 10) % 250))
        chown 5999:5999 "$dir/aegir"
    else
        address=127.0.0.$((number + 10))
        port=$((22000 + RANDOM % 9000))
        mkdir -p "$dir/root"
    fi
    echo $address >"$dir/address"
    echo $port >"$dir/port"
    echo "$number" >"$dir/number"
    fleet_keys "$name"
    fleet_sshd_config "$name" >"$dir/sshd_config"
    fleet_boot "$name"
}

fleet_address() { cat "$FLEET_DIR/servers/$1/address"; }

fleet_names() { (cd "$FLEET_DIR/servers" 2>/dev/null && printf '%s\n' * | grep -v '^\*$' | sort -V); }

# A new host key, known to the hub.
fleet_keys() {
    local dir=$FLEET_DIR/servers/$1 address port host

    rm -f "$dir/host_key" "$dir/host_key.pub"
    ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$dir/host_key"
    address=$(cat "$dir/address") port=$(cat "$dir/port")
    host=$address
    [ "$port" = 22 ] || host="[$address]:$port"
    { grep -vF "$host " "$FLEET_DIR/known_hosts"; echo "$host $(cut -d' ' -f1,2 "$dir/host_key.pub")"; } >"$FLEET_DIR/known_hosts.new"
    mv "$FLEET_DIR/known_hosts.new" "$FLEET_DIR/known_hosts"
    grep -q "^Host $1\$" "$FLEET_DIR/ssh_config" || cat >>"$FLEET_DIR/ssh_config" <<END
Host $1
    HostName $address
    Port $port
    User $(fleet_has_namespaces && echo root || id -un)
    IdentityFile $FLEET_DIR/key
    IdentitiesOnly yes
    UserKnownHostsFile $FLEET_DIR/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    BatchMode yes
END
}

# What a Debian server has, apart from PAM, which knows the machine's users only.
fleet_sshd_config() {
    local dir=$FLEET_DIR/servers/$1
    cat <<END
ListenAddress $(cat "$dir/address")
Port $(cat "$dir/port")
HostKey $dir/host_key
PidFile $dir/sshd.pid
AuthorizedKeysFile $FLEET_DIR/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
PrintMotd no
AcceptEnv LANG LC_*
Subsystem sftp /usr/lib/openssh/sftp-server
END
}

fleet_boot() {
    local dir=$FLEET_DIR/servers/$1

    if fleet_has_namespaces; then
        (
            [ -z "${FLEET_CGROUP:-}" ] || echo $BASHPID >"$FLEET_CGROUP/cgroup.procs"
            exec unshare --mount --net --pid --uts --fork --kill-child --mount-proc --propagation private \
                bash "$FLEET_LIB/server.sh" "$1" "$(cat "$dir/number")"
        ) </dev/null >>"$dir/log" 2>&1 &
        echo $! >"$dir/holder"
        disown $!
    else
        fleet_sshd "$1"
    fi
}

# (Re)starts a server's sshd, after fleet_kill.
fleet_sshd() {
    local dir=$FLEET_DIR/servers/$1
    fleet_inside "$1" "$FLEET_SSHD" -f "$dir/sshd_config" -E "$dir/log" </dev/null
}

fleet_wait() {
    local dir=$FLEET_DIR/servers/$1 address port banner try

    address=$(cat "$dir/address") port=$(cat "$dir/port")
    for ((try = 0; try < 200; try++)); do
        if exec 9<>"/dev/tcp/$address/$port"; then
            read -r -t 5 banner <&9
            exec 9>&-
            [[ $banner != SSH-* ]] || return 0
        fi 2>/dev/null
        sleep 0.05
    done
    return 1
}

# A command in a server's namespaces, as root there.
fleet_inside() {
    local dir=$FLEET_DIR/servers/$1 ns
    shift
    if fleet_has_namespaces; then
        ns=/proc/$(cat "$dir/holder")/ns
        nsenter --mount="$ns/mnt" --net="$ns/net" --uts="$ns/uts" --pid="$ns/pid_for_children" --wd=/ -- "$@"
    else
        (cd "$dir/root" && "$@")
    fi
}

# fleet_exec NAME COMMAND...: not over ssh, so it works whatever the test did to sshd.
fleet_exec() { fleet_inside "$@"; }

# Every process of the server dies, as after kill -9: its kernel still closes the connections.
fleet_kill() {
    local name=$1 dir=$FLEET_DIR/servers/$1
    if fleet_has_namespaces; then
        fleet_inside "$name" bash -c 'kill -KILL -1'
    elif [ -s "$dir/sshd.pid" ]; then
        fleet_tree "$(cat "$dir/sshd.pid")" | xargs -r kill -KILL 2>/dev/null
        rm -f "$dir/sshd.pid"
    fi
    return 0
}

fleet_revive() { fleet_sshd "$1" && fleet_wait "$1"; }

# As a power cut: no packet says good-bye.
fleet_crash() { fleet_link "$1" down && fleet_kill "$1"; }

fleet_freeze() { fleet_signal "$1" STOP; }
fleet_thaw() { fleet_signal "$1" CONT; }

fleet_signal() {
    if fleet_has_namespaces; then
        fleet_inside "$1" bash -c "kill -$2 -1"
    else
        fleet_tree "$(cat "$FLEET_DIR/servers/$1/sshd.pid")" | xargs -r kill "-$2"
    fi
}

# A process and all below it.
fleet_tree() {
    local child
    echo "$1"
    for child in $(pgrep -P "$1"); do fleet_tree "$child"; done
}

# fleet_link NAME down|up: pulls the server's cable.
fleet_link() {
    fleet_has_namespaces || return 1
    ip link set "h$(cat "$FLEET_DIR/servers/$1/number")" "$2"
}

# fleet_blackhole ADDRESS: an address of ours that swallows every packet.
fleet_blackhole() {
    fleet_has_namespaces || return 1
    ip neigh replace "$1" lladdr 02:00:00:00:00:fe dev br0 nud permanent
}

# The end of fleet_blackhole.
fleet_whitehole() {
    ip neigh del "$1" dev br0
}

# fleet_sshd_option NAME LINE: from its next start on.
fleet_sshd_option() {
    echo "$2" >>"$FLEET_DIR/servers/$1/sshd_config"
}

# fleet_remove NAME: as if it had never been there.
fleet_remove() {
    local name=$1 dir=$FLEET_DIR/servers/$1 address
    address=$(cat "$dir/address")
    fleet_kill "$name"
    ! fleet_has_namespaces || kill -KILL "$(cat "$dir/holder")" 2>/dev/null
    sed -i "/^Host $name\$/,/BatchMode/d" "$FLEET_DIR/ssh_config"
    sed -i "/^\[\?${address//./\\.}[] :]/d" "$FLEET_DIR/known_hosts"
    rm -rf "$dir"
}

fleet_stop() {
    local name
    for name in $(fleet_names); do
        fleet_kill "$name"
        ! fleet_has_namespaces || kill -KILL "$(cat "$FLEET_DIR/servers/$name/holder")" 2>/dev/null
        rm -rf "${FLEET_DIR:?}/servers/$name"
    done
    : >"$FLEET_DIR/known_hosts" >"$FLEET_DIR/ssh_config"
}

# fleet_topology FILE [USER]: every server, and the cluster "live" of all of them.
fleet_topology() {
    local name dir user=${2:-root}

    fleet_has_namespaces || user=$(id -un)
    {
        echo 'version: 1'
        echo "defaults: { user: $user, identity: $FLEET_DIR/key, known_hosts: $FLEET_DIR/known_hosts, connect_timeout: 10, timeout: 60 }"
        echo 'servers:'
        for name in $(fleet_names); do
            dir=$FLEET_DIR/servers/$name
            fleet_has_namespaces && echo "  $name: { host: $(cat "$dir/address") }" ||
                echo "  $name: { host: $(cat "$dir/address"), port: $(cat "$dir/port"), root: $dir/root }"
        done
        echo "clusters:"
        echo "  live: { servers: [$(fleet_names | paste -sd, | sed 's/,/, /g')] }"
    } >"$1"
}

# fleet_path NAME PATH: where the hub sees what the server calls PATH, which is below /var/aegir.
fleet_path() {
    fleet_has_namespaces && echo "$FLEET_DIR/servers/$1/aegir${2#/var/aegir}" || echo "$FLEET_DIR/servers/$1/root$2"
}

# What stock ssh and rsync are told to reach the fleet.
fleet_ssh() { ssh -F "$FLEET_DIR/ssh_config" "$@"; }

# fleet_rsync NAME OPTION... SOURCE...: to the server's root.
fleet_rsync() {
    local name=$1 root=/
    shift
    fleet_has_namespaces || root=$FLEET_DIR/servers/$name/root/
    rsync -e "ssh -F $FLEET_DIR/ssh_config" "$@" "$name:$root"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    fleet_verb=$1
    shift
    "fleet_$fleet_verb" "$@"
fi
