#!/bin/sh
# Installs the commands named as arguments that are missing, by apt-get:
#
#	hack/deps.sh socat gcc
#
# Does nothing, and needs no rights, when all are there.
set -eu

missing=
for command in "$@"; do
	command -v "$command" >/dev/null 2>&1 && continue
	case $command in
	gcc) missing="$missing gcc libc6-dev" ;; # the race detector links with the C library
	systemd-analyze) missing="$missing systemd" ;;
	node) missing="$missing nodejs" ;;
	*) missing="$missing $command" ;;        # the package has the command's name
	esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "hack/deps.sh: missing:$missing; there is no apt-get here, install by hand" >&2
	exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "hack/deps.sh: missing:$missing; not root and no sudo, run as root: apt-get install$missing" >&2
		exit 1
	fi
	sudo="sudo -n"
	# A person at a terminal can type a password; CI cannot.
	if [ -t 0 ]; then sudo=sudo; fi
fi

echo "hack/deps.sh: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # words are meant to split
{
	# An old package list is good enough if it still has the packages.
	$sudo apt-get install -y -q --no-install-recommends $missing ||
		{ $sudo apt-get update -q && $sudo apt-get install -y -q --no-install-recommends $missing; }
} >&2 || {
	echo "hack/deps.sh: apt-get could not install$missing; see above" >&2
	exit 1
}
