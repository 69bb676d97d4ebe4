#!/bin/sh
# Prints the reference of the nginx image to use, and makes sure that the engine has it: the official image
# where a registry answers, else one built from Debian's packages. Messages go to stderr.
#   scripts/nginx-image.sh         $BLUEGREEN_NGINX_IMAGE when set; else nginx:1.30-alpine, or
#                                  bluegreen/nginx:1.30-debian2 built here
#   scripts/nginx-image.sh --old   bluegreen/nginx:1.22-debian2, too old for keepalive_min_timeout (for tests)
set -eu
cd "$(dirname "$0")/.."

official=nginx:1.30-alpine
# With dialer a connection is made from inside the container: nc, as in the official Alpine images, or bash, as in Debian's.
suite=forky image=bluegreen/nginx:1.30-debian2 dialer=busybox

say() { echo "nginx-image: $*" >&2; }
have() { docker image inspect "$1" >/dev/null 2>&1; }
found() { echo "$1" && exit 0; }

case "${1-}" in
--old) suite=bookworm image=bluegreen/nginx:1.22-debian2 dialer=bash official= ;;
'') ;;
*) say "unknown argument $1" && exit 2 ;;
esac

# What maintainer scripts would make, and nothing to run perl with.
finish='mkdir -p var/log/nginx var/lib/nginx
[ ! -e bin/busybox ] || ln -s busybox bin/nc
rm -rf usr/share/perl usr/share/perl5 usr/lib/*/perl-base'

build() {
	say "building $image from Debian $suite"
	temp=$(mktemp -d)
	trap 'rm -rf "$temp"' EXIT
	scripts/debian-tree.sh "$suite" "base-files,nginx,dash,coreutils,libc-bin,$dialer" "$temp/root.tar" "$finish" || {
		say "there is no other way without a registry that has ${official:-the image}"
		exit 1
	}
	docker import -c 'ENTRYPOINT ["nginx"]' -c 'LABEL bluegreen.image=nginx' "$temp/root.tar" "$image" >/dev/null
}

if [ -n "$official" ] && [ -n "${BLUEGREEN_NGINX_IMAGE-}" ]; then
	have "$BLUEGREEN_NGINX_IMAGE" || docker pull -q "$BLUEGREEN_NGINX_IMAGE" >&2
	found "$BLUEGREEN_NGINX_IMAGE"
fi

if [ -n "$official" ]; then
	have "$official" && found "$official"
	have "$image" && found "$image"
	say "pulling $official"
	timeout 20 docker pull -q "$official" >&2 && found "$official"
	say "no registry answers in time: using Debian's own package"
fi
have "$image" || build
say "$(docker run --rm --network none "$image" -v 2>&1)"
found "$image"
