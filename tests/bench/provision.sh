#!/bin/bash
# Measures Provision's tasks with and without the drop-in, all in one run on one machine. It prints, and judges nothing.
#
#   tests/bench/provision.sh [--servers=4,8] [--repeat=3] [--task=install,verify,backup,migrate]
#
# DRUSH, PROVISION_DIR and DRUPAL_DIR as for tests/provision/lib.sh. Methods, in turns:
#   alone    Provision as it is, for a site that the hub alone serves: N = 0
#   stock    Provision as it is: rsync over a new ssh, one after the other
#   master   the same, with OpenSSH's ControlMaster, which any admin can have
#   ours     the drop-in
# With --servers=0 the hub alone serves all sites, which shows what the drop-in itself costs.
# Provision's own sleeps are counted, but not slept: they are the same for all methods, and would come on top. A start of Drush is measured apart; the
# PHP processes of a task tell how many of them are in its time.
# CPU is the hub's, without the servers; bytes are those between it and the servers.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../provision/lib.sh"

servers=4,8 repeat=3 tasks=install,verify,backup,migrate
for word in "$@"; do
    case $word in
        --servers=*) servers=${word#*=} ;;
        --repeat=*) repeat=${word#*=} ;;
        --task=*) tasks=${word#*=} ;;
        *) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
done

if [ -z "${BENCH_RESULTS:-}" ]; then
    if [ -z "${AEGIR_SCALE_MODULE:-}" ]; then
        bash "$here/../build-ext.sh" >/dev/null || exit
        export AEGIR_SCALE_MODULE=$LAB_TOP/build/ext/modules/aegir_scale.so
    fi
    lab_given || exit
    BENCH_RESULTS=$(mktemp)
    trap 'rm -f "$BENCH_RESULTS"' EXIT
    export BENCH_RESULTS
    echo "$(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg), PHP $(php -n -r 'echo PHP_VERSION;'), $(date -I), medians of $repeat"
    for n in ${servers//,/ }; do bash "$0" --servers="$n" --repeat="$repeat" --task="$tasks" || exit; done
    php -n "$here/provision.php" "$BENCH_RESULTS"
    exit
fi

# --- one number of servers, in a laboratory of its own ----------------------------------------------------------------

lab_enter "$0" "$@"
N=$servers

start() {
    local server=master
    lab_start "$N" || return
    lab_naps on
    [ "$N" = 0 ] || { lab_cluster "$N" && server=cluster; } || return
    lab_platform d7 $server && lab_platform other $server && lab_platform alone master && lab_platform alone2 master
}

use() {
    lab_drop_in "$([ "$1" = ours ] && echo on || echo off)" && lab_control_master "$([ "$1" = master ] && echo on || echo off)"
}

bytes() { awk '$1 == "br0:" { print $2 + $10 }' /proc/net/dev; }

# measure METHOD TASK ALIAS COMMAND...: a line of results.
measure() {
    local method=$1 task=$2 status from
    shift 2
    from=$(bytes)
    : >"$LAB_DIR/naps"
    lab_quiet lab_measure lab_drush "$@"
    status=$?
    [ $status = 0 ] || { echo "  $task by $method did not end well" >&2; return; }
    [[ ,$tasks, != *",$task,"* ]] || echo "$N $task $method $LAB_SECONDS $LAB_CPU $LAB_PROCESSES $LAB_HANDSHAKES $(($(bytes) - from))" \
        "$(grep -c php "$LAB_DIR/naps") $(awk '/sleep/ { n += $2 } END { print n + 0 }' "$LAB_DIR/naps")" >>"$BENCH_RESULTS"
}

round() {
    local method=$1 site=$1$2.test from=d7 to=other i
    [ "$method" != alone ] || from=alone to=alone2
    use "$method" || return
    measure "$method" start status
    lab_site "$site" $from || return
    measure "$method" install "@$site" provision-install --client_email=admin@hub.test
    for i in 1 2 3; do measure "$method" verify "@$site" provision-verify; done
    measure "$method" backup "@$site" provision-backup
    [[ ,$tasks, != *,migrate,* ]] || measure "$method" migrate "@$site" provision-migrate @platform_$to
}

tasks=$tasks,start
start || { echo 'the laboratory did not start'; exit 1; }
for ((i = 1; i <= repeat; i++)); do
    [ "$N" = 0 ] || round alone $i
    round stock $i
    [ "$N" = 0 ] || round master $i
    round ours $i
done
