#include "scale/release_private.h"

/*
 * What runs on a server: sh -c SCRIPT sh VERB PATH ID NONCE ROOT. All words are used as words, never as text of the script.
 * It is one line, as not every login shell takes a newline in a word. It ends with "end" on a line of its own, as an exit status of 0 alone
 * may be one that never came.
 */
#define BEGIN \
	"LC_ALL=C; export LC_ALL; umask 022; set -f; verb=$1; dir=$5$2; id=$3; nonce=$4; " \
	"say() { echo \"$*\" >&2; exit 1; }; " \
	"enter() { cd \"$dir/.releases\" || exit 1; }; " \
	"served() { if [ -e ../current ] && [ ! -L ../current ]; then say \"$dir/current is no symbolic link, want one to a release\"; fi; " \
	"cur=$(readlink ../current); cur=${cur#.releases/}; }; "

/* Directories of a site may be read-only. */
#define WIPE \
	"writable() { find \"$1\" -type d ! -perm -u+w -exec chmod u+w {} +; }; " \
	"wipe() { writable \"$1\" && rm -rf \"$1\" || exit 1; }; "

#define SHOW \
	"show() { [ -d \"$dir/.releases\" ] || return 0; enter; served; [ -z \"$cur\" ] || echo \"current $cur\"; " \
	"for n in $(ls -At); do case $n in " \
	".made.*) [ ! -d \"${n#.made.}\" ] || echo \"whole ${n#.made.}\";; " \
	".good.*) [ ! -d \"${n#.good.}\" ] || echo \"good ${n#.good.}\";; " \
	".begun.*) [ ! -d \".staging.${n#.begun.}\" ] || echo \"unfinished ${n#.begun.}\";; esac; done; }; "

#define PREPARE \
	"prepare() { if [ -L \"$dir\" ]; then say \"$dir is a symbolic link, want a directory that holds releases\"; fi; " \
	"if [ -e \"$dir\" ] && [ ! -d \"$dir/.releases\" ] && [ -n \"$(ls -A \"$dir\")\" ]; then " \
	"say \"$dir is a plain tree, not one of releases: move it away, and its uploads (sites/NAME/files and private) to the same names below" \
	" $dir/.releases/.shared\"; fi; " \
	"mkdir -p \"$dir/.releases\" || exit 1; enter; served; " \
	"if [ -d \"$id\" ]; then echo have; return; fi; " \
	": >\".begun.$id\" || exit 1; " \
	"if [ -d \".staging.$id\" ]; then writable \".staging.$id\"; find \".staging.$id\" ! -type d -links +1 -exec rm -f {} + || exit 1; " \
	"else mkdir \".staging.$id\" || exit 1; fi; " \
	"[ -d .shared ] || mkdir .shared || exit 1; }; "

/* A parent's mode and time stay as they were sent. */
#define FINISH \
	"link() { p=${2%/*}; [ -d \"$p\" ] || return 0; " \
	"if [ -L \"$2\" ] && [ \"$(readlink \"$2\")\" = \"$1\" ]; then return 0; fi; " \
	"if [ -e \"$2\" ] || [ -L \"$2\" ]; then say \"$dir/.releases/$2 is in the way of the link to the shared uploads\"; fi; " \
	"m=$(stat -c %a \"$p\") && t=$(stat -c %y \"$p\") && chmod u+w \"$p\" && ln -s \"$1\" \"$2\" && chmod \"$m\" \"$p\" && touch -d \"$t\" \"$p\"" \
	" || exit 1; }; " \
	"finish() { enter; base=.staging.$id; [ ! -d \"$id\" ] || base=$id; " \
	"while read -r how up path; do shared=.shared/$path; " \
	"if [ \"$how\" = make ]; then mkdir -p \"$shared\" || exit 1; fi; " \
	"[ ! -d \"$shared\" ] || link \"$up$shared\" \"$base/$path\"; done; " \
	"if [ \"$base\" != \"$id\" ]; then mv -T \"$base\" \"$id\" && : >\".made.$id\" && rm -f \".begun.$id\" || exit 1; fi; }; "

#define SWITCH \
	"check() { enter; served; [ -d \"$id\" ] || say \"there is no release $id in $dir\"; }; " \
	"switch() { check; if [ \"$cur\" = \"$id\" ]; then echo same; return; fi; " \
	"if [ -L ../current ]; then ln -s \"$(readlink ../current)\" \".before.$nonce\"; else : >\".before.$nonce\"; fi || exit 1; " \
	"ln -s \".releases/$id\" \".next.$nonce\" && mv -T \".next.$nonce\" ../current || exit 1; }; " \
	"back() { enter; b=.before.$nonce; if [ -L \"$b\" ]; then mv -T \"$b\" ../current || exit 1; " \
	"elif [ -f \"$b\" ]; then rm -f ../current \"$b\" || exit 1; fi; }; " \
	"mark() { enter; touch \".good.$id\" && rm -f \".before.$nonce\" || exit 1; }; "

/* Names have no spaces: others are none of ours and match nothing. */
#define PRUNE \
	"old() { { [ -e \"$1\" ] || [ -L \"$1\" ]; } && [ -n \"$(find \"$1\" -mmin +1440)\" ]; }; " \
	"prune() { [ -d \"$dir/.releases\" ] || return 0; enter; served; n=0; last=; kept=\" $cur \"; " \
	"for g in $(ls -At); do case $g in .good.*) g=${g#.good.};; *) continue;; esac; [ -d \"$g\" ] || continue; " \
	"if [ $n -lt \"$id\" ]; then kept=\"$kept$g \"; n=$((n+1)); fi; " \
	"if [ \"$g\" != \"$cur\" ] && [ -z \"$last\" ]; then last=$g; kept=\"$kept$g \"; fi; done; " \
	"for r in $(ls -A); do case $r in " \
	".begun.*) r=${r#.begun.}; old \".begun.$r\" || continue; [ ! -d \".staging.$r\" ] || wipe \".staging.$r\"; rm -f \".begun.$r\"; continue;; " \
	".before.*|.next.*) ! old \"$r\" || rm -f \"$r\"; continue;; .*) continue;; esac; " \
	"case $kept in *\" $r \"*) continue;; esac; [ -d \"$r\" ] && [ ! -L \"$r\" ] || continue; " \
	"[ -e \".good.$r\" ] || old \".made.$r\" || continue; " \
	"mv -T \"$r\" \".trash.$r.$nonce\" && rm -f \".made.$r\" \".good.$r\" || exit 1; echo \"removed $r\"; done; " \
	"for r in $(ls -A); do case $r in .trash.*) wipe \"$r\";; esac; done; }; "

#define END \
	"case $verb in prepare) prepare;; finish) finish;; check) check; show;; switch) switch;; back) back; show;; mark) mark; show;; " \
	"prune) prune; show;; list) show;; *) exit 2;; esac; echo end"

const char ags_release_script[] = BEGIN WIPE SHOW PREPARE FINISH SWITCH PRUNE END;
