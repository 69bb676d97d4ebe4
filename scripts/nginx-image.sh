#!/bin/sh
# Prints the reference of the nginx image to use, and makes sure that the engine has it: the official image
# where a registry answers, else one built from Debian's packages. Messages go to stderr.
#   scripts/nginx-image.sh         $BLUEGREEN_NGINX_IMAGE when set; else nginx:1.30-alpine, or
#                                  bluegreen/nginx:1.30-debian2 built here
#   scripts/nginx-image.sh --old   bluegreen/nginx:1.22-debian2, too old for keepalive_min_timeout (for tests)
set -eu

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

# The mirror this machine uses itself; empty for mmdebstrap's own choice.
mirror() {
	[ "$ID" = debian ] || return 0
	cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null |
		sed -nE 's/^URIs:[[:space:]]*([^[:space:]]+).*/\1/p
			s/^deb[[:space:]]+(\[[^]]*\][[:space:]]*)?([^[:space:]]+).*/\2/p' | head -n 1
}

install_mmdebstrap() {
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		say "needs mmdebstrap (on Debian and Ubuntu: sudo apt-get install mmdebstrap debian-archive-keyring),"
		say "or a registry that has ${official:-the image}"
		exit 1
	fi
	say "installing mmdebstrap"
	apt-get update -qq >&2
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap debian-archive-keyring >&2
}

# Writes a script that finishes the tree, whose packages are only unpacked: accounts, the folders that
# maintainer scripts would make, and nothing to read or to run perl with.
write_finish() {
	cat >"$1" <<-'END'
		#!/bin/sh
		set -eu
		cd "$1"
		printf 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n' >etc/passwd
		printf 'root:x:0:\nadm:x:4:\nwww-data:x:33:\nnogroup:x:65534:\n' >etc/group
		mkdir -p run tmp var/log/nginx var/lib/nginx
		[ -e bin/sh ] || ln -s dash bin/sh
		[ ! -e bin/busybox ] || ln -s busybox bin/nc
		cd usr/share
		rm -rf doc info man locale lintian perl perl5 ../lib/*/perl-base
	END
	chmod +x "$1"
}

build() {
	command -v mmdebstrap >/dev/null || install_mmdebstrap
	say "building $image from Debian $suite"
	packages=base-files,nginx,dash,coreutils,libc-bin,$dialer
	temp=$(mktemp -d)
	trap 'rm -rf "$temp"' EXIT
	chmod 755 "$temp" # mmdebstrap may run its hooks as another user
	write_finish "$temp/finish"
	# shellcheck disable=SC2046 # no mirror is no argument
	mmdebstrap --quiet --variant=extract --include="$packages" \
		--aptopt='Acquire::Check-Valid-Until "false"' --extract-hook="$temp/finish" \
		"$suite" "$temp/root.tar" $(mirror) >&2
	docker import -c 'ENTRYPOINT ["nginx"]' -c 'LABEL bluegreen.image=nginx' "$temp/root.tar" "$image" >/dev/null
}

if [ -n "$official" ] && [ -n "${BLUEGREEN_NGINX_IMAGE-}" ]; then
	have "$BLUEGREEN_NGINX_IMAGE" || docker pull -q "$BLUEGREEN_NGINX_IMAGE" >&2
	found "$BLUEGREEN_NGINX_IMAGE"
fi

ID=
# shellcheck disable=SC1091
[ ! -e /etc/os-release ] || . /etc/os-release

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
