#!/bin/bash
# A laboratory of Aegir: a hub with Drush 8, Provision 7.x-3.x, MariaDB and Apache, and web servers with sshd, rsync and Apache.
#
#   . tests/provision/lib.sh
#   lab_enter "$0" "$@"            # goes on inside namespaces of its own; call it first
#   lab_start 4                    # the hub, web1 to web4, @server_master, @server_localhost (the database), @server_web1 to 4
#   lab_cluster 4                  # @server_cluster of web1 to web4
#   lab_platform d7 cluster        # @platform_d7 on it
#   lab_site_install a.test d7     # @a.test
#   lab_drush @a.test provision-verify
#   lab_node 2 ls /var/aegir/platforms/d7/sites
#
# Given by the caller: DRUSH, the drush or drush.php of a Drush 8 with its vendor directory; PROVISION_DIR and DRUPAL_DIR, a Provision 7.x-3.x and
# a Drupal 7. They are copied. AEGIR_SCALE_MODULE, if set, is loaded into every PHP of the command line.
#
# The servers are those of tests/lib/fleet.sh, and like them all of it ends with the script: a lab needs no name or port of its own, as many as
# the machine can bear run at once. What Debian's packages lack here is unpacked once below build/ and laid over /usr and /etc inside the namespaces:
# nothing is installed, and no daemon of the machine is touched. Without packages to fetch and without namespaces there is no lab.
#
# Aegir's user has uid 5999 and /var/aegir everywhere, ssh to the servers with a key without passphrase, and sudo for apache2ctl.
# There is no front end: the alias @hostmaster exists, and its command hosting-task does at once, in processes of its own, what the
# front end's would: provision-save and provision-TYPE. See hostmaster.drush.inc.

LAB_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_TOP=$(cd "$LAB_LIB/../.." && pwd)
. "$LAB_LIB/../lib/fleet.sh"
LAB_DIR=${FLEET_DIR:-}/lab

LAB_PHP=$(php -n -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;' 2>/dev/null || echo 8.2)
LAB_PACKAGES=(mariadb-server-core mariadb-client apache2 "libapache2-mod-php$LAB_PHP" "php$LAB_PHP-mysql" "php$LAB_PHP-gd" sudo curl)

lab_say() { echo "lab: $*" >&2; }

# What a command says is shown only if it fails; all of it is in $LAB_DIR/log.
lab_quiet() {
    local from status

    from=$(wc -c <"$LAB_DIR/log")
    "$@" >>"$LAB_DIR/log" 2>&1 </dev/null
    status=$?
    [ $status -eq 0 ] || { lab_say "$* failed:"; tail -c +$((from + 1)) "$LAB_DIR/log" | tail -n 60 >&2; }
    return $status
}

# --- coming in --------------------------------------------------------------------------------------------------------

lab_enter() {
    if [ -z "${FLEET_MODE:-}" ]; then
        lab_given || exit
        . "$LAB_LIB/../setup.sh"
        setup_packages || exit
        mkdir -p "$LAB_TOP/build"
        # One at a time: labs may start together.
        (flock 9 && lab_unpack) 9>"$LAB_TOP/build/provision-root.lock" || exit
    fi
    fleet_enter "$@"
    fleet_has_namespaces || { lab_say 'the right to make namespaces is needed'; exit 1; }
}

lab_given() {
    local name
    for name in DRUSH PROVISION_DIR DRUPAL_DIR; do
        [ -e "${!name:-}" ] || { lab_say "$name is \"${!name:-}\", want a path that exists"; return 1; }
        export "$name=$(realpath "${!name}")"
    done
    # --version answers before Drush looks for anything else.
    php "$(lab_drush_php)" --version 2>/dev/null | grep -q 'Drush.* 8\.' || { lab_say "$DRUSH is not a Drush 8 that runs"; return 1; }
}

lab_drush_php() { [ "${DRUSH%.php}" != "$DRUSH" ] && echo "$DRUSH" || echo "$(dirname "$DRUSH")/drush.php"; }

# The files of the packages that this machine has not, without installing them.
lab_unpack() {
    local to=$LAB_TOP/build/provision-root work missing deb

    mapfile -t missing < <(setup_missing "${LAB_PACKAGES[@]}")
    [ ! -e "$to/.packages" ] || [ "$(<"$to/.packages")" != "${missing[*]}" ] || return 0
    work=$(mktemp -d)
    mkdir -p "$work/debs/partial" "$work/root"/usr/{bin,sbin,lib} "$work/root/etc"
    ln -s usr/bin usr/sbin usr/lib "$work/root"
    if [ ${#missing[@]} -gt 0 ]; then
        setup_as_root apt-get install -y -q --no-install-recommends --download-only -o Dir::Cache::archives="$work/debs/" "${missing[@]}" </dev/null >/dev/null 2>"$work/said" || {
            setup_as_root apt-get update -q </dev/null >/dev/null &&
                setup_as_root apt-get install -y -q --no-install-recommends --download-only -o Dir::Cache::archives="$work/debs/" "${missing[@]}" </dev/null >/dev/null
        } || { cat "$work/said" >&2; lab_say "cannot fetch ${missing[*]}"; rm -rf "$work"; return 1; }
        for deb in "$work"/debs/*.deb; do
            dpkg-deb --fsys-tarfile "$deb" | setup_as_root tar -xpC "$work/root" --keep-directory-symlink || return
        done
    fi
    echo "${missing[*]}" >"$work/root/.packages"
    mkdir -p "${to%/*}" && setup_as_root rm -rf "$to" && setup_as_root mv "$work/root" "$to" && chmod 755 "$to" && rm -rf "$work"
}

# --- the hub ----------------------------------------------------------------------------------------------------------

# lab_start N: the hub and N web servers, all known to Provision.
lab_start() {
    local i

    mkdir -p "$LAB_DIR"
    : >"$LAB_DIR/log"
    hostname hub
    lab_overlay usr && lab_overlay etc && lab_etc "$1" && lab_machine || return
    fleet_start "$1" || return
    for ((i = 1; i <= $1; i++)); do
        fleet_inside "web$i" bash -c '. "$1"; lab_machine' - "$LAB_LIB/lib.sh" || return
    done
    lab_aegir && lab_database && lab_hub || return
    lab_quiet lab_contexts "$1"
}

# What was unpacked, over what the machine has.
lab_overlay() {
    mkdir -p "$LAB_DIR/over/$1" "$LAB_DIR/work/$1"
    mount -t overlay -o "lowerdir=$LAB_TOP/build/provision-root/$1:/$1,upperdir=$LAB_DIR/over/$1,workdir=$LAB_DIR/work/$1" overlay "/$1"
}

# One /etc for all machines of the lab. The users are fleet.sh's; the packages' own scripts, which enable modules, did not run.
lab_etc() {
    local i file module php=/etc/php/$LAB_PHP

    for file in passwd group shadow; do cp "$FLEET_DIR/etc/$file" /etc/$file; done
    sed -i -E '/^www-data:/{s/:$/:aegir/;t;s/$/,aegir/}' /etc/group
    { echo '127.0.0.1 localhost'; echo '10.87.0.1 hub'; for ((i = 1; i <= $1; i++)); do echo "10.87.0.$((i + 10)) web$i"; done; } >/etc/hosts
    sed -i 's/^hosts:.*/hosts: files/' /etc/nsswitch.conf
    mkdir -p /etc/sudoers.d
    echo 'aegir ALL=NOPASSWD: /usr/sbin/apache2ctl' >/etc/sudoers.d/aegir
    chmod 440 /etc/sudoers.d/aegir
    for module in mysqlnd mysqli pdo_mysql gd; do
        php -m | grep -qix $module || echo "extension=$module" >>$php/cli/conf.d/30-lab.ini
    done
    mkdir -p $php/apache2/conf.d
    cp -r $php/cli/conf.d/. $php/apache2/conf.d
    [ -z "${AEGIR_SCALE_MODULE:-}" ] || {
        # A copy, as the repository may lie where Aegir's user cannot look.
        cp "$AEGIR_SCALE_MODULE" "$LAB_DIR/aegir_scale.so" && chmod 755 "$LAB_DIR/aegir_scale.so"
        echo "extension=$LAB_DIR/aegir_scale.so" >$php/cli/conf.d/40-aegir_scale.ini
    }
    mkdir -p /etc/apache2/{mods,conf,sites}-enabled
    rm -f /etc/apache2/*-enabled/*
    for module in access_compat alias authn_core authz_core authz_host authz_user deflate dir env expires filter headers mime mpm_prefork negotiation rewrite setenvif; do
        for file in /etc/apache2/mods-available/$module.{load,conf}; do [ ! -e "$file" ] || ln -s "$file" /etc/apache2/mods-enabled; done
    done
    {
        echo "LoadModule php_module /usr/lib/apache2/modules/libphp$LAB_PHP.so"
        echo '<FilesMatch "\.php$">'; echo 'SetHandler application/x-httpd-php'; echo '</FilesMatch>'
        echo 'StartServers 1'; echo 'MinSpareServers 1'; echo 'MaxSpareServers 2'
        echo 'ServerName localhost'
    } >/etc/apache2/mods-enabled/zz-lab.conf
    ln -s /var/aegir/config/apache.conf /etc/apache2/conf-enabled/aegir.conf
}

# What every machine has for itself: logs, and what daemons keep in /run.
lab_machine() {
    local dir
    for dir in /var/log /var/lib/php /var/cache/apache2; do
        rm -f "$dir" 2>/dev/null
    done
    mkdir -p /var/log/apache2 /run/apache2 /run/lock /run/mysqld
    [ -L /var/lib ] || mkdir -p /var/lib
    mount -t tmpfs -o mode=755 lab /run/apache2
    mount -t tmpfs -o mode=1777 lab /run/lock
    install -d -o aegir -g aegir -m 755 /var/aegir/config
    setpriv --reuid aegir --regid aegir --init-groups touch /var/aegir/config/apache.conf
}

# Aegir's home on the hub: key, known hosts, Drush with Provision.
lab_aegir() {
    local home=/var/aegir i

    mkdir -p $home/.ssh $home/.drush $home/platforms $home/clients $home/backups
    cp "$FLEET_DIR/key" $home/.ssh/id_ed25519
    for i in $(fleet_names); do echo "$i,$(fleet_address "$i") $(cut -d' ' -f1,2 "$FLEET_DIR/servers/$i/host_key.pub")"; done >$home/.ssh/known_hosts
    chmod 700 $home/.ssh
    cp -r --no-preserve=mode "$PROVISION_DIR" $home/.drush/provision
    cp -r --no-preserve=mode "$(dirname "$(lab_drush_php)")" "$LAB_DIR/drush"
    cp -r --no-preserve=mode "$DRUPAL_DIR" "$LAB_DIR/drupal"
    # The tests of many people share a machine, and a loaded one is no reason to stop.
    echo "<?php \$options['critical_load_multiplier'] = 1000;" >$home/.drush/drushrc.php
    mkdir $home/.drush/lab
    cp "$LAB_LIB/hostmaster.drush.inc" $home/.drush/lab
    chown -R aegir:aegir $home
    # Shims, which write down each call; lab_calls reads it.
    for i in ssh rsync; do
        printf '#!/bin/sh\nread -r up _ </proc/uptime\nprintf "%%s %s %%s\\n" "$up" "$*" >>%s/calls\nexec /usr/bin/%s "$@"\n' $i "$LAB_DIR" $i >/usr/local/bin/$i
        chmod 755 /usr/local/bin/$i
    done
    printf '#!/bin/sh\nexec /usr/bin/php %s/drush/drush.php "$@"\n' "$LAB_DIR" >/usr/local/bin/drush
    chmod 755 /usr/local/bin/drush
    # No mail leaves the lab.
    printf '#!/bin/sh\nexec cat >/dev/null\n' >/usr/sbin/sendmail
    chmod 755 /usr/sbin/sendmail
    : >"$LAB_DIR/calls"
    chmod 666 "$LAB_DIR/calls"
}

lab_database() {
    local try

    install -d -o aegir "$LAB_DIR/db"
    lab_quiet mariadb-install-db --no-defaults --user=aegir --datadir="$LAB_DIR/db" --auth-root-authentication-method=normal --skip-test-db || return
    chown aegir /run/mysqld
    mariadbd --no-defaults --user=aegir --datadir="$LAB_DIR/db" --socket=/run/mysqld/mysqld.sock --port=3306 --bind-address=0.0.0.0 --skip-name-resolve \
        --innodb-flush-log-at-trx-commit=0 --innodb-buffer-pool-size=64M --innodb-log-file-size=32M --performance-schema=off </dev/null >>"$LAB_DIR/db.log" 2>&1 &
    echo $! >"$LAB_DIR/db.pid"
    disown $!
    for ((try = 0; try < 600; try++)); do
        # No anonymous users: the probe for the address of a web server wants to be refused.
        lab_sql "DELETE FROM mysql.global_priv WHERE User = '';
            GRANT ALL ON *.* TO aegir_root@'%' IDENTIFIED BY 'secret' WITH GRANT OPTION; FLUSH PRIVILEGES" 2>/dev/null && return
        sleep 0.1
    done
    lab_say 'the database does not answer'
    cat "$LAB_DIR/db.log" >&2
    return 1
}

lab_sql() { mariadb --no-defaults --socket=/run/mysqld/mysqld.sock -uroot -e "$1"; }

# The hub's own processes live in a process namespace, so that they can be counted apart from the servers'. Mounts made later are not seen there.
lab_hub() {
    [ -p "$LAB_DIR/never" ] || mkfifo "$LAB_DIR/never"
    unshare --mount --pid --fork --kill-child --mount-proc --propagation private bash -c 'exec 3<>"$1"; while :; do read -r _ <&3; done' - "$LAB_DIR/never" </dev/null >/dev/null 2>&1 &
    echo $! >"$LAB_DIR/hub"
    disown $!
    until pgrep -P "$(<"$LAB_DIR/hub")" >/dev/null; do sleep 0.05; done
}

# A command on the hub as root, and as aegir.
lab_root() {
    local ns=/proc/$(<"$LAB_DIR/hub")/ns
    nsenter --mount="/proc/$(pgrep -P "$(<"$LAB_DIR/hub")")/ns/mnt" --pid="$ns/pid_for_children" --wd=/var/aegir -- "$@"
}

lab_run() {
    lab_root setpriv --reuid aegir --regid aegir --init-groups env -i HOME=/var/aegir USER=aegir LOGNAME=aegir SHELL=/bin/bash LANG=C.UTF-8 \
        PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "${LAB_ENV[@]}" "$@"
}

# LAB_ENV holds what else a command shall find in its environment.
LAB_ENV=()

lab_drush() { lab_run drush --nocolor "$@"; }

# lab_node I COMMAND...: on web I as root, not over ssh.
lab_node() {
    local number=$1
    shift
    fleet_inside "web$number" "$@"
}

# --- what Provision knows ---------------------------------------------------------------------------------------------

# lab_save ALIAS TYPE OPTION...: options as provision-save wants them.
lab_save() { lab_drush provision-save "$1" --context_type="$2" "${@:3}"; }

lab_contexts() {
    local i

    lab_save @server_master server --remote_host=hub --aegir_root=/var/aegir --script_user=aegir --http_service_type=apache --web_group=www-data \
        --master_url=http://hub/ &&
        lab_save @server_localhost server --remote_host=hub --db_service_type=mysql --master_db=mysql://aegir_root:secret@hub &&
        lab_drush @server_master provision-verify && lab_drush @server_localhost provision-verify || return
    for ((i = 1; i <= $1; i++)); do
        lab_save "@server_web$i" server --remote_host="web$i" --http_service_type=apache && lab_drush "@server_web$i" provision-verify || return
    done
    lab_save @platform_hostmaster platform --root=/var/aegir/hostmaster --web_server=@server_master --server=@server_master &&
        lab_save @hostmaster site --uri=hub --platform=@platform_hostmaster --db_server=@server_localhost --client_name=admin
}

# Aliases of web FIRST to web LAST, as Provision's options want them.
lab_webs() { seq -s, -f '@server_web%.0f' "$1" "$2"; }

# lab_cluster N: the Web Cluster @server_cluster of web1 to webN.
lab_cluster() { lab_quiet lab_make_cluster "$@"; }
lab_make_cluster() {
    lab_save @server_cluster server --remote_host=cluster --http_service_type=cluster --cluster_web_servers="$(lab_webs 1 "$1")" &&
        lab_drush @server_cluster provision-verify
}

# lab_pack M K: the Web Pack @server_pack. The first M servers are masters, the next K slaves, which see the first master's platforms, or without
# a master the hub's, as over NFS.
lab_pack() { lab_quiet lab_make_pack "$@"; }
lab_make_pack() {
    local i from=/var/aegir/platforms masters=

    if [ "$1" -gt 0 ]; then
        masters=$(lab_webs 1 "$1")
        from=$FLEET_DIR/servers/web1/aegir/platforms
    else
        from=$FLEET_DIR/hub/aegir/platforms
    fi
    install -d -o aegir -g aegir "$from"
    for ((i = $1 + 1; i <= $1 + $2; i++)); do
        lab_node $i install -d -o aegir -g aegir /var/aegir/platforms && lab_node $i mount --bind "$from" /var/aegir/platforms || return
    done
    lab_save @server_pack server --remote_host=pack --http_service_type=pack --master_web_servers="$masters" \
        --slave_web_servers="$(lab_webs $(($1 + 1)) $(($1 + $2)))" && lab_drush @server_pack provision-verify
}

# lab_platform NAME SERVER: @platform_NAME, a Drupal 7 of its own, on @server_SERVER.
lab_platform() { lab_quiet lab_make_platform "$@"; }
lab_make_platform() {
    local root=/var/aegir/platforms/$1

    lab_run cp -r "$LAB_DIR/drupal" "$root" &&
        lab_save "@platform_$1" platform --root="$root" --web_server="@server_$2" && lab_drush "@platform_$1" provision-verify
}

# lab_site NAME PLATFORM [OPTION...]: the alias only. lab_site_install: the site.
lab_site() { lab_quiet lab_save "@$1" site --uri="$1" --platform="@platform_$2" --db_server=@server_localhost --profile=minimal --client_name=admin "${@:3}"; }
lab_site_install() { lab_site "$@" && lab_quiet lab_drush "@$1" provision-install --client_email=admin@hub.test; }

# lab_get HOST SITE [PATH]: what a web server answers for a site.
lab_get() { curl -s --max-time 60 -H "Host: $2" "http://$1/${3:-}"; }

# lab_drop_in on|off: the wrappers of this repository, as they are now, in Aegir's ~/.drush.
lab_drop_in() {
    local to=/var/aegir/.drush/aegir_scale

    rm -rf $to
    if [ "$1" = on ]; then
        mkdir $to && tar -cC "$LAB_TOP/php" --exclude=./vendor . | tar -xC $to --no-same-owner && chmod -R a+rX $to || return
    fi
    lab_quiet lab_drush cc drush
}

# lab_control_master on|off: OpenSSH keeps its connections, as any admin can have it.
lab_control_master() {
    local config=/var/aegir/.ssh/config

    lab_run sh -c 'for socket in ~/.ssh/master-*; do [ ! -S "$socket" ] || ssh -o ControlPath="$socket" -O exit any; done' 2>/dev/null
    rm -f $config
    [ "$1" != on ] || printf '%s\n' 'Host *' 'ControlMaster auto' 'ControlPath ~/.ssh/master-%C' 'ControlPersist 300' | lab_run tee $config >/dev/null
}

# lab_naps on|off: sleep() is counted in $LAB_DIR/naps and not slept, and every start of PHP is counted there. See naps.php.
lab_naps() {
    local ini=/etc/php/$LAB_PHP/cli/conf.d/50-naps.ini

    rm -f "$ini"
    if [ "$1" = on ]; then
        cp "$LAB_LIB/naps.php" "$LAB_DIR" && : >"$LAB_DIR/naps" && chmod 666 "$LAB_DIR/naps" &&
            printf '%s\n' disable_functions=sleep "auto_prepend_file=$LAB_DIR/naps.php" >"$ini"
    fi
}

# --- counting ---------------------------------------------------------------------------------------------------------

# The next process number on the hub: the difference of two tells how many processes and threads were made between.
lab_processes() { lab_root sh -c 'echo $$'; }

# Sessions that the servers' sshds have let in.
lab_handshakes() { cat "$FLEET_DIR"/servers/*/log 2>/dev/null | grep -c '^Accepted '; }

# Every ssh and rsync since lab_forget, one per line: seconds of uptime, program, arguments. rsync's own ssh is not shown.
lab_calls() { grep -v ' rsync --server' "$LAB_DIR/calls"; }
lab_forget() { : >"$LAB_DIR/calls"; }

# lab_measure COMMAND...: leaves LAB_RSYNC, LAB_SSH, LAB_HANDSHAKES, LAB_PROCESSES, LAB_SECONDS and LAB_CPU (of the hub, in seconds) of it,
# and its status.
lab_measure() {
    local processes handshakes status user system TIMEFORMAT='%R %U %S'

    lab_forget
    processes=$(lab_processes) handshakes=$(lab_handshakes)
    { time "$@" 2>&3; } 3>&2 2>"$LAB_DIR/time"
    status=$?
    read -r LAB_SECONDS user system <"$LAB_DIR/time"
    LAB_CPU=$(awk "BEGIN { printf \"%.3f\", $user + $system }")
    LAB_HANDSHAKES=$(($(lab_handshakes) - handshakes))
    LAB_PROCESSES=$(($(lab_processes) - processes - 1))
    LAB_RSYNC=$(lab_calls | grep -c '^[0-9.]* rsync ')
    LAB_SSH=$(lab_calls | grep -c '^[0-9.]* ssh ')
    return $status
}

lab_stop() {
    kill -KILL "$(<"$LAB_DIR/hub")" 2>/dev/null
    [ ! -e "$LAB_DIR/db.pid" ] || { kill "$(<"$LAB_DIR/db.pid")"; while kill -0 "$(<"$LAB_DIR/db.pid")"; do sleep 0.05; done; } 2>/dev/null
    fleet_stop
}
