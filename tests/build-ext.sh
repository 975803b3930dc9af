#!/bin/sh
# Builds the extension out of the tree, which stays clean: build/ext/modules/aegir_scale.so. A second run builds what changed.
#
#   tests/build-ext.sh [configure options]      PHPIZE, PHP_CONFIG, CC, CFLAGS and OUT are taken from the environment
#
# phpize writes beside config.m4, so it works in build/phpize, which holds links to the sources.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
out=${OUT:-$top/build/ext}
links=$out/phpize
made=$out/made

mkdir -p "$out/modules" "$links" "$made"
exec 9>"$out/lock"
flock 9
ln -sfn "$top/ext" "$links/ext"
ln -sfn "$top/config.m4" "$links/config.m4"
if [ ! -f "$made/Makefile" ] || [ config.m4 -nt "$made/Makefile" ] || [ "$*" != "$(cat "$out/options" 2>/dev/null)" ]; then
    (cd "$links" && "${PHPIZE:-phpize}" >phpize.log 2>&1) || { cat "$links/phpize.log" >&2; exit 1; }
    rm -f "$made/Makefile"
    (cd "$made" && "$links/configure" --with-php-config="${PHP_CONFIG:-php-config}" "$@" >configure.log) ||
        { tail -n 5 "$made/configure.log" >&2; rm -f "$made/Makefile"; exit 1; }
    echo "$*" >"$out/options"
    make -s -C "$made" clean >/dev/null
fi
make -s -C "$made" -j2 >"$out/make.log" 2>&1 || { cat "$out/make.log" >&2; exit 1; }
grep 'warning:' "$out/make.log" >&2 || true
# A process that has the old module mapped keeps it: the new one is another file.
if ! cmp -s "$made/modules/aegir_scale.so" "$out/modules/aegir_scale.so"; then
    cp "$made/modules/aegir_scale.so" "$out/modules/aegir_scale.so.new"
    mv "$out/modules/aegir_scale.so.new" "$out/modules/aegir_scale.so"
fi
echo "$out/modules/aegir_scale.so"
