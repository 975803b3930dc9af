#!/bin/bash
# What the suites of the drop-in have in common: they are scripts of functions test_*, which share one laboratory.
#
#   . tests/provision/check.sh
#   suite "$@"                          # goes on in a laboratory, if a test's name holds $1 ("" is all of them)
#   start() { lab_start 2 && ...; }     # the laboratory
#   test_a_site() { site a.test; well 'verify' @a.test provision-verify; served a.test; }
#   run_tests                           # at the end of the script
#
# Tests may be run one by one, so each makes the sites that it needs. They print "ok SUITE - TEST: FACT" and "not ok SUITE - TEST: FACT - why".

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PLATFORMS=/var/aegir/platforms
STATE=/var/aegir/config/scale/state.json

# --- running ----------------------------------------------------------------------------------------------------------

# The tests of a script whose names hold a text, in the script's order.
tests_of() { sed -n 's/^test_\([a-z0-9_]*\)() .*/\1/p' "$1" | tr _ ' ' | grep -F -- "$2"; }

suite() {
    suite=$(basename "$0" .test.sh) wanted=${1:-}
    tests_of "$0" "$wanted" >/dev/null || { echo '# end'; exit 0; }
    lab_enter "$0" "$@"
}

run_tests() {
    local name
    echo "# $suite"
    start && lab_naps on || { echo "not ok $suite - the laboratory did not start"; echo '# end'; exit 1; }
    while read -r name; do
        test=$name
        "test_${name// /_}" </dev/null
    done < <(tests_of "$0" "$wanted")
    echo '# end'
}

# --- facts ------------------------------------------------------------------------------------------------------------

ok() { echo "ok $suite - $test: $1"; }
bad() { echo "not ok $suite - $test: $1 - ${2//$'\n'/ | }"; }

# check FACT FOUND WANT
check() { [ "$2" = "$3" ] && ok "$1" || bad "$1" "found \"$2\", want \"$3\""; }
# has FACT TEXT PART, hasnt FACT TEXT PART
has() { [[ $2 == *"$3"* ]] && ok "$1" || bad "$1" "no \"$3\" in \"...${2: -1500}\""; }
hasnt() { [[ $2 != *"$3"* ]] && ok "$1" || bad "$1" "\"$3\" is in \"...${2: -1500}\""; }
# most FACT FOUND LIMIT
most() { [ "$2" -le "$3" ] && ok "$1 ($2)" || bad "$1" "found $2, want at most $3"; }

# A task. Leaves its status, and its log as one line, so that where Drush breaks lines does not matter; types are "[error]" and the like.
task() {
    lab_measure lab_drush "$@" >"$LAB_DIR/said" 2>&1
    status=$?
    said=$(tr -s ' \n' ' ' <"$LAB_DIR/said")
    log=$(sed -E 's/ *\[(success|ok|info|notice|warning|error)\]$//' "$LAB_DIR/said" | tr -s ' \n' ' ')
}
# well WHAT TASK...: it ends well. fails WHAT TASK...: it does not.
well() { task "${@:2}"; [ $status = 0 ] && ok "$1 ends well" || bad "$1 ends well" "status $status: ...${log: -2500}"; }
fails() { task "${@:2}"; [ $status != 0 ] && ok "$1 fails" || bad "$1 fails" "status 0: ...${log: -1500}"; }

# Calls of ssh, or of rsync over ssh, as stock Provision makes them.
stock_calls() { lab_calls | grep -cE '^[0-9.]+ (ssh |rsync -e )'; }
# cheap LIMIT: the last task's logins, none of them by a program of its own.
cheap() {
    most 'logins' "$LAB_HANDSHAKES" "$1"
    check 'calls of ssh and of rsync over ssh' "$(stock_calls)" 0
}

# A command on the hub (I is 0) or on a server, as root.
on() { if [ "$1" = 0 ]; then shift; lab_root "$@"; else lab_node "$@"; fi; }
name_of() { [ "$1" = 0 ] && echo hub || echo "web$1"; }
webs() { seq 1 "$(fleet_names | wc -l)"; }

# title HOST SITE: of the front page; what else was answered if there is none.
title() {
    local page
    page=$(curl -s --max-time 60 -w '\nstatus %{http_code}' -H "Host: $2" "http://$1/")
    grep -o '<title>[^<]*' <<<"$page" | cut -c8- | grep . || tail -c 300 <<<"$page"
}
# served SITE [I...]: by these servers, or all.
served() {
    local i site=$1
    shift
    for i in ${*:-$(webs)}; do check "web$i serves $site" "$(title "web$i" "$site")" "Welcome to $site | $site"; done
}
unserved() {
    local i site=$1
    shift
    for i in ${*:-$(webs)}; do check "web$i does not serve $site" "$(title "web$i" "$site" | grep -c "Welcome to $site")" 0; done
}

# Where this script sees what the server has below /var/aegir, without what is mounted there.
seen() { fleet_path "web$1" "$2"; }
# What a push would change on a server below a directory. Visitors' uploads are not the hub's to change, and of sites Provision pushes only its own.
differences() {
    /usr/bin/rsync -nai --delete --omit-dir-times --exclude='/sites/*/files/**' --exclude='/sites/*/private/**' \
        --exclude=/sites/{README.txt,example.sites.php,default} --exclude=.{git,gitignore,svn,hg,bzr} "$2/" "$(seen "$1" "$2")/" 2>&1 | head -n 8
}
# same DIRECTORY [I...]: the servers have it as the hub.
same() {
    local i dir=$1
    shift
    for i in ${*:-$(webs)}; do check "web$i has ${dir#/var/aegir/} as the hub" "$(differences "$i" "$dir")" ''; done
}
# configured [I...]: and their configuration.
configured() {
    local i
    for i in ${*:-$(webs)}; do
        check "web$i has its configuration as the hub" "$(/usr/bin/rsync -nrlci --delete --exclude=/scale --exclude='*.receipt' "/var/aegir/config/server_web$i/" \
            "$(seen "$i" "/var/aegir/config/server_web$i")/" 2>&1 | head -n 8)" ''
    done
}
vhosts() { local i; for i in $(webs); do [ -e "$(seen "$i" "/var/aegir/config/server_web$i/apache/vhost.d/$1")" ] && printf '%s ' "$i"; done; }

# credential SITE PLATFORM NAME: as db_user.
credential() { sed -n "s/^\$options\['$3'\] = '\(.*\)';/\1/p" "$PLATFORMS/$2/sites/$1/drushrc.php"; }
# hosts USER: from where the database lets it in.
hosts() { lab_sql "SELECT host FROM mysql.user WHERE user = '$1' ORDER BY INET_ATON(host)" | tail -n +2 | tr '\n' ' '; }
databases() { lab_sql 'SHOW DATABASES' | grep -c "^$1\$"; }
all_hosts() { printf '10.87.0.1 '; for i in $(webs); do printf '%s ' "$(fleet_address "web$i")"; done; printf '127.0.0.1 '; }

# traces SITE PASSWORD: what is left of a site, here (but for backups, and the link in its client's directory) and on servers.
traces() {
    local i
    for i in 0 $(webs); do
        on "$i" find /var/aegir -xdev \( -path /var/aegir/backups -o -path /var/aegir/clients \) -prune -o -name "*$1*" -print | sed "s/^/$(name_of "$i"):/"
        on "$i" grep -rlF --exclude-dir=backups -- "$2" /var/aegir | sed "s/^/password in $(name_of "$i"):/"
    done | head -n 8
}
# in_backup BACKUP FILE: what a file in it holds.
in_backup() { lab_root tar xOf "$1" "$2" 2>/dev/null; }

# --- making -----------------------------------------------------------------------------------------------------------

# site SITE [PLATFORM]: installed, unless it is there.
site() { [ -e "$PLATFORMS/${2:-d7}/sites/$1/settings.php" ] || lab_site_install "$1" "${2:-d7}" || bad "$1 is installed" 'see above'; }
platform() { [ -e "$PLATFORMS/$1/index.php" ] || lab_platform "$1" "$group" || bad "the platform $1 is made" 'see above'; }

# A file of Aegir's on the hub: write FILE TEXT
write() { lab_run sh -c 'mkdir -p "$(dirname "$1")" && echo "$2" >"$1"' - "$1" "$2"; }
# An upload on a server, as its web server makes it: upload I FILE TEXT
upload() {
    lab_node "$1" setpriv --reuid www-data --regid www-data --init-groups sh -c 'umask 002; mkdir -p "$(dirname "$1")" && echo "$2" >"$1"' - "$2" "$3"
}
has_file() { on "$1" cat "$2" 2>/dev/null; }

# Hooks of Drush: hook NAME PHP, or hook off.
hook() {
    local file=/var/aegir/.drush/lab/zzz_lab.drush.inc
    if [ "$1" = off ]; then rm -f $file; else
        echo "<?php function zzz_lab_drush_command() { return array(); } function drush_zzz_lab_$1() { $2 }" >$file
    fi
    lab_quiet lab_drush cc drush
}
FAIL="return drush_set_error('LAB', 'made to fail');"
# What drushrc.php says besides: drushrc PHP, or drushrc off.
drushrc() {
    sed -i '/# lab/d' /var/aegir/.drush/drushrc.php
    [ "$1" = off ] || printf '\n%s # lab\n' "$1" >>/var/aegir/.drush/drushrc.php
}

# missed I: how many changes a server is noted to have missed.
missed() { php -n -r '$s = json_decode((string) @file_get_contents($argv[1]), true); echo count($s["servers"][$argv[2]]["missed"] ?? []);' "$STATE" "server_web$1"; }
noted() { [ "$(missed "$1")" -gt 0 ] && ok "what web$1 missed is noted" || bad "what web$1 missed is noted" "$(cat $STATE 2>&1)"; }
