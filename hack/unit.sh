#!/bin/sh
# Checks what `make install` puts in place, in a directory that stands for a fresh machine:
# the unit verifies without a word, its exposure is at most 2.0, the user can be made, and the
# configuration of an earlier installation is left alone.
#
#	hack/unit.sh        from the top of the repository, after make build
set -eu

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
fail() {
	echo "hack/unit.sh: $*" >&2
	exit 1
}
installed() { make -s --no-print-directory install DESTDIR="$root"; }

mkdir -p "$root/etc/dongled"
echo "# mine" >"$root/etc/dongled/dongled.yaml"
installed
[ "$(cat "$root/etc/dongled/dongled.yaml")" = "# mine" ] || fail "make install overwrote the configuration"
rm "$root/etc/dongled/dongled.yaml"
installed
"$root/usr/bin/dongled" config check "$root/etc/dongled/dongled.yaml" >/dev/null
[ "$(stat -c %a "$root/etc/dongled/dongled.yaml")" = 600 ] || fail "the configuration is readable by others"

unit=$root/usr/lib/systemd/system/dongled.service
systemd-analyze security --offline=true --threshold=20 "$unit" >"$root/security" || {
	cat "$root/security" >&2
	fail "the unit is exposed more than 2.0"
}
grep 'Overall exposure' "$root/security"
# verify looks for the binary on this machine.
sed -i "s|^ExecStart=/usr/bin|ExecStart=$root/usr/bin|" "$unit"
words=$(systemd-analyze verify "$unit" 2>&1) || fail "systemd-analyze verify: $words"
[ -z "$words" ] || fail "systemd-analyze verify: $words"

# dialout is the distribution's.
printf 'dialout:x:20:\n' >"$root/etc/group"
systemd-sysusers --root="$root" "$root/usr/lib/sysusers.d/dongled.conf" >/dev/null 2>&1
grep -q '^dongled:' "$root/etc/passwd" || fail "sysusers made no user"
grep -q '^dialout:.*dongled' "$root/etc/group" || fail "the user is not in dialout"

# udevadm verify came with systemd 254.
if udevadm verify --help >/dev/null 2>&1; then
	udevadm verify --no-summary "$root/usr/lib/udev/rules.d/70-dongled.rules"
fi
