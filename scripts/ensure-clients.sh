#!/bin/sh
# Makes sure that curl, wrk and h2load are there, with which the end-to-end tests ask as people's clients do. As root on
# Debian or Ubuntu it installs the distribution's own (and says so); elsewhere it says what to install. Messages go to
# stderr.
set -eu

say() { echo "ensure-clients: $*" >&2; }

# Prints the packages of what is missing.
missing() {
	for client in curl:curl wrk:wrk h2load:nghttp2-client; do
		command -v "${client%:*}" >/dev/null || printf '%s ' "${client#*:}"
	done
}

can_install() { [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null; }

give_up() {
	say "$1"
	say "install curl, wrk and h2load (on Debian: sudo apt-get install curl wrk nghttp2-client), and try again"
	exit 1
}

packages=$(missing)
[ -n "$packages" ] || exit 0
can_install || give_up "missing: $packages, and installing takes root on Debian or Ubuntu"
say "installing with apt: $packages"
apt-get update -qq >&2
# shellcheck disable=SC2086 # several packages
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >&2 || give_up "apt could not install $packages"
[ -z "$(missing)" ] || give_up "apt installed $packages, but not all of curl, wrk and h2load are found"
