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
AEGIR_SCALE_FLEET=$(mktemp --suffix=.yml) junit=$(mktemp)
export AEGIR_SCALE_FLEET
fleet_topology "$AEGIR_SCALE_FLEET"

php -d "extension=$AEGIR_SCALE_MODULE" "$top/php/vendor/bin/phpunit" -c "$top/php/phpunit.xml.dist" --log-junit "$junit" "$@"
status=$?

php -r '
$all = @simplexml_load_file($argv[1])->testsuite ?? null;
if ($all === null) { exit("0 passed, 1 failed, 0 skipped\n"); }
$bad = $all["failures"] + $all["errors"];
printf("%d passed, %d failed, %d skipped\n", $all["tests"] - $bad - $all["skipped"], $bad, $all["skipped"]);' "$junit"
rm -f "$junit" "$AEGIR_SCALE_FLEET"
exit $status
