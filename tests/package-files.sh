#!/bin/sh
# Checks what is written down in more than one place: the files of package.xml and config.m4, versions, licence and PHP.
# With --write it brings the two lists of files up to date.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

say() {
    echo "not ok package - $1"
    status=1
}

same() {
    [ "$2" = "$3" ] || say "$1: \"$2\" in $4, but \"$3\" in $5"
}

# A file and its role a line; what a release archive leaves out is left out here too.
git ls-files | git check-attr --stdin export-ignore | awk -F': ' '$3 != "set" { print $1 }' | while read -r file; do
    [ -z "$(git check-attr export-ignore -- "${file%%/*}" | grep ': set$')" ] || continue
    case $file in
        *.md | LICENSE) role=doc ;;
        tests/*) role=test ;;
        php/*) role=data ;;
        *) role=src ;;
    esac
    printf '   <file name="%s" role="%s" />\n' "$(printf '%s' "$file" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/"/\&quot;/g')" $role
done >"$work/want"
grep '^   <file ' package.xml >"$work/have" || true
ls ext/*.c ext/*/*.c | LC_ALL=C sort >"$work/sources"
sed -n 's/^ *\(ext\/[a-z0-9_\/]*\.c\)$/\1/p' config.m4 >"$work/listed"

if [ "${1:-}" = --write ]; then
    awk -v list="$work/want" '
        /^   <file / { next }
        { print }
        /^  <dir name="\/">/ { while ((getline line < list) > 0) print line }' package.xml >"$work/package.xml"
    cp "$work/package.xml" package.xml
    awk -v list="$work/sources" '
        /^ *ext\/[a-z0-9_\/]*\.c$/ { next }
        { print }
        /m4_normalize\(\["$/ { while ((getline line < list) > 0) print "    " line }' config.m4 >"$work/config.m4"
    cmp -s "$work/config.m4" config.m4 || cp "$work/config.m4" config.m4
    exit 0
fi

diff "$work/have" "$work/want" >"$work/diff" ||
    { say 'the files of package.xml are not those of git: run tests/package-files.sh --write'; head -n 20 "$work/diff"; }

diff "$work/listed" "$work/sources" >"$work/diff" || { say 'the sources of config.m4 are not those of ext/'; cat "$work/diff"; }

value() {
    sed -n "s/.*$1.*/\\1/p" "$2" | head -n 1
}

header=$(value 'PHP_AEGIR_SCALE_VERSION "\([^"]*\)"' ext/php_aegir_scale.h)
same version "$header" "$(value '<release>\([0-9][^<]*\)<\/release>' package.xml)" php_aegir_scale.h package.xml
same version "${header%.*}.x-dev" "$(value '"dev-main": "\([^"]*\)"' composer.json)" php_aegir_scale.h composer.json
same licence "$(value '<license[^>]*>\([^<]*\)<' package.xml)" "$(value '"license": "\([^"]*\)"' composer.json)" package.xml composer.json
same licence "$(head -n 1 LICENSE)" "$(value '"license": "\([^"]*\)"' composer.json) License" LICENSE composer.json
same PHP ">=$(value '<min>\(8\.[0-9]*\)\.0<' package.xml)" "$(value '"php": "\([^"]*\)"' composer.json)" package.xml composer.json
[ $status -ne 0 ] || echo 'ok package'
exit $status
