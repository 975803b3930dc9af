#!/bin/bash
# Without the drop-in, and where it stays away: Provision's calls are as many as ever. without.test.sh [PART OF A TEST'S NAME]

. "$(dirname "${BASH_SOURCE[0]}")/check.sh"
suite "$@"
group=cluster
N=2

start() { lab_start $N && lab_drop_in on && lab_cluster $N && lab_platform d7 cluster; }

options() { lab_quiet lab_save @server_cluster server --remote_host=cluster --http_service_type=cluster --cluster_web_servers="$(lab_webs 1 $N)" "$@"; }

# Verify of a site makes 8 rsyncs and an ssh for each server.
stock() {
    well "verify $1" @stock.test provision-verify
    check 'calls of rsync over ssh' "$(lab_calls | grep -c '^[0-9.]* rsync -e ')" $((8 * N))
    check 'calls of ssh' "$LAB_SSH" $N
    check 'logins' "$LAB_HANDSHAKES" $((9 * N))
    served stock.test
}
ours() {
    well "verify $1" @stock.test provision-verify
    check 'logins' "$LAB_HANDSHAKES" $N
    cheap $N
    served stock.test
}

test_the_drop_in_removed() {
    site stock.test
    ours 'with it'
    lab_drop_in off
    stock 'without it'
    # What the drop-in kept is in nobody's way.
    [ -d /var/aegir/config/scale ] && ok 'its notes are still here' || bad 'its notes are still here' 'they are gone'
    lab_drop_in on
    ours 'with it again'
}

test_the_environment_says_off() {
    site stock.test
    LAB_ENV=(AEGIR_SCALE_OFF=1)
    stock 'with AEGIR_SCALE_OFF'
    LAB_ENV=()
    ours 'without'
}

test_the_option_says_off() {
    site stock.test
    options --scale=off
    stock 'with the option scale'
    options --scale=on
    ours 'with the option set back'
    lab_quiet lab_save @server_web2 server --remote_host=web2 --http_service_type=apache --scale=off
    well 'verify with the option at one server' @stock.test provision-verify
    # It is asked for uploads all the same: the stock way would delete them.
    check 'logins' "$LAB_HANDSHAKES" $((9 + N))
    check 'only that server is served the stock way' "$(lab_calls | grep -E '^[0-9.]+ (ssh|rsync -e) ' | grep -vc 'aegir@web2')" 0
    served stock.test
    lab_quiet lab_save @server_web2 server --remote_host=web2 --http_service_type=apache --scale=on
    ours 'with that set back'
}

test_the_extension_is_not_there() {
    site stock.test
    cp -r "/etc/php/$LAB_PHP/cli/conf.d" "$LAB_DIR/conf.d"
    rm "$LAB_DIR/conf.d/40-aegir_scale.ini"
    LAB_ENV=("PHP_INI_SCAN_DIR=$LAB_DIR/conf.d")
    stock 'without the extension'
    LAB_ENV=()
    rm -r "$LAB_DIR/conf.d"
    ours 'with it'
}

test_options_without_a_meaning_here() {
    site stock.test
    drushrc "\$options['global_sync_options'] = array('fuzzy' => TRUE);"
    lab_run touch $PLATFORMS/d7/sites/all/fuzzy
    well 'verify with an option for rsync' --verbose @stock.test provision-verify
    most 'rsync is called as in stock' $((8 * N - $(lab_calls | grep '^[0-9.]* rsync -e ' | grep -c -- --fuzzy))) 0
    most 'why is said once in each process' "$(grep -o "because of rsync's --fuzzy" <<<"$log" | wc -l)" 2
    has 'and is said' "$log" "because of rsync's --fuzzy"
    same $PLATFORMS/d7
    drushrc "\$options['ssh-options'] = '-o CheckHostIP=no';"
    well 'verify with an option for ssh' --verbose @stock.test provision-verify
    # The uploads are brought here and back by the extension.
    most 'logins' "$LAB_HANDSHAKES" $((10 * N))
    has 'why is said' "$log" "because of ssh's -o CheckHostIP=no"
    drushrc "\$options['ssh-options'] = '-p 22 -o ConnectTimeout=20 -o BatchMode=yes'; \$options['global_sync_options'] = array('checksum' => TRUE);"
    ours 'with options that have one'
    drushrc off
    ours 'without options'
}

run_tests
