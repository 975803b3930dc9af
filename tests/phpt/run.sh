#!/bin/sh
# Runs the phpt tests with the module that tests/build-ext.sh built, and prints "N passed, N failed, N skipped".
#
#   tests/phpt/run.sh [--valgrind] [name of a test]...
#
# run-tests.php leaves files beside the tests, so it gets a copy. MODULES is the folder of another module.
set -u
cd "$(dirname "$0")/../.."
top=$PWD
work=$top/build/phpt
options=
if [ "${1:-}" = --valgrind ]; then
    options=-m
    shift
fi
for file in "${MODULES:=$top/build/ext/modules}/aegir_scale.so" build/ext-phpize/run-tests.php; do
    [ -f "$file" ] || { echo "phpt: $file is missing: run tests/build-ext.sh" >&2; exit 1; }
done

rm -rf "$work"
mkdir -p "$work"
cp tests/phpt/*.phpt tests/phpt/*.inc "$work"
tests=$work
[ $# -eq 0 ] || tests=$(for name; do echo "$work/${name%.phpt}.phpt"; done)
export NO_INTERACTION=1 TEST_PHP_EXECUTABLE="${PHP:-$(command -v php)}"
# shellcheck disable=SC2086
"$TEST_PHP_EXECUTABLE" -n build/ext-phpize/run-tests.php $options -n -q --show-diff --no-color --no-progress -d extension_dir="$MODULES" $tests >"$work/log" 2>&1
status=$?

count() {
    sed -n "s/^$1 *: *\([0-9]*\).*/\1/p" "$work/log"
}
passed=$(count 'Tests passed') failed=$(count 'Tests failed') skipped=$(count 'Tests skipped') leaked=$(count 'Tests leaked')
if [ -z "$passed" ]; then
    cat "$work/log" >&2
    exit 1
fi
failed=$((failed + ${leaked:-0}))
[ $failed -eq 0 ] || grep -av '^PASS \|^FAIL \|^SKIP ' "$work/log" >&2
grep -a '^PASS \|^FAIL \|^SKIP \|^LEAK ' "$work/log"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $status -eq 0 ]
