#!/bin/sh
# Makes a file tree of Debian packages, for an image where no registry can be reached:
#   scripts/debian-tree.sh SUITE PACKAGES OUT.tar [COMMANDS]
# PACKAGES are separated by commas; what they depend on comes along. The packages are only unpacked: their maintainer
# scripts do not run, so what those would make (accounts, folders, the links of update-alternatives) is made here, or by
# COMMANDS, which sh runs in the tree. Messages go to stderr.
set -eu

suite=$1 packages=$2 out=$3 commands=${4-}

say() { echo "debian-tree: $*" >&2; }

ID=
# shellcheck disable=SC1091
[ ! -e /etc/os-release ] || . /etc/os-release

# The mirror this machine uses itself; empty for mmdebstrap's own choice.
mirror() {
	[ "$ID" = debian ] || return 0
	cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null |
		sed -nE 's/^URIs:[[:space:]]*([^[:space:]]+).*/\1/p
			s/^deb[[:space:]]+(\[[^]]*\][[:space:]]*)?([^[:space:]]+).*/\2/p' | head -n 1
}

install_mmdebstrap() {
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		say "needs mmdebstrap (on Debian and Ubuntu: sudo apt-get install mmdebstrap debian-archive-keyring)"
		exit 1
	fi
	say "installing mmdebstrap"
	apt-get update -qq >&2
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap debian-archive-keyring >&2
}

# Writes the script that finishes the tree: accounts, folders, sh, and nothing to read.
write_finish() {
	cat >"$1" <<-'END'
		#!/bin/sh
		set -eu
		cd "$1"
		printf 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n' >etc/passwd
		printf 'root:x:0:\nadm:x:4:\nwww-data:x:33:\nnogroup:x:65534:\n' >etc/group
		mkdir -p run tmp var/log var/lib
		chmod 1777 tmp
		[ ! -e bin/dash ] || [ -e bin/sh ] || ln -s dash bin/sh
		(cd usr/share && rm -rf doc info man locale lintian)
	END
	printf '%s\n' "$commands" >>"$1"
	chmod +x "$1"
}

command -v mmdebstrap >/dev/null || install_mmdebstrap
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
chmod 755 "$temp" # mmdebstrap may run its hooks as another user
write_finish "$temp/finish"
# shellcheck disable=SC2046 # no mirror is no argument
mmdebstrap --quiet --variant=extract --include="$packages" \
	--aptopt='Acquire::Check-Valid-Until "false"' --extract-hook="$temp/finish" \
	"$suite" "$temp/root.tar" $(mirror) >&2
mv "$temp/root.tar" "$out"
