#!/bin/bash
# A Web Cluster of two servers, the second of which lies. hostile.test.sh [PART OF A TEST'S NAME]

. "$(dirname "${BASH_SOURCE[0]}")/check.sh"
suite "$@"
group=cluster

start() { lab_start 2 && lab_drop_in on && lab_cluster 2 && lab_platform d7 cluster; }

# lies TEXT: what the second server's mysql says from now on; honest: the truth.
lies() {
    printf '#!/bin/sh\ncat <<"END" >&2\n%s\nEND\nexit 1\n' "ERROR 1045 (28000): $1 (using password: NO)" |
        lab_node 2 sh -c 'cat >/run/mysql.lies; chmod 755 /run/mysql.lies; mount --bind /run/mysql.lies "$(readlink -f /usr/bin/mysql)"'
}
honest() { lab_node 2 sh -c 'umount "$(readlink -f /usr/bin/mysql)"'; }

test_the_name_that_the_database_gives_it() {
    lies "Access denied for user 'intntnllyInvalid'@'x\`; CREATE USER evil@\`%\`; GRANT ALL ON *.* TO evil@\`%'"
    lab_site sql.test d7
    task @sql.test provision-install --client_email=admin@hub.test
    honest
    has 'the log says what it says' "$log" '@server_web2 names a host'
    check 'the database did nothing of it' "$(hosts evil)" ''
}

test_the_name_of_one_that_is_thrown_out() {
    local user
    lab_quiet lab_cluster 2
    site out.test
    user=$(credential out.test d7 db_user)
    check 'the database lets in the hub and all servers' "$(hosts "$user")" "$(all_hosts)"
    lab_quiet lab_save @server_cluster server --remote_host=cluster --http_service_type=cluster --cluster_web_servers=@server_web1
    lies "Access denied for user 'intntnllyInvalid'@'$(fleet_address web1)'"
    task scale-leave @server_web2
    honest
    check 'the database lets in all others, and not it' "$(hosts "$user")" "10.87.0.1 $(fleet_address web1) 127.0.0.1 "
    served out.test 1
}

run_tests
