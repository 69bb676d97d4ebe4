#!/bin/sh
# Makes sure that docker compose is there, which pages of the documentation call. As root on Debian or Ubuntu it installs the
# distribution's own (and says so); elsewhere it says what to install. Messages go to stderr.
set -eu

say() { echo "ensure-compose: $*" >&2; }

# The tests of the pages make the docker-compose of old a plugin for themselves.
there() { docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null; }

can_install() { [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null; }

give_up() {
	say "$1"
	say "install docker compose (on Debian: sudo apt-get install docker-compose), and try again"
	exit 1
}

there && exit 0
can_install || give_up "docker compose is missing, and installing it takes root on Debian or Ubuntu"
say "installing with apt: docker-compose"
apt-get update -qq >&2
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker-compose >&2 || give_up "apt could not install docker-compose"
there || give_up "apt installed docker-compose, but it is not found"
