#!/bin/bash
# The drop-in with real Drush, Provision, Drupal, database, web servers and sshd. provision/run.sh [PART OF A TEST'S NAME]
# DRUSH, PROVISION_DIR and DRUPAL_DIR say where the first three are, see lib.sh; without them all of it is skipped.
# One suite alone, and what its servers and tasks say: tests/provision/cluster.test.sh [PART OF A TEST'S NAME]

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
export AEGIR_SCALE_MODULE=${AEGIR_SCALE_MODULE:-$top/build/ext/modules/aegir_scale.so}
status=0

for name in DRUSH PROVISION_DIR DRUPAL_DIR; do
    if [ -z "${!name:-}" ]; then
        echo "skip provision - $name is not set, want the paths of a Drush 8, a Provision 7.x-3.x and a Drupal 7 in DRUSH, PROVISION_DIR and DRUPAL_DIR"
        echo '0 passed, 0 failed, 1 skipped'
        exit 0
    fi
done
[ -e "$AEGIR_SCALE_MODULE" ] || { echo "not ok provision - $AEGIR_SCALE_MODULE is missing, tests/build-ext.sh makes it"; exit 1; }
. "$here/check.sh"
lab_given || { echo 'not ok provision - what the laboratory is made of is not there'; exit 1; }
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# Those that die count as a failed test.
run_suite() {
    local file=$1 from result
    shift
    from=$(wc -l <"$out")
    timeout -k 10 3600 bash "$file" "$@" </dev/null 2>&1 | tee -a "$out"
    result=${PIPESTATUS[0]}
    if [ "$result" != 0 ] && ! tail -n +$((from + 1)) "$out" | grep -q '^not ok '; then
        echo "not ok ${file##*/} - it ended with status $result" | tee -a "$out"
    fi
}

for file in "$here"/*.test.sh; do
    run_suite "$file" "$@"
    grep -qx '# end' "$out" || { echo "not ok ${file##*/} - it ended before its last test" | tee -a "$out"; }
    sed -i 's/^# end$/# ended/' "$out"
done
# The parts of uploads.sh are functions called by their names.
mapfile -t parts < <(sed -n 's/^# Parts: \(.*\)\..*/\1/p' "$here/uploads.sh" | cut -d. -f1 | tr ' ' '\n' | sed 's/^/uploads /' | grep -F -- "${1:-}" | cut -d' ' -f2)
[ ${#parts[@]} = 0 ] || run_suite "$here/uploads.sh" "${parts[@]}"

good=$(grep -c '^ok ' "$out") bad=$(grep -c '^not ok ' "$out")
[ $((good + bad)) -gt 0 ] || { echo "not ok provision - no test has \"${1:-}\" in its name"; bad=1; }
[ "$bad" = 0 ] || { echo; echo 'what failed:'; grep '^not ok ' "$out" | cut -c1-400; }
echo "$good passed, $bad failed, $(grep -c '^skip ' "$out") skipped"
[ "$bad" = 0 ]
