#!/bin/sh
# Makes sure that a Chromium is there for the tests of the rehearsal's page, and a font for it to write with. As root
# on Debian or Ubuntu it installs the distribution's own (and says so); elsewhere it says what to install. Messages go
# to stderr.
set -eu

say() { echo "ensure-chromium: $*" >&2; }

# The names that the tests look for (rehearse/report/browser_test.go).
found() {
	for name in chromium chromium-browser google-chrome google-chrome-stable; do
		! command -v "$name" >/dev/null || return 0
	done
	return 1
}

can_install() { [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null; }

give_up() {
	say "$1"
	say "install Chromium or Google Chrome (on Debian: sudo apt-get install chromium fonts-dejavu-core), and try again"
	exit 1
}

found && exit 0
can_install || give_up "no Chromium is found, and installing one takes root on Debian or Ubuntu"
say "installing with apt: chromium fonts-dejavu-core"
apt-get update -qq >&2
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >&2 || give_up "apt could not install it"
found || give_up "apt installed chromium, but no command of that name is found"
