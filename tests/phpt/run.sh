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
valgrind=
if [ "${1:-}" = --valgrind ]; then
    valgrind=yes
    shift
fi
for file in "${MODULES:=$top/build/ext/modules}/aegir_scale.so" build/ext/phpize/run-tests.php; do
    [ -f "$file" ] || { echo "phpt: $file is missing: run tests/build-ext.sh" >&2; exit 1; }
done

rm -rf "$work"
mkdir -p "$work"
cp tests/phpt/*.phpt tests/phpt/*.inc "$MODULES/aegir_scale.so" "$work"
tests=$work
[ $# -eq 0 ] || tests=$(for name; do echo "$work/${name%.phpt}.phpt"; done)
php=${PHP:-$(command -v php)}
export XDG_STATE_HOME="$work/state" NO_INTERACTION=1 TEST_PHP_EXECUTABLE="$php"

# The option -m of run-tests.php would take sshd and rsync along and looks for no leaks.
if [ -n "$valgrind" ]; then
    export TEST_PHP_EXECUTABLE="$work/php" TEST_TIMEOUT=300
    export USE_ZEND_ALLOC=0 USE_TRACKED_ALLOC=1 ZEND_DONT_UNLOAD_MODULES=1
    cat >"$work/php" <<EOF
#!/bin/sh
for word; do
    case \$word in
        *.skip.php | *.clean.php) exec "$php" "\$@" ;;
        $work/*.php)
            set -- valgrind -q --leak-check=full --suppressions="$top/tests/phpt/valgrind.supp" --log-file="\${word%.php}.valgrind" "$php" "\$@"
            exec "\$@"
            ;;
    esac
done
exec "$php" "\$@"
EOF
    chmod +x "$work/php"
fi
# shellcheck disable=SC2086
"$php" -n build/ext/phpize/run-tests.php -n -q --show-diff --no-color --no-progress -d extension_dir="$work" $tests \
    >"$work/log" 2>&1
status=$?

count() {
    sed -n "s/^$1 *: *\([0-9]*\).*/\1/p" "$work/log"
}
passed=$(count 'Tests passed') failed=$(count 'Tests failed') skipped=$(count 'Tests skipped')
borked=$(count 'Tests borked') warned=$(count 'Tests warned')
if [ -z "$passed" ]; then
    cat "$work/log" >&2
    exit 1
fi
failed=$((failed + ${borked:-0} + ${warned:-0}))
[ "$failed" = 0 ] || grep -av '^PASS \|^FAIL \|^BORK \|^WARN \|^SKIP ' "$work/log" >&2
grep -a '^PASS \|^FAIL \|^BORK \|^WARN \|^SKIP ' "$work/log"
# What PHP itself leaves behind, such as arrays that hold themselves, is not ours.
for log in "$work"/*.valgrind; do
    [ -f "$log" ] || continue
    awk 'function flush() { if (!is_leak || is_ours) printf "%s", text; text = ""; is_leak = is_ours = 0 }
        { text = text $0 "\n" }
        / lost in loss record / { is_leak = 1 }
        /aegir_scale|ags_|Aegir_Scale/ { is_ours = 1 }
        /^==[0-9]*== $/ { flush() }
        END { flush() }' "$log" >"$work/ours"
    mv "$work/ours" "$log"
    if [ -s "$log" ]; then
        cat "$log" >&2
        echo "LEAK $(basename "$log" .valgrind)"
        failed=$((failed + 1)) passed=$((passed - 1))
    fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ $status -eq 0 ]
