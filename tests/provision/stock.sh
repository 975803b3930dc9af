#!/bin/bash
# Stock Provision in the laboratory: tasks end well, pages are served, and the calls are as many as its code says. stock.sh [N]
# With that, what other tests and the bench measure against is known to be the real thing. Times are those of this machine under its load.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
lab_enter "$0" "$@"
N=${1:-4} failed=0

check() { [ "$2" = "$3" ] && echo "ok provision - $1" || { echo "not ok provision - $1: found $2, want $3"; failed=1; }; }

# task NAME RSYNCS SSHS ALIAS COMMAND...: the calls wanted per server.
task() {
    local status
    lab_quiet lab_measure lab_drush "${@:4}"
    status=$?
    printf '# %-17s %7.2f s %6.2f s cpu, %4d processes, %4d rsync, %4d ssh, %4d handshakes\n' "$1" "$LAB_SECONDS" "$LAB_CPU" "$LAB_PROCESSES" "$LAB_RSYNC" "$LAB_SSH" "$LAB_HANDSHAKES"
    check "$1 ends well" $status 0
    check "$1: rsync calls" "$LAB_RSYNC" $(($2 * N))
    check "$1: ssh calls" "$LAB_SSH" $(($3 * N))
    check "$1: handshakes" "$LAB_HANDSHAKES" $((($2 + $3) * N))
}

# served SITE: by every web server, or without one by the hub.
served() {
    local host
    for host in $(fleet_names | grep . || echo hub); do
        check "$host serves $1" "$(lab_get "$host" "$1" | grep -o '<title>[^<]*')" "<title>Welcome to $1 | $1"
    done
}

{
    lab_start "$N" &&
    if [ "$N" -gt 0 ]; then lab_cluster "$N"; else :; fi &&
    server=$([ "$N" -gt 0 ] && echo cluster || echo master) &&
    lab_platform d7 "$server" && lab_platform other "$server" && lab_site a.test d7
} || { echo 'not ok provision - the laboratory did not start'; exit 1; }

task 'verify platform' 3 1 @platform_d7 provision-verify
task install 9 2 @a.test provision-install --client_email=admin@hub.test
served a.test
task 'verify site' 8 1 @a.test provision-verify
task backup 6 0 @a.test provision-backup
task migrate 38 9 @a.test provision-migrate @platform_other
served a.test
exit $failed
