#!/bin/bash
# The functional tests: the extension against stock sshd and rsync. functional/run.sh [FILE [PART OF A TEST'S NAME]]
# Each file of tests is a PHP script of its own; one that dies counts as a failed test.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../lib/fleet.sh"
fleet_enter "$0" "$@"

top=$(cd "$here/../.." && pwd)
module=${AEGIR_SCALE_MODULE:-$top/build/ext/modules/aegir_scale.so}
export AEGIR_SCALE_MODULE=$module AEGIR_SCALE_TOP=$top
status=0

[ -e "$module" ] || { echo "not ok functional - $module is missing, tests/build-ext.sh makes it"; exit 1; }
fleet_start 4 || { echo 'not ok functional - the servers did not start'; exit 1; }

run_file() {
    local file=$1 out name=${1##*/} result
    shift
    echo "# $name"
    out=$(mktemp)
    # Without the machine's own php.ini, which may load anything. Memory that was freed is overwritten, so that its use is seen.
    GLIBC_TUNABLES=glibc.malloc.tcache_count=0:glibc.malloc.perturb=165 timeout -k 10 900 php -n -d memory_limit=2G -d "extension=$module" "$file" "$@" </dev/null 2>&1 | tee "$out"
    result=${PIPESTATUS[0]}
    if ! grep -qx '# end' "$out"; then
        echo "not ok $name - ended with status $result before its last test"
        result=1
    fi
    rm -f "$out"
    return "$result"
}

if [ $# -gt 0 ]; then
    run_file "$here/${1#tests/functional/}" "${@:2}" || status=1
else
    for file in "$here"/*.test.php; do run_file "$file" || status=1; done
fi
exit $status
