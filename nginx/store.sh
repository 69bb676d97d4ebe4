# Puts files of a site in their place, once they are what they should be.
# Needs a POSIX shell, coreutils or busybox, and nginx.
#
# Arguments: FOLDER RUN, then five for each file: NAME LENGTH SHA256 MODE SHARED. Each lies in the folder above FOLDER as
# .NAME.bg-tmp-RUN. A shared one is for the group of nginx's workers.
# Ends with 11 when nothing was changed, 12 when some files may be there.

folder=$1 run=$2
shift 2
umask 022
# What somebody made of the folder or of a file would lead elsewhere.
[ -d "$folder" ] && [ ! -L "$folder" ] || rm -rf "$folder"
mkdir -p "$folder" || exit 11

# The group of the workers: of those that run, else of the user that nginx was made for.
group() {
    for status in /proc/[0-9]*/status; do
        name='' uid='' gid=''
        while read -r key value _; do
            case $key in
            Name:) name=$value ;;
            Uid:) uid=$value ;;
            Gid:) gid=$value ;;
            esac
        done <"$status"
        if [ "$name" = nginx ] && [ "$uid" != 0 ]; then
            echo "$gid"
            return
        fi
    done 2>/dev/null
    made=nobody
    for word in $(nginx -V 2>&1); do
        case $word in --user=*) made=${word#--user=} ;; esac
    done
    id -g "$made"
}

check() { # NAME LENGTH SHA256 MODE SHARED
    tmp=${folder%/*}/.$1.bg-tmp-$run
    if [ "$(wc -c <"$tmp")" -ne "$2" ]; then
        echo "$1 did not arrive whole"
        exit 11
    fi
    sum=$(sha256sum "$tmp") || exit 11
    if [ "${sum%% *}" != "$3" ]; then
        echo "$1 did not arrive as it was sent"
        exit 11
    fi
    if [ "$5" = yes ]; then
        workers=$(group) && chgrp "$workers" "$tmp" || exit 11
    fi
    chmod "$4" "$tmp" && sync "$tmp" || exit 11
}

place() { # NAME …
    [ ! -d "$folder/$1" ] || rm -rf "$folder/$1"
    mv -f "${folder%/*}/.$1.bg-tmp-$run" "$folder/$1" || exit 12
}

each() {
    call=$1
    shift
    while [ $# -gt 0 ]; do
        "$call" "$1" "$2" "$3" "$4" "$5"
        shift 5
    done
}

each check "$@"
each place "$@"
