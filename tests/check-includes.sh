#!/bin/bash
# The layers of ext/: who may include whom. ext/*.c -> scale -> rsync | ssh -> base, and nothing below ext/ sees PHP.

cd "$(dirname "$0")/.." || exit
status=0

say() { echo "not ok includes - $1"; status=1; }

# allowed FOLDER INCLUDE: may a file of the folder include it?
allowed() {
    case $1:$2 in
        base:base/*) ;;
        rsync:base/* | rsync:rsync/*) ;;
        ssh:base/* | ssh:ssh/*) ;;
        scale:base/* | scale:rsync/* | scale:ssh/* | scale:scale/*) ;;
        *) return 1 ;;
    esac
}

while IFS=: read -r file line text; do
    folder=${file#ext/}
    folder=${folder%%/*}
    name=$(sed -E 's/^[^"<]*["<]([^">]*)[">].*/\1/' <<<"$text")
    case $text in
        *'"'*) allowed "$folder" "$name" || say "$file:$line: $folder may not include \"$name\"" ;;
        *php.h* | *zend* | *'<Zend/'* | *'<main/'* | *SAPI.h*) say "$file:$line: the engine sees no header of PHP" ;;
        *'<libssh2'*)
            case $file in
                ext/ssh/session_libssh2.c | ext/ssh/channel_libssh2.c | ext/ssh/auth.c | ext/ssh/hostkey.c) ;;
                *) say "$file:$line: only session_libssh2, channel_libssh2, auth and hostkey of ext/ssh include libssh2" ;;
            esac ;;
    esac
done < <(grep -nE '^[[:space:]]*#[[:space:]]*include' ext/*/*.c ext/*/*.h)

# What must not be in the engine at all: it never prints, exits or asserts.
while IFS=: read -r file line text; do
    say "$file:$line: the engine does not print, exit or assert: $text"
done < <(grep -nE '(^|[^_[:alnum:]])(printf|puts|perror|exit|abort|assert)[[:space:]]*\(' ext/*/*.c | grep -vE '/[*]|^[^:]*:[0-9]+:[[:space:]]*[*]')

[ $status -ne 0 ] || echo 'ok includes'
exit $status
