#!/bin/bash
# Fuzzes every target in turn, each for an equal share of the time: tests/fuzz/run.sh SECONDS [TARGET...]
# New inputs are worked on in build/fuzz; at the end those that reach code which the seeds do not are added to tests/fuzz/seeds,
# and the number of runs of each target is printed. The exit status is 1 when something was found; what, is in build/fuzz.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
. tests/setup.sh
OUT=${OUT:-build/engine}
WORK=${WORK:-build/fuzz}
LONGEST=${LONGEST:-4096}            # bytes of a new seed
MOST=${MOST:-100000}                # bytes of all seeds of a target: nothing is added to more
status=0

seconds=${1:-}
if ! [[ $seconds =~ ^[1-9][0-9]*$ ]]; then
    echo "seconds are \"$seconds\", want a number: tests/fuzz/run.sh SECONDS [TARGET...]" >&2
    exit 2
fi
shift
setup_packages && make -s -k -j2 -f tests/engine.mk OUT="$OUT" fuzz || exit
[ $# -gt 0 ] || set -- $(ls tests/fuzz/fuzz_*.c | sed 's/.*fuzz_\(.*\)\.c/\1/')
share=$((seconds / $# > 0 ? seconds / $# : 1))

bytes_of() {
    find "$1" -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }'
}

# The work folder comes first: there libFuzzer writes what it keeps.
fuzz() {
    "$OUT/fuzz_$1" -max_total_time="$share" -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 -artifact_prefix="$WORK/$1-" \
        "$WORK/$1" "tests/fuzz/seeds/$1" </dev/null >"$WORK/$1.log" 2>&1
}

# Counters and values are left out, so that an input is kept for new code only.
merge() {
    [ "$(bytes_of "tests/fuzz/seeds/$1")" -lt "$MOST" ] || return 0
    "$OUT/fuzz_$1" -merge=1 -use_counters=0 -max_len="$LONGEST" -timeout=20 -artifact_prefix="$WORK/$1-merge-" \
        "tests/fuzz/seeds/$1" "$WORK/$1" </dev/null >"$WORK/$1.merge.log" 2>&1
}

for target; do
    mkdir -p "$WORK/$target" "tests/fuzz/seeds/$target"
    before=$(ls "tests/fuzz/seeds/$target" | wc -l)
    if fuzz "$target" && merge "$target"; then
        said=ok
    else
        said='not ok'
        status=1
        tail -n 25 "$WORK/$target.log"
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$WORK/$target.log" | tail -n 1)
    echo "$said fuzz_$target - ${runs:-0} runs in $share s, seeds: $before before, $(ls "tests/fuzz/seeds/$target" | wc -l) now"
done
exit $status
