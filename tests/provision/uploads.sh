#!/bin/bash
# Uploads, guards and locks of the drop-in, by real tasks: what visitors upload on a server is lost by none of them. uploads.sh [PART...]
# Parts: gather protect unmounted locks shared failed. AEGIR_SCALE_MODULE names the extension.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
[ -e "${AEGIR_SCALE_MODULE:-}" ] || { echo "not ok uploads - AEGIR_SCALE_MODULE is \"${AEGIR_SCALE_MODULE:-}\", want the extension"; exit 1; }
lab_enter "$0" "$@"
parts=${*:-gather protect unmounted locks shared failed}
failed=0

check() { [ "$2" = "$3" ] && echo "ok uploads - $1" || { echo "not ok uploads - $1: found \"$2\", want \"$3\""; failed=1; }; }
has() { [[ $2 == *"$3"* ]] && echo "ok uploads - $1" || { echo "not ok uploads - $1: no \"$3\" in \"...$(tail -c 1500 <<<"$2")\""; failed=1; }; }

# The log of a task as one line, so that where Drush breaks lines does not matter; leaves status.
task() {
    local out
    out=$(lab_drush "$@" 2>&1)
    status=$?
    log=$(sed -E 's/ *\[(success|ok|info|notice|warning|error)\]$//' <<<"$out" | tr -s ' \n' ' ')
}
well() { task "${@:2}"; check "$1 ends well" $status 0; [ $status = 0 ] || echo "# ...$(tail -c 1500 <<<"$log")"; }

# put I FILE TEXT: an upload on a server, as its web server makes it.
put() {
    lab_node "$1" install -d -o www-data -g www-data -m 2775 "$(dirname "$2")"
    lab_node "$1" sh -c 'echo "$2" >"$1" && chown www-data:www-data "$1"' - "$2" "$3"
}
# got I FILE: its text on a server; I is 0 for the hub.
got() { if [ "$1" = 0 ]; then lab_root cat "$2" 2>/dev/null; else lab_node "$1" cat "$2" 2>/dev/null; fi; }
# everywhere NAME FILE TEXT
everywhere() { local i; for i in 0 1 2; do check "$1, on $([ $i = 0 ] && echo the hub || echo web$i)" "$(got $i "$2")" "$3"; done; }
in_backup() { lab_root tar xOf "$1" "$2" 2>/dev/null; }
options() { lab_quiet lab_save @server_cluster server --remote_host=cluster --http_service_type=cluster --cluster_web_servers="$(lab_webs 1 2)" "$@"; }
# A hook of Drush that fails: failing HOOK, or failing off.
failing() {
    if [ "$1" = off ]; then rm /var/aegir/.drush/lab/zzz_fail.drush.inc; else
        echo "<?php function zzz_fail_drush_command() { return array(); } function drush_zzz_fail_$1() { return drush_set_error('FAIL', 'made to fail'); }" \
            >/var/aegir/.drush/lab/zzz_fail.drush.inc
    fi
    lab_quiet lab_drush cc drush
}

gather() {
    local S=/var/aegir/platforms/d7/sites/gather.test
    lab_site_install gather.test d7
    put 1 $S/files/one.txt one
    put 2 $S/private/files/deep/two.txt two
    put 1 $S/files/css/made.css css
    well 'verify with uploads' @gather.test provision-verify
    everywhere 'an upload on web1 survives' $S/files/one.txt one
    everywhere 'an upload on web2 survives' $S/private/files/deep/two.txt two
    check 'what Drupal makes anew stays where it is' "$(got 0 $S/files/css/made.css)$(got 2 $S/files/css/made.css)" ''
    check 'nothing of it is deleted' "$(got 1 $S/files/css/made.css)" css
    put 2 $S/files/late.txt late
    well 'backup' @gather.test provision-backup /var/aegir/backups/gather.tar.gz
    check 'a late upload is in the backup' "$(in_backup /var/aegir/backups/gather.tar.gz ./files/late.txt)" late
    check 'and so are private ones' "$(in_backup /var/aegir/backups/gather.tar.gz ./private/files/deep/two.txt)" two

    put 1 $S/files/same.txt 'of web1'
    put 2 $S/files/same.txt 'of web2, later'
    lab_node 1 touch -d '1 hour ago' $S/files/same.txt
    well 'verify with a conflict' @gather.test provision-verify
    has 'the conflict is told' "$log" 'same.txt.server_web1-CONFLICT'
    everywhere 'the newest wins' $S/files/same.txt 'of web2, later'
    everywhere 'the other is kept' $S/files/same.txt.server_web1-CONFLICT 'of web1'

    options --scale_policy=any
    put 2 $S/files/on-dead.txt x
    fleet_kill web2
    well 'backup with a dead server' @gather.test provision-backup /var/aegir/backups/dead.tar.gz
    has 'a backup says whose uploads may be missing' "$log" 'the backup may lack what was uploaded on server_web2 to gather.test'
    task @gather.test provision-delete
    check 'a site is not deleted with uploads that are nowhere else' "$([ $status != 0 ] && echo refused)" refused
    has 'and why is said' "$log" 'nothing was removed'
    fleet_revive web2
    options --scale_policy=all
    check 'the site is still there' "$(got 2 $S/files/on-dead.txt)" x
    well 'the delete after that' @gather.test provision-delete
    check 'its directory is gone' "$(lab_root ls -d $S 2>/dev/null)$(lab_node 1 ls -d $S 2>/dev/null)$(lab_node 2 ls -d $S 2>/dev/null)" ''
    check 'its last backup has the upload' "$(in_backup "$(ls -t /var/aegir/backups/gather.test-* | head -1)" ./files/on-dead.txt)" x
}

protect() {
    local S=/var/aegir/platforms/d7/sites/protect.test
    lab_site_install protect.test d7
    lab_platform gone cluster
    options --scale_uploads=protect
    echo hub >$S/files/both.txt && touch -d '1 hour ago' $S/files/both.txt && chown aegir: $S/files/both.txt
    put 1 $S/files/both.txt 'newer on web1'
    put 1 $S/files/mine.txt mine
    well 'verify in the mode protect' @protect.test provision-verify
    check 'a newer upload is not replaced' "$(got 1 $S/files/both.txt)" 'newer on web1'
    check 'one that is only there stays' "$(got 1 $S/files/mine.txt)" mine
    check 'and does not come here' "$(got 0 $S/files/mine.txt)" ''
    check 'what is missing there goes there' "$(got 2 $S/files/both.txt)" hub
    well 'backup in the mode protect' @protect.test provision-backup /var/aegir/backups/protect.tar.gz
    check 'a backup has it in any mode' "$(in_backup /var/aegir/backups/protect.tar.gz ./files/mine.txt)" mine
    well 'delete in the mode protect' @protect.test provision-delete
    well 'delete of a platform' @platform_gone provision-delete
    check 'it is gone everywhere' "$(lab_root ls -d /var/aegir/platforms/gone 2>/dev/null)$(lab_node 1 ls -d /var/aegir/platforms/gone 2>/dev/null)$(lab_node 2 ls -d /var/aegir/platforms/gone 2>/dev/null)" ''
    check 'and nothing else is' "$(lab_node 1 ls /var/aegir/platforms | tr '\n' ' ')" 'd7 other '
    options --scale_uploads=gather
}

# The servers' copies: numbers of what they have of the platform, the site and its virtual host.
copies() { local i; for i in 1 2; do lab_node $i sh -c "find /var/aegir/platforms/d7 | wc -l; ls /var/aegir/config/server_web$i/apache/vhost.d | grep -c unmounted" | tr '\n' ' '; done; }

unmounted() {
    local before disk=$FLEET_DIR/disk root=/var/aegir/platforms/d7
    # A platform on a file system of its own.
    lab_quiet lab_root sh -c "mv $root $root.here && mkdir $root && mount -t tmpfs disk $root && cp -a $root.here/. $root"
    task @platform_d7 provision-verify
    has 'a platform that lies elsewhere now is asked about' "$log" 'run it once with --scale_moved'
    well 'verify of a platform that was moved' @platform_d7 provision-verify --scale_moved
    lab_site_install unmounted.test d7
    well 'verify of its site' @unmounted.test provision-verify
    before=$(copies)
    lab_quiet lab_root sh -c "mkdir -p $disk && mount --move $root $disk"
    task @platform_d7 provision-verify
    check 'a platform that is not mounted is not pushed' "$status $(copies)" "1 $before"
    task @unmounted.test provision-verify
    check 'nor is its site' "$status $(copies)" "1 $before"
    has 'and how to mend it is said' "$log" 'is a file system not mounted?'
    # Another tree in its place, as when the wrong disk was mounted.
    lab_quiet lab_root sh -c "rm -rf $root/sites && cp -a $root.here/. $root"
    task @unmounted.test provision-verify
    check 'nor another tree on another file system' "$status $(copies)" "1 $before"
    lab_quiet lab_root sh -c "rm -rf ${root:?}/* && mount --move $disk $root"
    well 'verify when it is mounted again' @unmounted.test provision-verify
    lab_quiet lab_root sh -c "umount $root && rm -rf $root && mv $root.here $root"
    well 'verify of a platform that was moved back' @platform_d7 provision-verify --scale_moved
}

locks() {
    local S=/var/aegir/platforms/d7/sites/lock.test other
    lab_site_install lock.test d7
    # A task that takes its time: a lock that is held as a task holds it.
    lab_run flock /var/aegir/config/scale/locks/var+aegir+platforms+d7.lock sh -c \
        'echo "{\"owner\":\"aegir@hub\",\"pid\":$$,\"since\":\"2020-01-01T00:00:00+00:00\",\"command\":\"provision-slow x\",\"nonce\":\"x\"}" >/var/aegir/config/scale/locks/var+aegir+platforms+d7.lock; sleep 8' &
    other=$!
    sleep 1
    task @lock.test provision-verify --scale_lock_wait=1
    check 'a task gives up after its time' $status 1
    has 'and says who has the platform' "$log" 'aegir@hub (pid'
    has 'and what that does' "$log" 'doing provision-slow x'
    task @lock.test provision-verify
    wait $other
    check 'a task waits for another' $status 0
    has 'and says so' "$log" 'waiting for the task that works on /var/aegir/platforms/d7: aegir@hub'
    lab_drush @lock.test provision-verify >/dev/null 2>&1 &
    other=$!
    task @platform_d7 provision-verify
    wait $other
    check 'two at once end well' "$status $?" '0 0'
}

# The same directory everywhere, as over NFS.
share() {
    local i
    mkdir -p "$FLEET_DIR/common" && chown aegir: "$FLEET_DIR/common"
    lab_root sh -c "mkdir -p /var/aegir/shared && mount --bind $FLEET_DIR/common /var/aegir/shared"
    for i in 1 2; do lab_node $i sh -c "mkdir -p /var/aegir/shared; umount -q /var/aegir/shared; mount --bind $FLEET_DIR/common /var/aegir/shared"; done
}
# linked URI PLATFORM: on the hub and both servers.
linked() {
    local i name found=
    for i in 0 1 2; do
        for name in files private; do
            found+=$(if [ $i = 0 ]; then lab_root readlink "/var/aegir/platforms/$2/sites/$1/$name"; else lab_node $i readlink "/var/aegir/platforms/$2/sites/$1/$name"; fi)' '
        done
    done
    check "$1 on $2 has its links" "$found" "$(for i in 0 1 2; do printf '%s ' /var/aegir/shared/$1/{files,private}; done)"
}
homes() { ls "$FLEET_DIR/common" | tr '\n' ' '; }

shared() {
    local S=/var/aegir/platforms/d7/sites T=/var/aegir/platforms/other/sites
    lab_site_install old.test d7
    put 1 $S/old.test/files/before.txt before
    options --scale_uploads=shared --scale_shared=/var/aegir/shared
    task @old.test provision-verify
    check 'without the share nothing is changed' "$status $(got 1 $S/old.test/files/before.txt) $(lab_root stat -c %F $S/old.test/files)" '1 before directory'
    share
    lab_node 2 umount /var/aegir/shared
    task @old.test provision-verify
    check 'nor with a server that has it not' "$status $(lab_root stat -c %F $S/old.test/files) $(homes)" '1 directory '
    has 'which is named' "$log" 'server_web2: /var/aegir/shared is not the directory that it is on the hub'
    lab_node 2 mount --bind "$FLEET_DIR/common" /var/aegir/shared
    well 'the first verify with a share' @old.test provision-verify
    linked old.test d7
    everywhere 'an upload of before is there' $S/old.test/files/before.txt before

    lab_site_install new.test d7
    linked new.test d7
    check 'a page is served' "$(lab_get web2 new.test | grep -o '<title>[^<]*')" '<title>Welcome to new.test | new.test'
    put 1 $S/new.test/files/up.txt up
    check 'an upload is everywhere at once' "$(lab_get web2 new.test sites/new.test/files/up.txt)" up
    well 'verify' @new.test provision-verify
    everywhere 'it survives' $S/new.test/files/up.txt up
    well 'backup' @new.test provision-backup /var/aegir/backups/new.tar.gz
    check 'the backup has it' "$(in_backup /var/aegir/backups/new.tar.gz ./files/up.txt)" up
    check 'and no links' "$(lab_root tar tvf /var/aegir/backups/new.tar.gz | grep -c ' -> ')" 0

    put 2 $S/new.test/files/up.txt 'since then'
    put 2 $S/new.test/files/after.txt after
    well 'restore' @new.test provision-restore /var/aegir/backups/new.tar.gz
    linked new.test d7
    everywhere 'what was then is there again' $S/new.test/files/up.txt up
    everywhere 'and what came later is not' $S/new.test/files/after.txt ''
    check 'it is in the backup that restore made' "$(in_backup "$(ls -t /var/aegir/backups/new.test-* | head -1)" ./files/after.txt)" after
    check 'nothing is left of the restore' "$(ls -A "$FLEET_DIR/common/new.test" | tr '\n' ' ')" 'files private '

    well 'clone to another platform' @new.test provision-clone @copy.test @platform_other
    linked copy.test other
    put 1 $T/copy.test/files/own.txt own
    check 'a clone took the locks of both platforms' "$(ls /var/aegir/config/scale/locks | grep -c '^var+aegir+platforms+\(d7\|other\).lock')" 2
    check 'a copy has uploads of its own' "$(got 0 $T/copy.test/files/up.txt) $(got 0 $S/new.test/files/own.txt)" 'up '
    well 'rename' @copy.test provision-migrate @platform_other @name.test
    linked name.test other
    check 'a renamed site has its uploads, and the old name none' "$(got 2 $T/name.test/files/own.txt) $(homes)" 'own name.test new.test old.test '
    well 'migrate' @new.test provision-migrate @platform_other
    linked new.test other
    everywhere 'a migrated site has its uploads' $T/new.test/files/up.txt up
    well 'delete' @name.test provision-delete
    check 'a deleted site takes its uploads along, and nobody else' "$(homes)" 'new.test old.test '
    check 'its last backup has them' "$(in_backup "$(ls -t /var/aegir/backups/name.test-* | head -1)" ./files/own.txt)" own
    well 'delete of the other' @old.test provision-delete
    well 'delete of the last' @new.test provision-delete
    check 'the share is empty again' "$(ls -A "$FLEET_DIR/common")" ''
    options --scale_uploads=gather
}

failed() {
    local S=/var/aegir/platforms/d7/sites/fail.test
    options --scale_uploads=shared --scale_shared=/var/aegir/shared
    share
    lab_site_install fail.test d7
    put 1 $S/files/a.txt then
    well 'backup' @fail.test provision-backup /var/aegir/backups/fail.tar.gz
    put 1 $S/files/a.txt now
    put 2 $S/files/b.txt b
    failing provision_deploy
    task @fail.test provision-restore /var/aegir/backups/fail.tar.gz
    has 'a restore is made to fail' "$log" 'made to fail'
    linked fail.test d7
    everywhere 'its uploads are as they were' $S/files/a.txt now
    everywhere 'all of them' $S/files/b.txt b
    task @fail.test provision-clone @gone.test @platform_other
    check 'a failed clone leaves nothing in the share' "$(homes)" 'fail.test '
    task @fail.test provision-migrate @platform_other
    check 'a failed migration takes nothing from it' "$(homes) $(got 1 $S/files/a.txt)" 'fail.test  now'
    failing off
    options --scale_uploads=gather
}

{ lab_start 2 && lab_drop_in on && lab_cluster 2 && lab_platform d7 cluster && lab_platform other cluster; } ||
    { echo 'not ok uploads - the laboratory did not start'; exit 1; }
for part in $parts; do "$part"; done
exit $failed
