#!/bin/sh
# Generates ext/aegir_scale_arginfo.h from the stub. With --check it only says whether the file is up to date.
#
# phpize brings gen_stub.php, which differs between PHP versions: the result is that of PHP 8.2, the oldest we support.
set -eu
cd "$(dirname "$0")/.."
parser=4.15.1
tools=build/stub
phpize=${PHPIZE:-phpize}
php=${PHP:-php}

if [ "$("$php" -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;')" != 8.2 ]; then
    echo "gen-stub: $php is not PHP 8.2, with which the file is generated" >&2
    [ "${1:-}" = --check ] && exit 77
    exit 1
fi
mkdir -p $tools
if [ ! -f $tools/build/gen_stub.php ]; then
    ln -sfn "$PWD/config.m4" $tools/config.m4
    ln -sfn "$PWD/ext" $tools/ext
    (cd $tools && "$phpize" >/dev/null 2>&1)
fi
if [ ! -d build/PHP-Parser-$parser ]; then
    composer --quiet --no-interaction --working-dir=$tools require nikic/php-parser:$parser
    cp -r $tools/vendor/nikic/php-parser build/PHP-Parser-$parser
fi
ln -sfn "$PWD/build/PHP-Parser-$parser" $tools/build/PHP-Parser-$parser
mkdir -p $tools/out
cp ext/aegir_scale.stub.php $tools/out/
"$php" $tools/build/gen_stub.php -f $tools/out/aegir_scale.stub.php >$tools/log || { cat $tools/log >&2; exit 1; }
[ -f $tools/out/aegir_scale_arginfo.h ] || { cat $tools/log >&2; exit 1; }

if [ "${1:-}" != --check ]; then
    cp $tools/out/aegir_scale_arginfo.h ext/aegir_scale_arginfo.h
elif ! diff -u ext/aegir_scale_arginfo.h $tools/out/aegir_scale_arginfo.h; then
    echo "gen-stub: ext/aegir_scale_arginfo.h is not that of the stub: run tests/gen-stub.sh" >&2
    exit 1
fi
