#!/bin/sh
# Builds the images of examples/runtimes, runtime-NAME:v1 and runtime-NAME:v2, on a base of Debian's packages:
#   scripts/runtime-image.sh [NAME...]     by default all of them; TAGS="v1": only that tag
# It prints the images. A base, bluegreen/NAME:SUITE, is made once; `make clean-images` removes all of them. Messages go to
# stderr.
set -eu
cd "$(dirname "$0")/.."

suite=bookworm
[ $# -gt 0 ] || set -- gunicorn node php puma tomcat

say() { echo "runtime-image: $*" >&2; }

# Sets what a base has: packages, commands that make what the packages' maintainer scripts would, and a further change
# of the image.
describe() {
	change='LABEL bluegreen.image=runtime'
	commands='rm -rf usr/share/perl usr/share/perl5 usr/lib/*/perl-base'
	case $1 in
	gunicorn) packages=gunicorn ;;
	node) packages=nodejs ;;
	puma) packages=puma ;;
	php)
		packages=php8.2-fpm,nginx-light
		commands="$commands; mkdir -p run/php var/log/nginx var/lib/nginx"
		;;
	tomcat)
		packages=tomcat10-common,openjdk-17-jre-headless
		# java, by a name that is the same on every architecture, and without what only debuggers want.
		change='ENV JAVA_HOME=/usr/lib/jvm/java'
		commands="$commands; (cd usr/lib/jvm && ln -s java-17-openjdk-* java)
			ln -s ../lib/jvm/java/bin/java usr/bin/java; ln -s ../share/tomcat10/bin/catalina.sh usr/bin/catalina.sh
			rm -rf usr/lib/debug usr/share/gdb usr/lib/jvm/java/lib/ct.sym usr/lib/jvm/java/lib/server/classes_nocoops.jsa"
		;;
	*) say "no runtime $1" && exit 2 ;;
	esac
}

base() {
	image=bluegreen/$1:$suite
	! docker image inspect "$image" >/dev/null 2>&1 || return 0
	say "building $image"
	temp=$(mktemp -d)
	scripts/debian-tree.sh "$suite" "base-files,libc-bin,dash,coreutils,$packages" "$temp/root.tar" "$commands" &&
		docker import -c 'LABEL bluegreen.image=runtime' -c "$change" "$temp/root.tar" "$image" >/dev/null || {
		rm -rf "$temp"
		exit 1
	}
	rm -rf "$temp"
}

for name; do
	describe "$name"
	base "$name"
	for tag in ${TAGS:-v1 v2}; do
		said=$(docker build -q -t "runtime-$name:$tag" --build-arg "VERSION=$tag" "examples/runtimes/$name" 2>&1) ||
			{ echo "$said" >&2 && exit 1; }
		echo "runtime-$name:$tag"
	done
done
