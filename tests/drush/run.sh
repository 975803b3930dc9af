#!/bin/bash
# The tests of the commands, in a shell and in Drush 8. drush/run.sh [PHPUNIT'S OPTIONS]
# DRUSH names a Drush 8 to try them in, else the drush of the PATH is taken if it is one; without, those tests are skipped.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)

# Before the servers are entered, where there is no way out to the network.
if [ -z "${FLEET_MODE:-}" ] && [ ! -x "$top/php/vendor/bin/phpunit" ]; then
    composer install --working-dir="$top/php" --no-interaction --no-progress --quiet --ignore-platform-req=ext-aegir_scale ||
        { echo 'not ok drush - composer could not install what the commands need'; exit 1; }
fi

. "$here/../lib/fleet.sh"
fleet_enter "$0" "$@"

export AEGIR_SCALE_MODULE=${AEGIR_SCALE_MODULE:-$top/build/ext/modules/aegir_scale.so}
[ -e "$AEGIR_SCALE_MODULE" ] || { echo "not ok drush - $AEGIR_SCALE_MODULE is missing, tests/build-ext.sh makes it"; exit 1; }
fleet_start 2 || { echo 'not ok drush - the servers did not start'; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fleet_topology "$work/topology.yml"
# Every PHP from here on has the extension, Drush's too.
mkdir "$work/ini"
echo "extension=$AEGIR_SCALE_MODULE" >"$work/ini/aegir_scale.ini"
export PHP_INI_SCAN_DIR=${PHP_INI_SCAN_DIR:-}:$work/ini AEGIR_SCALE_FLEET=$work/topology.yml

php "$top/php/vendor/bin/phpunit" -c "$top/php/phpunit.xml.dist" --log-junit "$work/junit.xml" "$@"
status=$?

php -r '
$all = @simplexml_load_file($argv[1])->testsuite ?? null;
if ($all === null) { exit("0 passed, 1 failed, 0 skipped\n"); }
$bad = $all["failures"] + $all["errors"];
printf("%d passed, %d failed, %d skipped\n", $all["tests"] - $bad - $all["skipped"], $bad, $all["skipped"]);' "$work/junit.xml"
exit $status
