#!/bin/bash
# A Web Pack: the first of four servers is its master, and the others see the master's files. pack.test.sh [PART OF A TEST'S NAME]

. "$(dirname "${BASH_SOURCE[0]}")/check.sh"
suite "$@"
group=pack

start() { lab_start 4 && lab_drop_in on && lab_pack 1 3 && lab_platform d7 pack; }

# has_all SITE PLATFORM
has_all() {
    served "$1"
    same $PLATFORMS/"$2" 1
    configured
    check 'virtual hosts' "$(vhosts "$1")" '1 2 3 4 '
    check 'the database lets in the hub and all servers' "$(hosts "$(credential "$1" "$2" db_user)")" "$(all_hosts)"
}

test_the_life_of_a_site_on_a_pack() {
    local S=$PLATFORMS/d7/sites/life.test backup=/var/aegir/backups/life.tar.gz user secret
    platform other
    well 'verify of the group' @server_pack provision-verify
    cheap 4
    well 'verify of the platform' @platform_d7 provision-verify
    cheap 4
    lab_site life.test d7
    well 'install' @life.test provision-install --client_email=admin@hub.test
    cheap 8
    has_all life.test d7
    well 'verify' @life.test provision-verify
    check 'logins of a verify' "$LAB_HANDSHAKES" 4
    cheap 4
    has_all life.test d7

    upload 1 $S/files/up.txt up
    upload 3 $S/private/files/deep.txt deep
    well 'verify with uploads' @life.test provision-verify
    check 'they survive' "$(has_file 1 $S/files/up.txt) $(has_file 4 $S/private/files/deep.txt)" 'up deep'
    well 'backup' @life.test provision-backup $backup
    cheap 4
    check 'the backup has them' "$(in_backup $backup ./files/up.txt) $(in_backup $backup ./private/files/deep.txt)" 'up deep'

    lab_node 2 sh -c "echo changed >$S/files/up.txt; echo late >$S/files/late.txt"
    well 'restore' @life.test provision-restore $backup
    cheap 16
    has_all life.test d7
    check 'the upload is that of the backup' "$(has_file 0 $S/files/up.txt)" up
    well 'disable' @life.test provision-disable
    cheap 4
    unserved life.test
    well 'enable' @life.test provision-enable
    cheap 4
    has_all life.test d7
    well 'migrate' @life.test provision-migrate @platform_other
    cheap 36
    has_all life.test other
    check 'nothing is left on the old platform' "$(for i in 0 1; do on $i find $PLATFORMS/d7 -name 'life.test*'; done)" ''
    check 'uploads come along' "$(has_file 2 $PLATFORMS/other/sites/life.test/private/files/deep.txt)" deep
    well 'clone' @life.test provision-clone @copy.test @platform_d7
    cheap 36
    served copy.test
    check 'with its uploads' "$(has_file 2 $PLATFORMS/d7/sites/copy.test/private/files/deep.txt)" deep

    user=$(credential life.test other db_user) secret=$(credential life.test other db_passwd)
    well 'delete' @life.test provision-delete
    cheap 8
    unserved life.test
    check 'nothing is left of it but backups' "$(traces life.test "$secret")" ''
    check 'nor a right in the database' "$(hosts "$user")" ''
    configured
    check 'its last backup has the uploads' "$(in_backup "$(ls -t /var/aegir/backups/life.test-* | head -n 1)" ./private/files/deep.txt)" deep
}

test_a_slave_that_is_down() {
    site slave.test
    fleet_kill web3
    fails 'disable under the policy all' @slave.test provision-disable
    has 'the server is named' "$said" '@server_web3'
    unserved slave.test 1 2 4
    fleet_revive web3
    well 'enable' @slave.test provision-enable
    served slave.test
    configured
}

test_a_master_that_is_down() {
    site master.test
    fleet_kill web1
    write $PLATFORMS/d7/sites/all/change.txt change
    fails 'verify' @master.test provision-verify
    has 'the server is named' "$said" '@server_web1'
    noted 1
    fleet_revive web1
    well 'verify when it is back' @master.test provision-verify
    same $PLATFORMS/d7 1
    served master.test
    check 'nothing is noted any more' "$(missed 1)" 0
}

# The last one: it makes another pack of the servers.
test_a_pack_whose_master_is_this_machine() {
    lab_quiet lab_pack 0 4
    lab_quiet lab_save @server_pack server --remote_host=pack --http_service_type=pack --master_web_servers=@server_master --slave_web_servers="$(lab_webs 1 4)"
    lab_platform home pack || bad 'a platform' 'see above'
    lab_site home.test home
    well 'install' @home.test provision-install --client_email=admin@hub.test
    cheap 8
    served home.test
    configured
    upload 2 $PLATFORMS/home/sites/home.test/files/up.txt up
    well 'verify' @home.test provision-verify
    cheap 4
    check 'an upload survives' "$(has_file 0 $PLATFORMS/home/sites/home.test/files/up.txt)" up
    well 'delete' @home.test provision-delete
    unserved home.test
    configured
}

run_tests
