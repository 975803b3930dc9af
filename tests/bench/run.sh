#!/bin/bash
# Measures aegir_scale beside stock rsync over ssh, all in one run on one machine. It prints, and judges nothing.
#
#   tests/bench/run.sh [--case=NAME,...] [--tree=mediawiki,drupal] [--servers=8] [--repeat=3]
#
# Cases: nothing, one-file, config, connect, first, scale, growth. Methods:
#   (a) rsync over a new ssh, one server after the other: what Provision does
#   (b) the same for all servers at once
#   (c) as (b), over OpenSSH's ControlMaster, already warm
#   (d) aegir_scale in a new PHP process
#   (e) aegir_scale in a process that has its connections already
# The servers are stock sshd and rsync in their own namespaces. CPU is that of all processes of a side, measured by control groups; memory is the
# peak of what this side's processes have for themselves, from a run that is not timed.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
. "$here/../lib/fleet.sh"
export FLEET_MEASURE=1

cases=nothing,one-file,config,connect,first,scale,growth trees=mediawiki,drupal servers=8 repeat=3
for word in "$@"; do
    case $word in
        --case=*) cases=${word#*=} ;;
        --tree=*) trees=${word#*=} ;;
        --servers=*) servers=${word#*=} ;;
        --repeat=*) repeat=${word#*=} ;;
        *) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
done

if [ -z "${FLEET_MODE:-}" ]; then
    . "$here/../setup.sh"
    setup_packages || exit
    [ -n "${AEGIR_SCALE_MODULE:-}" ] || bash "$here/../build-ext.sh" >/dev/null || exit
    setup_unpack mediawiki "$top/build/trees/mediawiki" || exit
    if [ ! -d "$top/build/trees/drupal" ]; then
        rm -rf "$top/build/trees/drupal.new"
        php -n -d memory_limit=1G "$here/tree.php" "$top/build/trees/drupal.new" && mv "$top/build/trees/drupal.new" "$top/build/trees/drupal" || exit
    fi
fi
fleet_enter "$0" "$@"
fleet_has_namespaces || { echo 'the bench needs namespaces, so that both sides can be told apart'; exit 1; }

module=${AEGIR_SCALE_MODULE:-$top/build/ext/modules/aegir_scale.so}
ours=(php -n -d memory_limit=1G -d "extension=$module" "$here/ours.php" "$FLEET_DIR/topology.yml")
results=$FLEET_DIR/results
names=()

# --- the methods; $path is what is pushed, $stock and $options say how ------------------------------------------------

rsync_to() { rsync "${stock[@]}" -e "ssh -F $1" "$path" "$2:/"; }
# In a shell of its own, whose only children it waits for.
all_at_once() ( for name in "${names[@]}"; do rsync_to "$1" "$name" & done; wait )

method_a() { local name; for name in "${names[@]}"; do rsync_to "$FLEET_DIR/ssh_config" "$name"; done; }
method_b() { all_at_once "$FLEET_DIR/ssh_config"; }
method_c() { all_at_once "$FLEET_DIR/ssh_config_warm"; }
method_d() { "${ours[@]}" <<<"sync $path $options" >"$FLEET_DIR/said"; complain "$(<"$FLEET_DIR/said")"; }
method_e() { ask "sync $path $options"; }

connect_b() ( for name in "${names[@]}"; do ssh -F "$FLEET_DIR/ssh_config" "$name" true & done; wait )
connect_d() { "${ours[@]}" <<<"run true $options" >"$FLEET_DIR/said"; complain "$(<"$FLEET_DIR/said")"; }

complain() { [[ $1 == *'"error":null'* ]] || echo "  it did not work: $1" >&2; }

# The process of (e) lives through the whole bench.
start_ours() {
    mkfifo "$FLEET_DIR/ask" "$FLEET_DIR/answer"
    # shellcheck disable=SC2094
    ( near; exec "${ours[@]}" ) <"$FLEET_DIR/ask" >"$FLEET_DIR/answer" &
    exec 7>"$FLEET_DIR/ask" 8<"$FLEET_DIR/answer"
}

ask() {
    local answer
    echo "$1" >&7
    read -r answer <&8
    complain "$answer"
}

start_masters() {
    local name
    sed -e "/^Host /a\\    ControlPath $FLEET_DIR/cm-%n" "$FLEET_DIR/ssh_config" >"$FLEET_DIR/ssh_config_warm"
    for name in "$@"; do
        [ -S "$FLEET_DIR/cm-$name" ] || ( near; exec ssh -F "$FLEET_DIR/ssh_config_warm" -MNf "$name" ) </dev/null >/dev/null 2>&1
    done
}

near() { [ -z "${FLEET_NEAR:-}" ] || echo "$BASHPID" >"$FLEET_NEAR/cgroup.procs"; }

# --- measuring --------------------------------------------------------------------------------------------------------

# measure KEY PREPARE METHOD: adds "wall near far" in seconds to the key's results.
measure() {
    local key=$1 prepare=$2 method=$3 wall near far

    $prepare "$method"
    near=$(fleet_cpu "$FLEET_NEAR") far=$(fleet_cpu "$FLEET_CGROUP") wall=${EPOCHREALTIME/./}
    ( near; "$method" ) </dev/null >/dev/null
    wall=$((${EPOCHREALTIME/./} - wall)) near=$(($(fleet_cpu "$FLEET_NEAR") - near))
    # The far side may still be tidying up.
    sleep 0.1
    far=$(($(fleet_cpu "$FLEET_CGROUP") - far))
    echo "$wall $near $far" >>"$results/$key"
}

measure_memory() {
    local key=$1 prepare=$2 method=$3 sampler

    $prepare "$method"
    rm -f "$FLEET_DIR/stop"
    php -n "$here/memory.php" "$FLEET_NEAR" "$FLEET_DIR/stop" >"$results/$key.memory" &
    sampler=$!
    sleep 0.1
    ( near; "$method" ) </dev/null >/dev/null
    touch "$FLEET_DIR/stop"
    wait $sampler
}

# run_case TITLE PREPARE METHOD...: one table.
run_case() {
    local title=$1 prepare=$2 round method
    shift 2
    rm -rf "$results"
    mkdir -p "$results"
    for ((round = 0; round < repeat; round++)); do
        for method in "$@"; do measure "$method" "$prepare" "$method"; done
    done
    for method in "$@"; do measure_memory "$method" "$prepare" "$method"; done
    echo
    echo "$title, N = ${#names[@]} (medians of $repeat)"
    php -n "$here/table.php" "$results" "$@"
}

wants() { [[ ,$1, == *",$2,"* ]]; }

# --- the cases --------------------------------------------------------------------------------------------------------

use_servers() {
    fleet_start "$1" || exit
    fleet_topology "$FLEET_DIR/topology.yml"
    mapfile -t names < <(fleet_names | head -n "$1")
    echo "clusters: { live: { servers: [$(IFS=,; echo "${names[*]}")] } }" >"$FLEET_DIR/cluster"
    sed -i -e '/^clusters:/,$d' "$FLEET_DIR/topology.yml"
    cat "$FLEET_DIR/cluster" >>"$FLEET_DIR/topology.yml"
}

# Every server has the tree.
fill() {
    local name
    path=/var/aegir/platforms/$1
    if [ ! -d "$path" ]; then
        mkdir -p /var/aegir/platforms
        cp -a "$top/build/trees/$1" "$path"
    fi
    for name in "${names[@]}"; do (cd /var/aegir && rsync -aR "${path#/var/aegir/}" "$(fleet_path "$name" /var/aegir)/"); done
}

as_it_is() { :; }
counter=0
change_one() { counter=$((counter + 1)); echo "// change $counter" >>"$changed"; }
make_empty() { local name; for name in "${names[@]}"; do rm -rf "$(fleet_path "$name" "$path")"; done; }
close_first() { ask close; }

case_nothing() {
    stock=(-aR --delete) options='{}'
    fill "$1"
    method_b
    run_case "nothing changed, $1" as_it_is method_a method_b method_c method_d method_e
    echo '  wanted: CPU of this side of (d) at most 0.20 of (b), wall at most 0.60 of (c)'
}

case_one-file() {
    stock=(-aR --delete) options='{}'
    fill "$1"
    changed=$(find "$path" -type f -name '*.php' | sort | sed -n 100p)
    method_b
    run_case "one changed file, $1" change_one method_a method_b method_c method_d method_e
    echo '  wanted: wall of (e) at most 0.50 of (c)'
}

case_config() {
    stock=(-aR --delete) options='{}'
    path=/var/aegir/config/server_master/apache/vhost.d/shop.example.com
    changed=$path
    mkdir -p "$(dirname "$path")"
    echo 'server { }' >"$path"
    run_case 'one small configuration file' change_one method_a method_b method_c method_d method_e
    echo '  wanted: wall of (e) at most 0.25 of (c) and 0.05 of (a)'
}

case_connect() {
    options='{}'
    use_servers 100
    run_case 'opening connections and running true' close_first connect_b connect_d
    echo '  wanted: wall of (d) at most 0.25 of (b)'
    use_servers "$servers"
}

case_first() {
    fill "$1"
    stock=(-aRz --delete) options='{}'
    run_case "first full copy, compressed, $1" make_empty method_a method_b method_c method_d method_e
    echo '  wanted: CPU of this side of (d) at most 0.20 of (b)'
    stock=(-aR --delete) options='{"compress":"none"}'
    run_case "first full copy, not compressed, $1" make_empty method_a method_b method_c method_d method_e
    echo '  wanted: CPU of this side of (d) at most 0.75 of (b)'
}

# Nothing changed, with more and more servers. They show the hub's own tree, read only, as 64 copies would not fit.
case_scale() {
    local n name before=0 first=
    stock=(-aR --delete) options='{}'
    echo
    echo "nothing changed, $1, more and more servers (medians of $repeat)"
    for n in 8 16 32 64; do
        use_servers $n
        fill_nothing "$1"
        rm -rf "$results"
        mkdir -p "$results"
        for ((round = 0; round < repeat; round++)); do
            measure method_b as_it_is method_b
            measure method_d as_it_is method_d
        done
        measure_memory method_b as_it_is method_b
        measure_memory method_d as_it_is method_d
        php -n "$here/table.php" "$results" --servers=$n method_b method_d
    done
    echo '  wanted: CPU of (d) per server flat or falling, memory per extra server at most 2 MB and its window'
    for name in "${names[@]}"; do fleet_exec "$name" umount /var/aegir/platforms 2>/dev/null; done
    use_servers "$servers"
}

# What one more file, server and MB cost this side: differences between small trees on two and on $servers servers, so that each figure stands alone.
case_growth() {
    local tree n what method
    grown=/var/aegir/platforms/grown
    rm -rf "$results"
    mkdir -p "$results"
    for tree in few:1000:1000 many:11000:1000 large:1000:21000; do
        rm -rf $grown
        php -n -r '[, $to, $files, $size] = $argv;
            for ($i = 0, mkdir($to, 0755, true); $i < $files; $i++) {
                is_dir($dir = "$to/" . intdiv($i, 20)) || mkdir($dir);
                file_put_contents("$dir/file$i.php", substr(str_repeat(md5($i, true) . " public function get$i() { return $i; } ", intdiv($size, 50) + 1), 0, $size));
            }' $grown $(tr : ' ' <<<"${tree#*:}")
        path=$grown
        for n in 2 "$servers"; do
            use_servers "$n"
            start_masters "${names[@]}"
            for what in plain packed; do
                case $what in plain) stock=(-aR --delete) options='{"compress":"none"}' ;; packed) stock=(-aRz --delete) options='{"compress":"zstd"}' ;; esac
                for ((round = 0; round < repeat; round++)); do
                    for method in method_b method_e; do
                        measure "$what-${tree%%:*}-$n-$method" make_empty $method
                        [ $what = packed ] || measure "nothing-${tree%%:*}-$n-$method" as_it_is $method
                    done
                done
            done
        done
    done
    echo
    echo "what more costs this side, from 2 and $servers servers (medians of $repeat)"
    php -n "$here/growth.php" "$results" "$servers" method_b method_e
    for n in "${names[@]}"; do rm -rf "$(fleet_path "$n" $grown)"; done
    rm -rf $grown
    use_servers "$servers"
}

fill_nothing() {
    local name
    path=/var/aegir/platforms/$1
    [ -d "$path" ] || { mkdir -p /var/aegir/platforms; cp -a "$top/build/trees/$1" "$path"; }
    for name in "${names[@]}"; do
        touch -r /var/aegir "$(fleet_path "$name" /var/aegir)"
        fleet_exec "$name" bash -c "mountpoint -q /var/aegir/platforms || { mkdir -p /var/aegir/platforms; mount --bind $FLEET_DIR/hub/aegir/platforms /var/aegir/platforms; }"
        touch -r /var/aegir "$(fleet_path "$name" /var/aegir)"
    done
}

# --- all of it --------------------------------------------------------------------------------------------------------

use_servers "$servers"
start_masters "${names[@]}"
start_ours
echo "$(nproc) cores, $(rsync --version | head -n 1 | sed 's/ *protocol.*//'), $(ssh -V 2>&1 | cut -d, -f1), PHP $(php -n -r 'echo PHP_VERSION;'), $(date -I)"
for tree in ${trees//,/ }; do
    for case in nothing one-file first scale; do
        ! wants "$cases" $case || case_$case "$tree"
    done
done
for case in config connect growth; do
    ! wants "$cases" $case || case_$case
done
