#!/bin/bash
# Certificates and keys on a Web Cluster of two servers that serve TLS. ssl.test.sh [PART OF A TEST'S NAME]

. "$(dirname "${BASH_SOURCE[0]}")/check.sh"
suite "$@"
group=cluster

start() {
    local module file
    lab_start 2 && lab_drop_in on || return
    for module in socache_shmcb ssl; do
        for file in /etc/apache2/mods-available/$module.{load,conf}; do [ ! -e "$file" ] || ln -s "$file" /etc/apache2/mods-enabled; done
    done
    for i in 1 2; do
        # A running Apache cannot open another port as long as it lives.
        lab_quiet lab_node $i apache2ctl stop
        lab_quiet lab_save @server_web$i server --remote_host=web$i --http_service_type=apache_ssl && lab_quiet lab_drush @server_web$i provision-verify || return
    done
    lab_cluster 2 && lab_platform d7 cluster
}

secure() { curl -sk --max-time 60 --connect-to "$2:443:$1:443" "https://$2/" | grep -o '<title>[^<]*' | cut -c8-; }
# The key of a site as a server presents it.
presented() { echo | openssl s_client -connect "$1:443" -servername "$2" 2>/dev/null | openssl x509 -noout -subject 2>/dev/null; }
keys() { for i in 0 1 2; do on $i find /var/aegir/config/server_web* -path "*$1*" 2>/dev/null | sed "s/^/$(name_of $i):/"; done; }

test_keys() {
    local dir
    well 'verify of a server' @server_web1 provision-verify
    check 'one verify brings the default key' "$(on 1 ls /var/aegir/config/server_web1/ssl.d/default 2>/dev/null | tr '\n' ' ')" 'openssl.crt openssl.key '
    lab_site secure.test d7 --ssl_enabled=1 --ssl_key=secure.test
    well 'install' @secure.test provision-install --client_email=admin@hub.test
    cheap 4
    served secure.test
    for i in 1 2; do
        dir=/var/aegir/config/server_web$i/ssl.d
        check "web$i serves it encrypted" "$(secure web$i secure.test)" 'Welcome to secure.test | secure.test'
        has 'with the key of the site' "$(presented web$i secure.test)" 'secure.test'
        check 'its directory is closed to others' "$(on $i stat -c '%a %U' $dir)" '700 aegir'
        check 'receipts stay here' "$(on $i find $dir -name '*.receipt')" ''
        check "web$i has no key of another server" "$(on $i ls /var/aegir/config | grep -c 'server_web')" 1
    done
    well 'verify' @secure.test provision-verify
    cheap 2
    check 'web2 serves it encrypted' "$(secure web2 secure.test)" 'Welcome to secure.test | secure.test'

    lab_site second.test d7 --ssl_enabled=1 --ssl_key=secure.test
    well 'install of another one with that key' @second.test provision-install --client_email=admin@hub.test
    well 'delete of the first' @secure.test provision-delete
    check 'the key stays as long as a site has it' "$(keys secure.test/openssl.key | wc -l)" 4
    check 'web1 serves the other encrypted' "$(secure web1 second.test)" 'Welcome to second.test | second.test'
    well 'delete of the other' @second.test provision-delete
    check 'no server has its key or certificate any more' "$(keys secure.test)" ''
    check 'nor a virtual host' "$(vhosts secure.test)$(vhosts second.test)" ''
    configured
}

run_tests
