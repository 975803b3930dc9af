#!/bin/bash
# Laboratories that stay up, for work by hand. Each has a name; as many as one likes run side by side.
#
#   export DRUSH=... PROVISION_DIR=... DRUPAL_DIR=... [AEGIR_SCALE_MODULE=...]
#   tests/provision/lab.sh start mine 4            # hub and web1 to web4
#   tests/provision/lab.sh mine lab_cluster 4      # any function of lib.sh, see there
#   tests/provision/lab.sh mine lab_platform d7 cluster
#   tests/provision/lab.sh mine lab_site_install a.test d7
#   tests/provision/lab.sh mine lab_drush @a.test provision-verify
#   tests/provision/lab.sh mine lab_node 2 ls -l /var/aegir/platforms
#   tests/provision/lab.sh mine bash               # a shell as root, lab_run bash one as Aegir's user; . tests/provision/lib.sh for the functions
#   tests/provision/lab.sh list
#   tests/provision/lab.sh stop mine
#
# A lab takes its sources when it starts; lab_drop_in on brings the wrappers as they are then.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
labs=$LAB_TOP/build/labs

# The first process inside: unshare's child, below the shell that waits for it.
inner() {
    local outer
    outer=$(cat "$labs/$1/pid" 2>/dev/null) && kill -0 "$outer" 2>/dev/null && pgrep -P "$(pgrep -oP "$outer")"
}

start() {
    local dir=$labs/$1

    [[ $1 =~ ^[a-z0-9_-]+$ && ${2:-4} =~ ^[0-9]+$ ]] || { lab_say "want start NAME [NUMBER OF SERVERS], got start $*"; exit 2; }
    [ -z "$(inner "$1")" ] || { lab_say "$1 is running"; exit 1; }
    lab_given || exit
    rm -rf "$dir" && mkdir -p "$dir" || exit
    setsid bash "$0" serve "$1" "${2:-4}" </dev/null >"$dir/log" 2>&1 &
    echo $! >"$dir/pid"
    while [ ! -e "$dir/ready" ]; do
        kill -0 $! 2>/dev/null || { cat "$dir/log" >&2; exit 1; }
        sleep 0.2
    done
}

serve() {
    lab_enter "$here/lab.sh" serve "$1" "$2"
    lab_start "$2" || exit
    touch "$labs/$1/ready"
    while :; do sleep 1000; done
}

within() {
    local name=$1 pid
    shift
    pid=$(inner "$name")
    [ -n "$pid" ] || { lab_say "$name is not running, $0 start $name starts it"; exit 1; }
    FLEET_MODE=namespaces FLEET_DIR=/run/fleet HOME=/run/fleet/home nsenter --target "$pid" --mount --net --pid --uts --wd="$PWD" bash "$here/lab.sh" inside "$@"
}

case ${1:-} in
    start | serve) "$@" ;;
    stop)
        [ -z "$(inner "${2:-}")" ] || kill "$(<"$labs/$2/pid")"
        rm -rf "${labs:?}/${2:?which lab}"
        ;;
    list) for name in $(ls "$labs" 2>/dev/null); do [ -z "$(inner "$name")" ] || echo "$name"; done ;;
    inside) shift; "$@" ;;
    '' | -*) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 2 ;;
    *) within "$@" ;;
esac
