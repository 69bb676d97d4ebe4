# One move in nginx's configuration: test it in a copy, put it in place, signal nginx.
# Needs a POSIX shell, coreutils or busybox, and nginx.
#
# Arguments: ROOT RUN OWNER REVOKED CLEAR TEST RELOAD ADOPTED CONF PREFIX READ, then five for each operation: KIND PATH TEXT KEEP
# INSTEAD. TEST is yes, no, or only, which changes nothing.
# Kinds: first, write, remove (a file or a folder), line (TEXT goes to the end, the last KEEP lines stay; it comes in
# the place of those that have INSTEAD in them).
# Ends with 10 when nginx refuses the candidate, 11 when something else failed before anything was changed,
# 12 when some of it may be changed, 13 when nginx took no signal, 14 when a later run took over.
#
# An nginx that is ADOPTED has a configuration of its own, in which ours is a part: there is no copy of it to test in. The
# files are put in place, tested there, and put back when nginx refuses them, or does not read those of READ (one a line):
# then it ends with 15. CONF and PREFIX are what that nginx itself was started with (-c, -p).

root=$1 run=$2 owner=$3 revoked=$4 clear=$5 test=$6 reload=$7 adopted=$8 conf=$9
shift 9
prefix=$1 read=$2
shift 2
try=$root/.try-$run
umask 022

end() { # CODE [TEXT]
    rm -rf "$try" "$root"/.*.bg-???-"$run" "$root"/sites/.*.bg-???-"$run" "$root"/sites/*/.*.bg-???-"$run"
    [ -z "$2" ] || printf '%s\n' "$2"
    exit "$1"
}

each() { # KIND FUNCTION OPERATIONS…: calls FUNCTION PATH TEXT KEEP INSTEAD
    kind=$1 call=$2
    shift 2
    while [ $# -gt 0 ]; do
        if [ "$1" = "$kind" ]; then
            "$call" "$2" "$3" "$4" "$5" || return
        fi
        shift 5
    done
}

nl='
'
# A later run begins by removing this one's folder; one that breaks its owner's lock writes the owner into a file, one a line:
# whoever has lost the folder, or stands in the file, changes nothing more.
ours() {
    if [ ! -d "$try" ] || revoked; then
        end 14
    fi
}

revoked() {
    [ -n "$revoked" ] && [ -f "$root/$revoked" ] || return
    case $nl$(cat "$root/$revoked")$nl in
    *"$nl$owner$nl"*) return 0 ;;
    esac
    return 1
}

# What stands in the copy may be anything that somebody made of a file of ours: a link would lead out of the copy.
try_write() {
    ours
    file=$try/$1
    [ ! -L "${file%/*}" ] || rm -f "${file%/*}"
    rm -rf "$file"
    mkdir -p "${file%/*}" && printf %s "$2" >"$file"
}

try_remove() {
    rm -rf "$try/$1"
}

locate() { # PATH: sets $file, and beside it, by names that no mask for sites matches, $tmp and $old
    file=$root/$1
    tmp=${file%/*}/.${file##*/}.bg-tmp-$run
    old=${file%/*}/.${file##*/}.bg-old-$run
}

# Says whether a file, and no link, says just that. (The dot saves the last newlines; zero bytes, as a power cut leaves
# them, show in the length only.)
says() { # FILE TEXT
    [ -f "$1" ] && [ ! -L "$1" ] && [ "$(cat "$1" && echo .)" = "$2." ] && [ "$(wc -c <"$1")" -eq "$(printf %s "$2" | wc -c)" ]
}

# Lays the text beside the file, unless the file says the same already.
lay() {
    ours
    locate "$1"
    says "$file" "$2" && return
    mkdir -p "${file%/*}" && printf %s "$2" >"$tmp" && sync "$tmp"
}

place() {
    locate "$1"
    ours
    [ -e "$tmp" ] || return 0
    rename
}

# Puts the file that was laid in its place. Of a folder there, it would become a part.
rename() {
    [ ! -d "$file" ] || rm -rf "$file"
    mv -f "$tmp" "$file"
}

remove() {
    ours
    rm -rf "$root/$1"
}

# Keeps a file under a second name, for when it has to be put back.
keep() {
    locate "$1"
    [ ! -f "$file" ] || ln -f "$file" "$old"
}

# Puts a file that was written back, unless somebody else has changed it since.
unwrite() {
    locate "$1"
    says "$file" "$2" || return 0
    if [ -f "$old" ]; then mv -f "$old" "$file"; else rm -f "$file"; fi
}

unremove() {
    locate "$1"
    [ ! -f "$old" ] || [ -e "$file" ] || mv -f "$old" "$file"
}

# Puts all back, what nginx reads first.
put_back() {
    each remove unremove "$@" && each write unwrite "$@" && each first unwrite "$@"
}

# Calls nginx with what it was started with itself.
as_started() {
    [ -z "$conf" ] || set -- "$@" -c "$conf"
    [ -z "$prefix" ] || set -- "$@" -p "$prefix"
    nginx "$@" 2>&1
}

# Prints those of the files that have to be read which are not among what nginx says that it reads.
unread() { # DUMP
    printf '%s\n' "$read" | while IFS= read -r path; do
        case $nl$1$nl in
        *"$nl# configuration file $root/$path:$nl"*) ;;
        *) [ -z "$path" ] || printf '%s\n' "$root/$path" ;;
        esac
    done
}

# The last line has no end: somebody else wrote into the file.
torn() {
    [ -s "$1" ] && [ -n "$(tail -c 1 "$1")" ]
}

# Prints what stays of the file before a new line that comes in the place of those with $2 in them. Reading line by line is
# slow in a shell: it is done only when there is such a line above the last.
kept() {
    [ -f "$1" ] || return 0
    [ -n "$2" ] || { cat "$1" && return; }
    case $(head -n -1 "$1") in
    *"$2"*)
        while IFS= read -r line || [ -n "$line" ]; do
            case $line in *"$2"*) ;; *) printf '%s\n' "$line" ;; esac
        done <"$1"
        return
        ;;
    esac
    case $(tail -n 1 "$1") in
    *"$2"*) head -n -1 "$1" ;;
    *) cat "$1" ;;
    esac
}

append() {
    locate "$1"
    ours
    mkdir -p "${file%/*}" || return
    { kept "$file" "$4"; torn "$file" && echo; printf '%s\n' "$2"; } | tail -n "$3" >"$tmp" &&
        sync "$tmp" && rename
}

# Says when the disk is full: not every shell's printf does.
full() {
    # shellcheck disable=SC2046 # columns
    set -- $(df -Pk "$root" | tail -n 1)
    [ "${4:-64}" -ge 64 ] || printf "No space left on device where nginx's volume lies: %s KiB free" "$4"
}

command -v nginx >/dev/null || exit 127
revoked && exit 14 # before anything of a later run is cleared
if [ "$clear" = yes ]; then
    rm -rf "$root"/.try-* "$root"/.*.bg-???-* "$root"/sites/.*.bg-???-* "$root"/sites/*/.*.bg-???-*
fi
mkdir -p "$root/sites" "$try" || end 11 "$(full)"

if [ "$test" != no ] && [ "$adopted" = no ]; then
    for part in nginx.conf sites; do
        [ ! -e "$root/$part" ] || cp -R "$root/$part" "$try/" || end 11 "$(full)"
    done
    each write try_write "$@" && each remove try_remove "$@" || end 11 "$(full)"
    refusal=$(nginx -t -q -c "$try/nginx.conf" 2>&1) || end 10 "$refusal"
    [ "$test" = yes ] || end 0
fi

# All texts lie on the disk before the first rename: a full disk changes nothing.
each first lay "$@" && each write lay "$@" || end 11 "$(full)"
if [ "$adopted" = yes ] && [ "$test" = yes ]; then
    each first keep "$@" && each write keep "$@" && each remove keep "$@" || end 11 "$(full)"
fi
each first place "$@" && each write place "$@" && each remove remove "$@" || end 12 "$(full)"
if [ "$adopted" = yes ] && [ "$test" = yes ]; then
    code=0
    said=$(as_started -T) || code=10
    if [ $code = 0 ]; then
        said=$(unread "$said")
        [ -z "$said" ] || code=15
    fi
    if [ $code != 0 ]; then
        put_back "$@" || code=12
        end $code "$said"
    fi
fi
each line append "$@" || end 12 "$(full)"

if [ "$reload" = yes ]; then
    ours
    refusal=$(as_started -s reload) || end 13 "$refusal"
fi
end 0
