#!/bin/bash
# Installs, builds and tests everything. tests/run.sh [LAYER...] runs just those; tests/run.sh --list names them.
# The last line is "N passed, N failed, N skipped"; the exit status is 0 only when nothing failed.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
. tests/setup.sh
export LC_ALL=C.UTF-8 NO_INTERACTION=1 COMPOSER_NO_INTERACTION=1

LAYERS=(includes compile extension unit fuzz stub package phpt valgrind drush functional provision demo)
FUZZ_SECONDS=${FUZZ_SECONDS:-5}
LOGS=build/logs
passed=0 failed=0 skipped=0

# --- the layers: each prints "ok NAME", "not ok NAME - why" and "skip NAME - why", or what PHPUnit and run-tests print -----------------

layer_includes() { script tests/check-includes.sh; }
layer_stub() { script tests/gen-stub.sh --check; }
layer_package() { script tests/package-files.sh --check; }
layer_phpt() { script tests/phpt/run.sh; }
layer_valgrind() { script tests/phpt/run.sh --valgrind; }
layer_drush() { script tests/drush/run.sh; }
layer_provision() { script tests/provision/run.sh; }
layer_demo() { script tests/demo.sh; }

layer_functional() {
    setup_unpack mediawiki build/trees/mediawiki
    script tests/functional/run.sh
}

# A script that prints no results of its own is one test; status 77 skips it, with its last line as the reason.
script() {
    local name=${1#tests/} out status

    if [ ! -f "$1" ]; then
        echo "not ok $name - the script is missing"
        return 1
    fi
    out=$(mktemp)
    bash "$@" 2>&1 | tee "$out"
    status=${PIPESTATUS[0]}
    if [ "$status" = 77 ]; then
        echo "skip $name - $(tail -n 1 "$out")"
        status=0
    elif ! has_results "$out"; then
        [ "$status" = 0 ] && echo "ok $name" || echo "not ok $name - it ended with status $status"
    fi
    rm -f "$out"
    return "$status"
}

# Every file, with both compilers; warnings are errors.
layer_compile() {
    compile gcc build/engine
    compile clang build/clang
}

compile() {
    if make -s -k -j2 -f tests/engine.mk CC="$1" OUT="$2" objects 2>&1; then
        echo "ok compile with $1"
    else
        echo "not ok compile with $1"
    fi
}

layer_extension() {
    if bash tests/build-ext.sh --enable-aegir-scale-dev && php -n -d "extension=$PWD/build/ext/modules/aegir_scale.so" -r 'exit(extension_loaded("aegir_scale") ? 0 : 1);'
    then
        echo 'ok the extension builds and loads'
    else
        echo 'not ok the extension builds and loads'
    fi
}

# Two at a time: some do little but wait.
layer_unit() {
    local file name running=0

    make -s -k -j2 -f tests/engine.mk unit 2>&1
    for file in tests/unit/test_*.c; do
        [ $((running++)) -lt 2 ] || wait -n
        run_unit "$file" &
    done
    wait
    for file in tests/unit/test_*.c; do
        cat "$LOGS/unit-$(basename "$file" .c)"
    done
}

run_unit() {
    local name status program log

    name=$(basename "$1" .c)
    program=build/engine/$name
    log=$LOGS/unit-$name
    if [ ! -x "$program" ] || [ "$1" -nt "$program" ]; then
        echo "not ok $name - it does not build" >"$log"
        return
    fi
    timeout -k 5 600 "$program" </dev/null >"$log" 2>&1
    status=$?
    # A failed test was printed as such; anything else is a program that died.
    if [ $status -ne 0 ] && ! grep -q '^not ok ' "$log" || [ $status -gt 1 ]; then
        echo "not ok $name - it ended with status $status" >>"$log"
    fi
}

# From recorded seeds, for a short time; what is found is kept in build/fuzz.
layer_fuzz() {
    local file name found

    make -s -k -j2 -f tests/engine.mk fuzz 2>&1
    for file in tests/fuzz/fuzz_*.c; do
        name=$(basename "$file" .c)
        if [ ! -x "build/engine/$name" ]; then
            echo "not ok $name - it does not build"
        elif [ ! -d "tests/fuzz/seeds/${name#fuzz_}" ]; then
            echo "not ok $name - it has no seeds in tests/fuzz/seeds/${name#fuzz_}"
        else
            mkdir -p "build/fuzz/$name"
            if timeout -k 5 $((FUZZ_SECONDS * 3 + 60)) "build/engine/$name" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=3000 -verbosity=0 \
                -artifact_prefix="build/fuzz/$name-" "build/fuzz/$name" "tests/fuzz/seeds/${name#fuzz_}" </dev/null >"$LOGS/$name.log" 2>&1
            then
                echo "ok $name"
            else
                tail -n 25 "$LOGS/$name.log"
                found=$(ls -t build/fuzz/"$name"-* 2>/dev/null | head -n 1)
                echo "not ok $name - ${found:-it failed without a finding}"
            fi
        fi
    done
}

# --- counting ---------------------------------------------------------------------------------------------------------

has_results() { grep -aqE '^(ok|not ok|skip) |^(PASS|FAIL|SKIP|XFAIL|BORK|LEAK|WARN) |^(OK \(|Tests: )' "$1"; }

lines() { grep -acE "$1" "$2"; }

# PHPUnit's closing line: "OK (12 tests, 30 assertions)" or "Tests: 12, Assertions: 30, Failures: 1, Skipped: 2."
phpunit_number() { sed -nE "s/^Tests: .*\\b$1: ([0-9]+).*/\\1/p" "$2" | awk '{ n += $1 } END { print n + 0 }'; }

count() {
    local layer=$1 log=$2 status=$3 good bad out tests n word

    good=$(lines '^(ok|PASS|XFAIL) ' "$log")
    bad=$(lines '^(not ok|FAIL|BORK|LEAK|WARN|XLEAK) ' "$log")
    out=$(lines '^(skip|SKIP) ' "$log")
    n=$(sed -nE 's/^OK \(([0-9]+) tests?,.*/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
    good=$((good + n))
    tests=$(sed -nE 's/^Tests: ([0-9]+),.*/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
    if [ "$tests" -gt 0 ]; then
        n=0
        for word in Errors Failures; do n=$((n + $(phpunit_number $word "$log"))); done
        bad=$((bad + n)) tests=$((tests - n))
        n=0
        for word in Skipped Incomplete; do n=$((n + $(phpunit_number $word "$log"))); done
        out=$((out + n)) good=$((good + tests - n))
    fi
    if [ "$status" -ne 0 ] && [ "$bad" = 0 ]; then
        echo "not ok $layer - it ended with status $status"
        bad=1
    elif [ $((good + bad + out)) = 0 ]; then
        echo "not ok $layer - no test ran"
        bad=1
    fi
    echo "--- $layer: $good passed, $bad failed, $out skipped, $SECONDS s so far"
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + out))
}

run_layer() {
    local layer=$1 log=$LOGS/$1.log

    echo
    echo "=== $layer"
    "layer_$layer" </dev/null 2>&1 | tee "$log"
    count "$layer" "$log" "${PIPESTATUS[0]}"
}

# --- all of it --------------------------------------------------------------------------------------------------------

if [ "${1:-}" = --list ]; then
    printf '%s\n' "${LAYERS[@]}"
    exit 0
fi
for layer in "$@"; do
    if ! declare -F "layer_$layer" >/dev/null; then
        echo "there is no layer \"$layer\", want one of: ${LAYERS[*]}" >&2
        exit 2
    fi
done

wanted=("$@")
[ $# -gt 0 ] || wanted=("${LAYERS[@]}")
mkdir -p "$LOGS"
if ! setup_packages; then
    echo 'not ok setup - packages could not be installed'
    failed=1
fi
[ -e build/ext/modules/aegir_scale.so ] || [ $# -eq 0 ] || bash tests/build-ext.sh >/dev/null
for layer in "${wanted[@]}"; do run_layer "$layer"; done

echo
if [ $failed -gt 0 ]; then
    echo 'what failed:'
    for layer in "${wanted[@]}"; do grep -aHE '^(not ok|FAIL|BORK|LEAK|WARN) ' "$LOGS/$layer.log" 2>/dev/null; done
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
