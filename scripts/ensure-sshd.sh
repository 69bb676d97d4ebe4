#!/bin/sh
# Makes sure that sshd is there for the tests of engines that are reached over ssh; the tests start their own, on loopback.
# As root on Debian or Ubuntu it installs the distribution's own, without starting it (and says so); elsewhere it says what
# to install: the tests then skip that part. Messages go to stderr.
set -eu

say() { echo "ensure-sshd: $*" >&2; }
found() { PATH="$PATH:/usr/sbin" command -v sshd >/dev/null && command -v ssh >/dev/null; }
can_install() { [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null; }

found && exit 0
if ! can_install; then
	say "no sshd is found: engines over ssh are NOT TESTED; install openssh-server (on Debian: sudo apt-get install openssh-server)"
	exit 0
fi
say "installing with apt: openssh-server openssh-client"
apt-get update -qq >&2
# What a package starts when it is installed is up to this file; one that is there stays as it is.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod +x "$policy"
	trap 'rm -f "$policy"' EXIT
fi
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openssh-server openssh-client >&2 || say "apt could not install it: engines over ssh are NOT TESTED"
