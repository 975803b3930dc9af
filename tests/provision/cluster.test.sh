#!/bin/bash
# A Web Cluster of four servers, each with a disk of its own: the life of a site. cluster.test.sh [PART OF A TEST'S NAME]

. "$(dirname "${BASH_SOURCE[0]}")/check.sh"
suite "$@"
group=cluster

start() { lab_start 4 && lab_drop_in on && lab_cluster 4 && lab_platform d7 cluster; }

# has_all SITE PLATFORM: served, with its files, virtual hosts and grants where they belong.
has_all() {
    served "$1"
    same $PLATFORMS/"$2"
    configured
    check 'virtual hosts' "$(vhosts "$1")" '1 2 3 4 '
    check 'the database lets in the hub and all servers' "$(hosts "$(credential "$1" "$2" db_user)")" "$(all_hosts)"
}

# Provision's Apache keeps the password out of settings.php, but while a backup is made; BOA's does not.
uncloaked() {
    check 'the servers have the password in settings.php only if the hub has it' "$(for i in 0 1 2 3 4; do
        on $i grep -cF "$(credential "$1" "$2" db_passwd)" "$PLATFORMS/$2/sites/$1/settings.php"
    done | sort -u | wc -l)" 1
}

test_a_platform() {
    well 'verify' @platform_d7 provision-verify
    cheap 4
    write $PLATFORMS/d7/sites/all/modules/new/new.module 'new'
    lab_node 2 sh -c "echo stray >$PLATFORMS/d7/sites/all/stray; rm $PLATFORMS/d7/cron.php"
    well 'verify after changes' @platform_d7 provision-verify
    same $PLATFORMS/d7
    configured
    check 'the module is there' "$(has_file 3 $PLATFORMS/d7/sites/all/modules/new/new.module)" new
    lab_run cp -r "$LAB_DIR/drupal" $PLATFORMS/brief
    lab_quiet lab_save @platform_brief platform --root=$PLATFORMS/brief --web_server=@server_cluster
    well 'verify of another' @platform_brief provision-verify
    same $PLATFORMS/brief
    well 'delete of it' @platform_brief provision-delete
    check 'it is gone everywhere' "$(for i in 0 1 2 3 4; do on "$i" ls -d $PLATFORMS/brief; done 2>/dev/null)" ''
    same $PLATFORMS/d7
}

test_the_life_of_a_site() {
    local secret backup=/var/aegir/backups/life.tar.gz
    platform other
    lab_site life.test d7
    well 'install' @life.test provision-install --client_email=admin@hub.test
    cheap 8
    has_all life.test d7

    well 'verify' @life.test provision-verify
    check 'logins of a verify' "$LAB_HANDSHAKES" 4
    cheap 4
    has_all life.test d7
    uncloaked life.test d7

    well 'backup' @life.test provision-backup $backup
    cheap 4
    uncloaked life.test d7
    has 'the backup has the database' "$(in_backup $backup ./database.sql | head -c 100000)" 'CREATE TABLE'
    has_all life.test d7

    lab_quiet lab_drush @life.test variable-set site_name 'since the backup'
    lab_run touch $PLATFORMS/d7/sites/life.test/modules/later
    well 'restore' @life.test provision-restore $backup
    cheap 24
    has_all life.test d7
    check 'a file of after the backup is gone' "$(for i in 0 1 2 3 4; do on $i ls $PLATFORMS/d7/sites/life.test/modules; done)" ''

    well 'disable' @life.test provision-disable
    cheap 4
    unserved life.test
    configured
    well 'enable' @life.test provision-enable
    cheap 4
    has_all life.test d7

    well 'clone to another platform' @life.test provision-clone @copy.test @platform_other
    cheap 36
    has_all life.test d7
    served copy.test
    same $PLATFORMS/other
    check 'it has a database of its own' "$([ "$(credential copy.test other db_name)" != "$(credential life.test d7 db_name)" ] && echo own)" own
    check 'which lets in the hub and all servers' "$(hosts "$(credential copy.test other db_user)")" "$(all_hosts)"

    secret=$(credential life.test d7 db_passwd)
    well 'migrate' @life.test provision-migrate @platform_other
    cheap 36
    has_all life.test other
    same $PLATFORMS/d7
    check 'nothing is left on the old platform' "$(for i in 0 1 2 3 4; do on $i find $PLATFORMS/d7 -name 'life.test*'; done)" ''

    well 'rename' @life.test provision-migrate @platform_other @renamed.test
    cheap 36
    served renamed.test
    check 'and no virtual host of the old one' "$(vhosts renamed.test)/$(vhosts life.test)" '1 2 3 4 /'
    same $PLATFORMS/other
    check 'nothing is left of the old name' "$(traces life.test "$secret")" ''

    secret=$(credential renamed.test other db_passwd)
    delete renamed.test other
    check 'nothing is left of it but backups' "$(traces renamed.test "$secret")" ''
    served copy.test
    delete copy.test other
}

# delete SITE PLATFORM
delete() {
    local user secret
    user=$(credential "$1" "$2" db_user) secret=$(credential "$1" "$2" db_passwd)
    check "the password of $1 is known" "$([ ${#secret} -gt 5 ] && echo yes)" yes
    well "delete of $1" "@$1" provision-delete
    cheap 8
    unserved "$1"
    check "nothing is left of $1 but backups" "$(traces "$1" "$secret")" ''
    check 'nor a right in the database' "$(hosts "$user")" ''
    check 'nor its database' "$(databases "$user")" 0
    same $PLATFORMS/"$2"
    configured
}

test_an_import() {
    site import.test
    lab_root rm /var/aegir/.drush/import.test.alias.drushrc.php
    for i in 1 2 3 4; do lab_node $i rm -rf $PLATFORMS/d7/sites/import.test; done
    lab_site import.test d7
    well 'import' @import.test provision-import
    cheap 16
    has_all import.test d7
    delete import.test d7
}

test_code_in_directories_that_are_called_files() {
    local root=$PLATFORMS/d7 file
    site code.test
    for file in modules/x/files/logo.png sites/all/modules/x/files/a.png vendor/x/sites/q.php sites/all/libraries/x/private/b.js \
        sites/code.test/modules/x/files/c.png sites/code.test/themes/x/private/d.css; do
        write $root/$file "$file"
    done
    well 'verify of the platform' @platform_d7 provision-verify
    well 'verify of the site' @code.test provision-verify
    for file in modules/x/files/logo.png sites/all/modules/x/files/a.png vendor/x/sites/q.php sites/all/libraries/x/private/b.js \
        sites/code.test/modules/x/files/c.png sites/code.test/themes/x/private/d.css; do
        check "$file is on every server" "$(for i in 1 2 3 4; do has_file $i $root/$file; done | sort | uniq -c | tr -s ' ')" " 4 $file"
    done
}

test_strange_names_and_links() {
    local root=$PLATFORMS/d7/sites/all odd=$'caf\xe9 \'"$(x)`\n;*'
    lab_run mkdir -p "$root/libraries/$odd"
    lab_run sh -c 'echo odd >"$1/$2/$2"; ln -s /etc/hosts "$1/absolute"; ln -s nowhere "$1/dangling"; echo x >"$1/-rf"' - "$root/libraries" "$odd"
    well 'verify' @platform_d7 provision-verify
    same $PLATFORMS/d7
    check 'links to files stay links' "$(for i in 1 4; do on $i readlink $root/libraries/absolute $root/libraries/dangling; done | tr '\n' ' ')" '/etc/hosts nowhere /etc/hosts nowhere '
    check 'the odd name arrives' "$(has_file 4 "$root/libraries/$odd/$odd")" odd
    lab_run rm -r "$root/libraries"
    well 'verify without them' @platform_d7 provision-verify --backend
    check 'what another Drush gets can be read' "$(php -n -r 'preg_match("/DRUSH_BACKEND_OUTPUT_START>>>(.*)<<<DRUSH_BACKEND_OUTPUT_END/s", file_get_contents($argv[1]), $m);
        echo json_decode($m[1] ?? "", true)["error_status"] ?? "unreadable";' "$LAB_DIR/said")" 0
    same $PLATFORMS/d7
}

test_the_commands() {
    local dir=$PLATFORMS/d7/sites/all
    well 'scale-run' scale-run @server_cluster -- hostname
    for i in 1 2 3 4; do has "it runs on web$i" "$log" "web$i"; done
    fails 'scale-run of a command that fails' scale-run @server_cluster -- false
    check 'with the status 1' $status 1
    lab_node 3 sh -c "echo drift >$dir/drift"
    fails 'scale-status of a server that differs' scale-status @server_cluster $dir
    has 'the server is named' "$log" 'server_web3'
    has 'and what differs' "$log" 'drift'
    has_file 3 $dir/drift >/dev/null && ok 'and nothing was changed' || bad 'and nothing was changed' 'the file is gone'
    well 'scale-sync' scale-sync @server_cluster $dir
    check 'it is mended' "$(differences 3 $dir)" ''
    well 'scale-status after it' scale-status @server_cluster $dir
    lab_node 2 setpriv --reuid aegir --regid aegir --init-groups sh -c "mkdir $dir/up; echo up >$dir/up/load.txt"
    well 'scale-fetch' scale-fetch @server_cluster $dir/up
    check 'what was only there is here' "$(has_file 0 $dir/up/load.txt)" up
    lab_root rm -r $dir/up
    well 'scale-sync of what is gone' scale-sync @server_cluster $dir
    check 'it goes there as well' "$(has_file 2 $dir/up/load.txt)" ''
    task scale-check @server_cluster
    for i in 1 2 3 4; do has "scale-check looks at web$i" "$log" "server_web$i"; done
    fails 'a group that is none' scale-sync @server_nobody $dir
    check 'with the status 2' $status 2
}

# A new server gets everything, one that leaves keeps nothing.
test_a_server_that_comes_and_goes() {
    local secret
    lab_quiet lab_save @server_cluster server --remote_host=cluster --http_service_type=cluster --cluster_web_servers="$(lab_webs 1 3)"
    lab_node 4 rm -rf $PLATFORMS
    lab_node 4 sh -c 'rm -f /var/aegir/config/server_web4/apache/*.d/*; apache2ctl graceful'
    lab_root sh -c 'rm -f /var/aegir/config/server_web4/apache/*.d/*'
    lab_site_install member.test d7
    secret=$(credential member.test d7 db_passwd)
    check 'the fourth server has nothing of the site yet' "$(vhosts member.test) $(on 4 ls $PLATFORMS 2>/dev/null)" '1 2 3  '
    fails 'joining before it is in the cluster' scale-join @server_web4
    lab_quiet lab_save @server_cluster server --remote_host=cluster --http_service_type=cluster --cluster_web_servers="$(lab_webs 1 4)"
    well 'joining' scale-join @server_web4
    has_all member.test d7
    upload 4 $PLATFORMS/d7/sites/member.test/files/last.txt last
    fails 'leaving while it is in the cluster' scale-leave @server_web4
    lab_quiet lab_save @server_cluster server --remote_host=cluster --http_service_type=cluster --cluster_web_servers="$(lab_webs 1 3)"
    well 'leaving' scale-leave @server_web4
    unserved member.test 4
    served member.test 1 2 3
    check 'it has no platform any more' "$(on 4 ls $PLATFORMS 2>/dev/null)" ''
    check 'and no password' "$(on 4 grep -rlF -- "$secret" /var/aegir)" ''
    check 'the database does not let it in' "$(hosts "$(credential member.test d7 db_user)" | grep -c "$(fleet_address web4) ")" 0
    check 'what was uploaded there is here' "$(has_file 0 $PLATFORMS/d7/sites/member.test/files/last.txt)" last
    well 'verify without it' @member.test provision-verify
    check 'nothing goes there' "$(on 4 ls $PLATFORMS 2>/dev/null)" ''
    check 'logins' "$LAB_HANDSHAKES" 3
    lab_quiet lab_save @server_cluster server --remote_host=cluster --http_service_type=cluster --cluster_web_servers="$(lab_webs 1 4)"
    well 'joining again' scale-join @server_web4
    has_all member.test d7
}

run_tests
