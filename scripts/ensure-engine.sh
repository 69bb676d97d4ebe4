#!/bin/sh
# Makes sure that a Docker engine answers and that the docker command, which the other scripts build images
# with, is there. As root on Debian or Ubuntu it installs and starts the distribution's own engine (and says so);
# elsewhere it says what to install. Messages go to stderr.
set -eu

socket=/var/run/docker.sock
log=/var/log/dockerd.log
patience=60 # seconds for the engine to come up

say() { echo "ensure-engine: $*" >&2; }

# Also without the docker command: asks the API where DOCKER_HOST, else the default socket, says.
answers() {
	if command -v docker >/dev/null; then
		timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1
		return
	fi
	command -v curl >/dev/null || return 1
	case "${DOCKER_HOST-}" in
	'') curl -fs -m 10 --unix-socket "$socket" http://docker/_ping >/dev/null ;;
	unix://*) curl -fs -m 10 --unix-socket "${DOCKER_HOST#unix://}" http://docker/_ping >/dev/null ;;
	tcp://*) curl -fs -m 10 "http://${DOCKER_HOST#tcp://}/_ping" >/dev/null ;;
	*) return 1 ;;
	esac
}

give_up() {
	say "$1"
	command -v docker >/dev/null && docker version 2>&1 >/dev/null | tail -n 3 >&2
	say "install Docker Engine 20.10 or later (https://docs.docker.com/engine/install/;"
	say "on Debian and Ubuntu: sudo apt-get install docker.io), start it, and try again"
	exit 1
}

can_install() { [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null; }

apt_install() {
	say "installing with apt: $*"
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >&2
}

# Up to Debian 12 the command is part of docker.io, later docker-cli. Where an engine answers already, docker.io is
# only unpacked: installing it would start a second one.
install_command() {
	command -v docker >/dev/null && return
	if apt-cache show docker-cli >/dev/null 2>&1; then
		apt_install docker-cli
		return
	fi
	say "taking the docker command from package docker.io into /usr/local/bin"
	(
		temp=$(mktemp -d)
		trap 'rm -rf "$temp"' EXIT
		cd "$temp"
		apt-get download -qq docker.io >&2
		dpkg-deb -x docker.io_*.deb .
		install -m 755 usr/bin/docker /usr/local/bin/docker
	)
}

# Says whether the kernel mounts an overlay where images will lie.
overlay_works() (
	mkdir -p /var/lib/docker
	trial=$(mktemp -d /var/lib/docker/trial.XXXXXX)
	trap 'rm -rf "$trial"' EXIT
	mkdir "$trial/lower" "$trial/upper" "$trial/work" "$trial/merged"
	options="lowerdir=$trial/lower,upperdir=$trial/upper,workdir=$trial/work"
	mount -t overlay -o "$options" overlay "$trial/merged" 2>/dev/null || exit 1
	umount "$trial/merged"
)

# Chooses the storage driver before the engine's first start, where its usual one cannot work.
choose_storage() {
	[ ! -e /etc/docker/daemon.json ] && ! overlay_works || return 0
	driver=vfs
	[ ! -e /dev/fuse ] || { apt_install fuse-overlayfs && driver=fuse-overlayfs; }
	say "overlay mounts do not work here: using storage driver $driver (/etc/docker/daemon.json)"
	mkdir -p /etc/docker
	echo "{\"storage-driver\": \"$driver\"}" >/etc/docker/daemon.json
}

start() {
	if [ -d /run/systemd/system ]; then
		say "starting docker with systemctl"
		systemctl start docker && return
	elif command -v service >/dev/null && [ -x /etc/init.d/docker ]; then
		say "starting docker with service"
		service docker start >&2 && wait_for_engine 15 && return
	fi
	pgrep -x dockerd >/dev/null 2>&1 && return
	say "starting dockerd in the background, log in $log"
	setsid nohup dockerd >>"$log" 2>&1 </dev/null &
}

wait_for_engine() {
	tries=$1
	until answers; do
		[ "$tries" -gt 0 ] || return 1
		tries=$((tries - 1))
		sleep 1
	done
}

if ! command -v docker >/dev/null && ! command -v curl >/dev/null && can_install; then
	apt-get update -qq >&2
	apt_install curl
fi
if answers; then
	command -v docker >/dev/null && exit 0
	can_install || give_up "an engine answers, but the docker command is missing"
	apt-get update -qq >&2
	install_command
	exit 0
fi

[ -z "${DOCKER_HOST-}" ] || give_up "no Docker engine answers at DOCKER_HOST=$DOCKER_HOST"
can_install || give_up "no Docker engine answers, and installing one takes root on Debian or Ubuntu"
say "no Docker engine answers"
if ! command -v dockerd >/dev/null; then
	apt-get update -qq >&2
	choose_storage
	apt_install docker.io
fi
install_command
answers || start || true
wait_for_engine "$patience" && say "Docker engine $(docker version --format '{{.Server.Version}}') answers" && exit 0
[ ! -e "$log" ] || tail -n 20 "$log" >&2
give_up "the Docker engine did not answer within ${patience}s"
