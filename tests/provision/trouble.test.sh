#!/bin/bash
# What may go wrong on a Web Cluster of four servers, and what the others and the log have of it. trouble.test.sh [PART OF A TEST'S NAME]

. "$(dirname "${BASH_SOURCE[0]}")/check.sh"
suite "$@"
group=cluster

start() { lab_start 4 && lab_drop_in on && lab_cluster 4 && lab_platform d7 cluster; }

options() { lab_quiet lab_save @server_cluster server --remote_host=cluster --http_service_type=cluster --cluster_web_servers="$(lab_webs 1 4)" "$@"; }
changes=0
change() { changes=$((changes + 1)); write $PLATFORMS/d7/sites/all/change.txt "change $changes"; }

test_a_server_that_is_down() {
    site down.test
    fleet_kill web2
    change
    fails 'verify under the policy all' @down.test provision-verify
    has 'the server is named' "$said" '@server_web2'
    has 'as an error' "$said" '[error]'
    same $PLATFORMS/d7 1 3 4
    configured 1 3 4
    served down.test 1 3 4
    noted 2
    most 'logins' "$LAB_HANDSHAKES" 3

    options --scale_policy=quorum
    change
    well 'verify under the policy quorum' @down.test provision-verify
    has 'the server is named' "$said" '@server_web2'
    has 'as a warning' "$said" '[warning]'
    hasnt 'and not as an error' "$said" '[error]'
    same $PLATFORMS/d7 1 3 4
    well 'disable' @down.test provision-disable
    unserved down.test 1 3 4

    fleet_kill web3
    fails 'verify with two of four' @platform_d7 provision-verify
    options --scale_policy=any
    change
    well 'verify under the policy any' @platform_d7 provision-verify
    same $PLATFORMS/d7 1 4
    noted 3
    fleet_kill web1
    fleet_kill web4
    fails 'verify with none, under the policy any' @platform_d7 provision-verify
    for i in 1 2 3 4; do fleet_revive web$i; done
    options --scale_policy=all

    well 'the next task when they are back' @platform_d7 provision-verify
    has 'it says what it does' "$log" 'had missed'
    same $PLATFORMS/d7
    configured
    check 'nothing is noted any more' "$(missed 1)$(missed 2)$(missed 3)$(missed 4)" 0000
    unserved down.test
    well 'enable' @down.test provision-enable
    served down.test
}

# Packets are swallowed: nobody says no.
test_a_server_that_does_not_answer() {
    local from
    site silent.test
    fleet_link web4 down
    options --scale_policy=any
    change
    from=$SECONDS
    well 'verify' @silent.test provision-verify
    most 'seconds, with all that waits for it' $((SECONDS - from)) 120
    has 'the server is named' "$said" '@server_web4'
    same $PLATFORMS/d7 1 2 3
    fleet_link web4 up
    options --scale_policy=all
    well 'verify when it answers' @silent.test provision-verify
    same $PLATFORMS/d7
}

test_a_configuration_that_is_wrong() {
    local wrong=/var/aegir/config/server_web3/apache/vhost.d/wrong
    site wrong.test
    lab_node 3 sh -c "echo Nonsense >$wrong"
    fails 'disable' @wrong.test provision-disable
    has 'the server is named' "$said" '@server_web3'
    has 'with what its test says' "$log" 'Nonsense'
    unserved wrong.test 1 2 4
    served wrong.test 3
    options --scale_policy=quorum
    well 'disable under the policy quorum' @wrong.test provision-disable
    has 'it is a warning' "$said" '[warning]'
    options --scale_policy=all
    lab_node 3 rm $wrong
    # Another task, which speaks to the server, makes up for the reload.
    well 'verify of the platform when it is mended' @platform_d7 provision-verify
    unserved wrong.test
    well 'enable' @wrong.test provision-enable
    served wrong.test
}

test_a_reload_that_fails() {
    site reload.test
    lab_quiet lab_save @server_web1 server --remote_host=web1 --http_service_type=apache --http_restart_cmd='false reload'
    fails 'disable' @reload.test provision-disable
    has 'the server is named' "$said" '@server_web1'
    unserved reload.test 2 3 4
    lab_quiet lab_save @server_web1 server --remote_host=web1 --http_service_type=apache --http_restart_cmd='sudo /usr/sbin/apache2ctl graceful'
    well 'enable' @reload.test provision-enable
    served reload.test
}

test_a_disk_that_is_full() {
    site full.test
    lab_node 4 mount -t tmpfs -o size=2m,uid=5999,gid=5999 full $PLATFORMS
    change
    fails 'verify' @platform_d7 provision-verify
    has 'the server is named' "$said" '@server_web4'
    has 'with what is wrong' "$log" 'No space left on device'
    same $PLATFORMS/d7 1 2 3
    noted 4
    fails 'verify of the site' @full.test provision-verify
    served full.test 1 2 3
    lab_node 4 umount $PLATFORMS
    well 'verify when there is space' @full.test provision-verify
    same $PLATFORMS/d7
    served full.test
    check 'nothing is noted any more' "$(missed 4)" 0
}

test_an_install_that_fails() {
    local platform=$PLATFORMS/d7
    lab_site broken.test d7
    # In the very end, when all is on the servers, and the database is made.
    hook post_provision_install 'copy("'$platform'/sites/broken.test/drushrc.php", "/var/aegir/broken"); '"$FAIL"
    fails 'install' @broken.test provision-install --client_email=admin@hub.test
    hook off
    has 'because of the hook' "$log" 'made to fail'
    secret=$(sed -n "s/^\$options\['db_passwd'\] = '\(.*\)';/\1/p" /var/aegir/broken)
    user=$(sed -n "s/^\$options\['db_user'\] = '\(.*\)';/\1/p" /var/aegir/broken)
    lab_root rm -f /var/aegir/broken
    check 'it had a database and a password' "$([ ${#secret} -gt 5 ] && [ -n "$user" ] && echo yes)" yes
    check 'nothing is left of it' "$(traces broken.test "$secret")" ''
    check 'nor a right in the database' "$(hosts "$user")" ''
    check 'nor a database' "$(databases "$user")" 0
    unserved broken.test
    same $platform
    configured
    lab_site broken.test d7
    well 'install without the hook' @broken.test provision-install --client_email=admin@hub.test
    served broken.test
}

test_an_install_with_a_server_down() {
    fleet_kill web3
    lab_site away.test d7
    fails 'install under the policy all' @away.test provision-install --client_email=admin@hub.test
    has 'the server is named' "$said" '@server_web3'
    check 'nothing of it is left on the others' "$(vhosts away.test)" ''
    options --scale_policy=quorum
    lab_site away.test d7
    well 'install under the policy quorum' @away.test provision-install --client_email=admin@hub.test
    served away.test 1 2 4
    fleet_revive web3
    options --scale_policy=all
    well 'verify when it is back' @away.test provision-verify
    served away.test
    check 'its database lets in all of them' "$(hosts "$(credential away.test d7 db_user)")" "$(all_hosts)"
}

# The numbers of what the servers have of platforms.
have() { for i in 1 2 3 4; do on $i find $PLATFORMS | wc -l; done | tr '\n' ' '; }

test_platforms_that_are_not_there() {
    local before
    site here.test
    well 'verify' @here.test provision-verify
    before=$(have)
    mkdir -p "$LAB_DIR/aliases" && cp -a /var/aegir/.drush/*.alias.drushrc.php "$LAB_DIR/aliases"
    # As an empty mount point, as nothing at all, and as a platform that is missing or empty.
    lab_root sh -c "mv $PLATFORMS /var/aegir/away && mkdir $PLATFORMS && chown aegir: $PLATFORMS"
    missing 'an empty directory for platforms'
    lab_root rm -rf $PLATFORMS
    missing 'no directory for platforms'
    # Provision makes it again.
    lab_root sh -c "rm -rf $PLATFORMS; mv /var/aegir/away $PLATFORMS; mv $PLATFORMS/d7 /var/aegir/away"
    missing 'no platform'
    lab_root sh -c "rm -rf $PLATFORMS/d7; mkdir $PLATFORMS/d7; chown aegir: $PLATFORMS/d7"
    missing 'an empty platform'
    lab_root sh -c "rm -rf $PLATFORMS/d7; mv /var/aegir/away $PLATFORMS/d7"
    well 'verify when all is back' @platform_d7 provision-verify
    well 'enable' @here.test provision-enable
    same $PLATFORMS/d7
    served here.test
}

# missing WHAT: tasks fail, and take nothing from the servers.
missing() {
    local command
    for command in '@here.test provision-verify' '@here.test provision-backup' '@here.test provision-delete' '@platform_d7 provision-verify' '@platform_d7 provision-delete'; do
        fails "$command with $1" $command
        check "$command with $1 leaves the servers as they are" "$(have)" "$before"
        # What was deleted here is made known again.
        cp -a "$LAB_DIR"/aliases/*.php /var/aegir/.drush
    done
}

test_a_killed_task() {
    local pid of=/var/aegir/task
    site killed.test
    change
    for i in $(seq 1 400); do write $PLATFORMS/d7/sites/all/many/$i "$i $changes"; done
    lab_run sh -c 'echo $$ >"$1"; exec setsid drush --nocolor @killed.test provision-verify' - $of >/dev/null 2>&1 &
    pid=$!
    until [ -n "$(find "$FLEET_DIR"/servers/*/aegir/platforms/d7 -name '.~tmp~' 2>/dev/null | head -n 1)" ] || ! kill -0 $pid 2>/dev/null; do sleep 0.05; done
    lab_root kill -KILL -- "-$(<$of)" && ok 'it was at work' || bad 'it was at work' 'it had ended'
    wait $pid
    rm $of
    well 'the next verify' @killed.test provision-verify
    same $PLATFORMS/d7
    configured
    lab_root rm -r $PLATFORMS/d7/sites/all/many
    well 'and one that removes' @platform_d7 provision-verify
    same $PLATFORMS/d7
}

test_two_tasks_at_once() {
    local one two other said_of_other
    platform other
    lab_site one.test d7
    lab_site two.test d7
    lab_drush @one.test provision-install --client_email=admin@hub.test >"$LAB_DIR/one" 2>&1 &
    one=$!
    lab_drush @two.test provision-install --client_email=admin@hub.test >"$LAB_DIR/two" 2>&1 &
    two=$!
    lab_drush @platform_other provision-verify >"$LAB_DIR/other" 2>&1 &
    other=$!
    wait $one; one=$?
    wait $two; two=$?
    wait $other; other=$?
    check 'all end well' "$one $two $other" '0 0 0'
    said_of_other=$(cat "$LAB_DIR/one" "$LAB_DIR/two" | tr -s ' \n' ' ')
    has 'one waits for the other' "$said_of_other" 'waiting for the task that works on'
    hasnt 'a task on another platform does not wait' "$(cat "$LAB_DIR/other")" 'waiting for'
    served one.test
    served two.test
    same $PLATFORMS/d7
    configured
}

run_tests
