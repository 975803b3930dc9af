#!/bin/bash
# The first process of one server of the fleet, in its own namespaces: server.sh NAME NUMBER
# It gives the server its file system, its address and its sshd, and then only takes in orphans.

. "$(dirname "$0")/fleet.sh"

dir=$FLEET_DIR/servers/$1
hostname "$1"
fleet_private_var
mount --bind "$dir/aegir" /var/aegir
mount --bind "$dir/home" "$FLEET_DIR/home"

# The hub's side first, while /run/netns is the hub's.
ip link add eth0 type veth peer name "h$2" netns hub
ip netns exec hub ip link set "h$2" master br0 up
ip link set lo up
ip addr add "$(cat "$dir/address")/16" dev eth0
ip link set eth0 up

"$FLEET_SSHD" -f "$dir/sshd_config" -E "$dir/log"

# Without a child of its own, so that fleet_kill and fleet_freeze find only what a real server would run.
[ -p "$dir/never" ] || mkfifo "$dir/never"
exec 3<>"$dir/never"
while :; do read -r _ <&3; done
