# What the wrapper does to the uploads of a site whose two directories are links into a shared one; here and on the servers alike.
#
#   sh -c "$script" sh VERB WHO ...
#
#   check WHO TOKEN SECRET SITE HOME   is the share the same one as that of the machine that wrote TOKEN? "ok", or "todo" when fold has work
#   fold WHO SITE HOME                 makes SITE/files and SITE/private links to HOME/files and HOME/private; what was in them goes there
#   replace WHO SITE HOME              before it: what is in HOME is put aside instead of merged, as a backup is restored
#   unreplace WHO HOME                 puts it back
#   forget WHO HOME                    removes what replace put aside
#   absorb WHO OLD HOME                what is in OLD goes to HOME, and OLD away
#   remove WHO HOME
#
# SITE is sites/URI of a Drupal root, HOME a directory of the share that belongs to this site alone. WHO is this machine's name. Nothing is
# deleted that is not in HOME, byte by byte. Of files with one name the newest wins, and the other is kept as NAME.WHO-CONFLICT. Every line of
# output begins with a word: ok, todo, made HOME, merged N, conflict PATH, kept PATH.

set -u
LC_ALL=C
export LC_ALL
verb=$1 who=$2
shift 2

die() { echo "$*" >&2; exit 1; }

# Both trees may be written by web servers, and so by whoever owns one: a directory may become a link while we look. So each directory is held
# by a descriptor or as the working directory, and looked at before anything in it is touched; a name in it is never followed.
#
# One pair of directories: $1 what to do, $2 WHO, $3 FROM and $4 TO, both of which lead through no link; then names of directories of FROM, outer ones first.
# shellcheck disable=SC2016
in_pairs='
	what=$1 who=$2 from=$3 to=$4
	shift 4
	step=$in_pair
	for dir do
		dir=${dir#./}
		[ "$dir" = . ] && dir= || dir=/$dir
		exec 3<"$from$dir" || exit 1
		[ "$(readlink /proc/$$/fd/3)" = "$from$dir" ] || continue
		if [ "$dir" != "" ]; then
			name=${dir##*/}
			cd -P -- "$to${dir%/*}" 2>/dev/null && [ "$(pwd -P)" = "$to${dir%/*}" ] || continue
			if [ ! -e "./$name" ] && [ ! -L "./$name" ] && [ "$what" = merge ]; then
				mkdir -m 700 -- "./$name" || exit 1
				new=1
			else
				new=
			fi
		else
			name=. new=
			cd -P -- "$to" || exit 1
		fi
		[ -d "./$name" ] && [ ! -L "./$name" ] && cd -P -- "./$name" && [ "$(pwd -P)" = "$to$dir" ] || continue
		if [ -n "$new" ]; then
			chgrp --reference=/proc/self/fd/3/. . 2>/dev/null
			chmod --reference=/proc/self/fd/3/. . || exit 1
		fi
		find /proc/self/fd/3/ -maxdepth 1 -type f ! -name ".aegir-scale.*" $find_more -exec sh -c "$step" sh "$what" "$who" "$to$dir" {} + || exit 1
	done'

# The files of such a pair: FROM is descriptor 3, TO the working directory and $3 its name.
# shellcheck disable=SC2016
in_pair='
	what=$1 who=$2 here=$3
	shift 3
	copy() {        # whole or not at all
		part=./.aegir-scale.$who.$$
		cp -pP --remove-destination -- "$1" "$part" && { chgrp -h --reference="$1" -- "$part" 2>/dev/null; cmp -s -- "$1" "$part"; } &&
			mv -fT -- "$part" "$2" || { rm -f -- "$part"; return 1; }
	}
	beside() {      # the name for a loser, unless it is there already
		n=
		while [ -e "$2.$3-CONFLICT$n" ] || [ -L "$2.$3-CONFLICT$n" ]; do
			cmp -s -- "$1" "$2.$3-CONFLICT$n" && return
			n=${n:--1}
			n=-$((${n#-} + 1))
		done
		copy "$1" "$2.$3-CONFLICT$n" && echo "conflict $here/${2#./}.$3-CONFLICT$n"
	}
	is_here() {
		[ ! -L "$2" ] && [ -f "$2" ] && cmp -s -- "$1" "$2"
	}
	for old do
		new=./${old##*/}
		if [ "$what" = clear ]; then
			for other in "$new" "$new".*-CONFLICT*; do
				if is_here "$old" "$other"; then rm -f -- "$old"; break; fi
			done
		elif [ ! -e "$new" ] && [ ! -L "$new" ]; then
			copy "$old" "$new" && echo copied
		elif [ -L "$new" ] || [ ! -f "$new" ] || cmp -s -- "$old" "$new"; then
			:
		elif [ "$old" -nt "$new" ]; then
			beside "$new" "$new" shared && copy "$old" "$new"
		else
			beside "$old" "$new" "$who"
		fi || exit 1
	done'

pairs() {
	from=$2 to=$3
	[ "$(readlink -e -- "$from")" = "$from" ] && [ "$(readlink -e -- "$to")" = "$to" ] && cd -- "$from" || return 1
	# find would take the braces in a script that is an argument for its own.
	in_pairs=$in_pairs in_pair=$in_pair find_more=${4-} find . -type d -exec sh -c 'eval "$in_pairs"' sh "$1" "$who" "$from" "$to" {} +
}

# What is in $1 and not in $2 goes there.
merge() {
	(pairs merge "$1" "$2") >"$work/out" || die "files of $1 could not be copied to $2"
	grep '^conflict ' "$work/out"
	echo "merged $(grep -c '^copied' "$work/out")"
}

# Removes of $1 what is in $2, and then the directories that are empty. A file of the last minute may still be written to: the next run
# looks after it.
clear_out() {
	age='-mmin +1'
	[ "$who" != hub ] || age=
	(pairs clear "$1" "$2" "$age")
	find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
	[ ! -e "$1" ] || [ -z "$(find "$1" ! -type d ! \( -type f -mmin -1 \))" ] || echo "kept $1"
}

begin() {
	work=$(mktemp -d) || die 'no temporary directory could be made'
	trap 'rm -rf "$work"' EXIT
	trap 'exit 143' TERM
	trap 'exit 130' INT
}

make_home() {
	[ ! -L "$1" ] || die "$1 is a link; want a directory"
	[ -d "$1" ] || { mkdir -m 755 -- "$1" && echo "made $1"; } || die "$1 could not be made"
	[ -O "$1" ] || die "$1 belongs to $(stat -c %U -- "$1"), want $(id -un)"
	enter_home "$1"
}

# From here on HOME is the working directory, and $real its path: what stands in the share under its name later leads us nowhere.
enter_home() {
	home=$1 real=$(real_of "$1") || die "${1%/*} is missing"
	cd -P -- "$1" && [ "$(pwd -P)" = "$real" ] || die "$1 is a link, or is missing; want a directory"
	for name in files private; do
		[ ! -L "./$name" ] || die "$1/$name is a link; want a directory"
	done
}

# A path with no link in it, but for its last name.
real_of() {
	above=$(cd -P -- "${1%/*}/" && pwd -P) && echo "${above%/}/${1##*/}"
}

# True when SITE/NAME is the link it should be.
is_linked() {
	[ -L "$1" ] || return 1
	[ "$(readlink -- "$1")" = "$2" ] || die "$1 is a link to $(readlink -- "$1"); want a directory, or a link to $2"
}

fold_one() {
	link=$(real_of "$1/$2") && want=./$2 aside=$(real_of "$1").$2.before-shared || die "$1 is missing"
	if ! is_linked "$link" "$home/$2"; then
		[ ! -e "$link" ] || [ -d "$link" ] || die "$link is no directory"
		if [ -d "$link" ] && [ ! -e "$want" ] && [ "$(stat -c %d -- "$link")" = "$(stat -c %d .)" ] && [ "$who" = hub ]; then
			mv -T -- "$link" "$want" || die "$link could not be moved to $home/$2"
		fi
		[ -d "$want" ] || make_like "$link" "$2"
		if [ -d "$link" ]; then
			# What an interrupted run put aside is older than what is here.
			[ ! -d "$aside" ] || { merge "$aside" "$real/$2" && clear_out "$aside" "$real/$2"; }
			[ ! -e "$aside" ] || die "$aside is in the way: look what it holds, and remove it"
			merge "$link" "$real/$2"
			mv -T -- "$link" "$aside" || die "$link could not be moved out of the way"
			# Web servers know that SITE/private is nothing to show, and not this.
			chmod 700 -- "$aside"
		fi
		ln -s -- "$home/$2" "$link" || die "the link $link could not be made"
	fi
	[ -d "$want" ] || mkdir -m 2775 -- "$want" || die "$home/$2 could not be made"
	# What was written while we copied.
	[ ! -d "$aside" ] || { merge "$aside" "$real/$2" && clear_out "$aside" "$real/$2"; }
}

# The directory $2 of HOME, with group and mode of $1 if that is there.
make_like() {
	mkdir -m 2775 -- "./$2" || die "$home/$2 could not be made"
	[ ! -d "$1" ] || (
		cd -P -- "./$2" && [ "$(pwd -P)" = "$real/$2" ] || exit
		chgrp --reference="$1" . 2>/dev/null
		chmod --reference="$1" .
	)
}

# Fold brings what was restored.
put_aside() {
	link=$1/$2 want=./$2 aside=./.$2.before-restore
	is_linked "$link" "$home/$2" && return
	[ -d "$link" ] || return 0
	[ ! -e "$aside" ] || die "$home/.$2.before-restore is in the way: a restore ended in the middle. Look whether it or $home/$2 holds the uploads, and remove the other"
	[ ! -e "$want" ] || mv -T -- "$want" "$aside" || die "$home/$2 could not be put aside"
}

case $verb in
check)
	[ "$(cat -- "$1" 2>/dev/null)" = "$2" ] || die "${1%/*} is not the directory that it is on the hub: is it mounted?"
	[ -w "${1%/*}" ] || die "${1%/*} cannot be written"
	site=$3 home=$4
	for name in files private; do
		if ! is_linked "$site/$name" "$home/$name" || [ ! -d "$home/$name" ] || [ -e "$site.$name.before-shared" ]; then
			echo todo
			exit 0
		fi
	done
	echo ok ;;
fold)
	begin
	site=$1
	mkdir -p -- "$site" || die "$site could not be made"
	make_home "$2"
	for name in files private; do
		fold_one "$site" "$name"
	done
	echo ok ;;
replace)
	site=$1
	make_home "$2"
	for name in files private; do
		put_aside "$site" "$name"
	done
	echo ok ;;
unreplace)
	enter_home "$1"
	for name in files private; do
		aside=./.$name.before-restore
		[ ! -d "$aside" ] || { rm -rf -- "./.$name.restored" && { [ ! -e "./$name" ] || mv -T -- "./$name" "./.$name.restored"; } &&
			mv -T -- "$aside" "./$name"; } || die "$home/.$name.before-restore could not be put back"
		rm -rf -- "./.$name.restored"
	done
	echo ok ;;
forget)
	enter_home "$1"
	rm -rf -- ./.files.before-restore ./.private.before-restore && echo ok ;;
absorb)
	begin
	old=$(real_of "$1") || die "${1%/*} is missing"
	enter_home "$2"
	for name in files private; do
		[ -d "$old/$name" ] && [ ! -L "$old/$name" ] || continue
		[ -d "./$name" ] || make_like "$old/$name" "$name"
		merge "$old/$name" "$real/$name"
		clear_out "$old/$name" "$real/$name"
	done
	rmdir -- "$old" 2>/dev/null
	echo ok ;;
remove)
	gone=${1%/*}/.removed.${1##*/}.$$
	[ -d "$1" ] && [ ! -L "$1" ] || exit 0
	mv -T -- "$1" "$gone" && rm -rf -- "$gone" && echo ok ;;
*)
	die "no such verb: $verb" ;;
esac
