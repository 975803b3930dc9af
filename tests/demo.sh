#!/bin/bash
# Shows aegir_scale at work: three throw-away servers on this machine, a real application, three pushes. tests/demo.sh
# It takes about a minute, leaves nothing behind, and can be interrupted at any time.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/.." && pwd)
. "$here/lib/fleet.sh"

if [ -z "${FLEET_MODE:-}" ]; then
    . "$here/setup.sh"
    echo '== Building the extension, and fetching a real application (Debian'\''s package mediawiki)'
    setup_packages || exit
    [ -n "${AEGIR_SCALE_MODULE:-}" ] || bash "$here/build-ext.sh" || exit
    setup_unpack mediawiki "$top/build/trees/mediawiki" || exit
fi
fleet_enter "$0" "$@"

work=$FLEET_DIR/demo
module=${AEGIR_SCALE_MODULE:-$top/build/ext/modules/aegir_scale.so}
hub=/var/aegir
fleet_has_namespaces || hub=$FLEET_DIR/hub
tree=$hub/platforms/mediawiki-1.39
fail=0
mkdir -p "$work" "$(dirname "$tree")"

title() { printf '\n== %s\n' "$*"; }
wrong() { echo "!! $*"; fail=1; }

# One push by the command line, its report as JSON in $work/NAME.json; progress goes to the terminal.
push() {
    local name=$1 status
    echo "\$ aegir-scale sync --topology=topology.yml live $tree"
    "$php" -n "${extensions[@]}" -d "extension=$module" "$top/php/bin/aegir-scale" sync --topology="$work/topology.yml" --format=json live "$tree" >"$work/$name.json"
    status=$?
    table "$name"
    return $status
}

table() {
    "$php" -n -r '
        $push = json_decode(file_get_contents($argv[1]), true);
        if (!$push) { exit("no report\n"); }
        $row = "  %-6s  %-10s  %-9s  %7s  %8s  %11s  %s\n";
        printf($row, "server", "outcome", "came to", "seconds", "files", "bytes sent", "");
        foreach ($push["servers"] as $s) {
            printf($row, $s["server"], $s["outcome"], $s["phase"], number_format($s["seconds"], 2), number_format($s["files"]), number_format($s["bytesSent"]), $s["error"] ?? "");
        }
        printf("  the source has %s entries and %s bytes; %s; %.2f s in all\n", number_format($push["files"]), number_format($push["bytes"]),
            $push["committed"] ? "the servers were released to switch" : "no server was released to switch", $push["seconds"]);
    ' "$work/$1.json"
}

# Nothing is left for stock rsync to do.
confirm() {
    local name left
    for name in "$@"; do
        left=$(fleet_rsync "$name" -n -aR --no-implied-dirs --delete --itemize-changes "$tree" | wc -l)
        if [ "$left" = 0 ]; then echo "  $name: rsync -n --delete finds nothing to do"; else wrong "$name: rsync would still change $left entries"; fi
    done
}

release_on() { cat "$(fleet_path "$1" "$tree")/RELEASE" 2>/dev/null; }

change() {
    echo "$1" >"$tree/RELEASE"
}

php=$(command -v php)
extensions=()
for word in mbstring; do
    [ ! -e "$(php-config --extension-dir)/$word.so" ] || extensions+=(-d "extension=$word")
done

title 'Starting three servers: stock sshd and rsync, each with its own address, file system and host key'
fleet_start 3 || exit
fleet_topology "$work/topology.yml"
sed 's/^/  /' "$work/topology.yml"
cp -a "$top/build/trees/mediawiki" "$tree"
change 'release 1'
echo "  the application: $(find "$tree" -type f | wc -l) files, $(find "$tree" -type d | wc -l) directories, $(du -sh --apparent-size "$tree" | cut -f1)"

title 'First push: everything, to all three at once'
push first || { wrong 'the first push failed'; exit 1; }
confirm web1 web2 web3

title 'Second push: a few files changed, one added, one removed'
change 'release 2'
find "$tree" -name '*.php' -type f | sort | head -n 5 | while read -r file; do echo '// changed' >>"$file"; done
echo new >"$tree/new-file"
rm "$(find "$tree" -name '*.css' -type f | sort | head -n 1)"
push second || wrong 'the second push failed'
confirm web1 web2 web3

title 'Third push: every PHP file changed, and web2 dies in the middle of it'
change 'release 3'
find "$tree" -name '*.php' -type f -print0 | xargs -0 sed -i '1s/^<?php/<?php \/* release 3 *\//'
staged() { find "$(fleet_path web2 "$tree")" -path '*/.~tmp~/*' -type f 2>/dev/null | head -n 200 | wc -l; }
(
    for ((try = 0; try < 2000; try++)); do
        if [ "$(staged)" -ge 200 ]; then
            fleet_kill web2
            echo killed >"$work/killed"
            exit
        fi
        sleep 0.02
    done
) &
watcher=$!
push third && wrong 'the third push should have failed'
kill $watcher 2>/dev/null
wait $watcher 2>/dev/null
[ -e "$work/killed" ] || wrong 'web2 was not killed in time'
for name in web1 web2 web3; do
    echo "  $name serves: $(release_on $name)"
    [ "$(release_on $name)" = 'release 2' ] || wrong "$name should serve release 2 still"
done

title 'web2 is back, the same push again'
fleet_revive web2
push fourth || wrong 'the fourth push failed'
confirm web1 web2 web3

title 'In all'
"$php" -n -r '
    $row = "  %-34s  %-6s  %-10s  %7s  %8s  %11s\n";
    printf($row, "push", "server", "outcome", "seconds", "files", "bytes sent");
    foreach (["first" => "everything", "second" => "a few files", "third" => "all PHP files, web2 killed", "fourth" => "the same, web2 back"] as $name => $what) {
        foreach (json_decode(file_get_contents("$argv[1]/$name.json"), true)["servers"] ?? [] as $s) {
            printf($row, $what, $s["server"], $s["outcome"], number_format($s["seconds"], 2), number_format($s["files"]), number_format($s["bytesSent"]));
            $what = "";
        }
    }' "$work"
[ $fail = 0 ] && echo 'All as it should be.' || echo 'Not all was as it should be, see the lines with !!'
exit $fail
