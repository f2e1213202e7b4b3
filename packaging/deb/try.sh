#!/bin/sh
# Installs, runs, upgrades, removes and purges the package in a new root of Debian. Needs root, debootstrap and a
# mirror, or a root that exists:
#   packaging/deb/try.sh mega-collector_0.1.0_amd64.deb [ROOT]
# PORT is a free port of this machine (27431).
set -eu

package=$(readlink -f "$1")
root=${2:-}
port=${PORT:-27431}
if [ -z "$root" ]; then
  root=$(mktemp -d)
  trap 'rm -rf --one-file-system "$root"' EXIT
  debootstrap --variant=minbase --include=adduser bookworm "$root"
fi
cp "$package" "$root/package.deb"
inside() { chroot "$root" /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
version=$(dpkg-deb --field "$package" Version)

inside dpkg --install /package.deb
test "$(inside mega-collector --version)" = "$version"
inside getent passwd mega-collector
test "$(inside stat -c '%U:%G %a' /etc/mega-collector/collector.yaml)" = 'root:mega-collector 640'
inside mega-collector config check aggregator --config /etc/mega-collector/aggregator.yaml
inside mega-collector config check collector --config /etc/mega-collector/collector.yaml

# One record through both halves.
echo 'a record of the package' > "$root/var/log/try.log"
# Not by the function: its process id would be that of a shell.
chroot "$root" /usr/bin/env AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY=100ms \
  /usr/bin/mega-collector aggregator --config /etc/mega-collector/aggregator.yaml --listen-address 127.0.0.1:$port \
  --http-address 127.0.0.1:0 --state-directory /tmp/aggregator --text-configuration 1 > "$root/tmp/out" &
aggregator=$!
inside mega-collector collector --tail /var/log/try.log --once --aggregator-address 127.0.0.1:$port \
  --state-directory /tmp/collector
for _ in $(seq 150); do
  ! grep -q 'a record of the package' "$root/tmp/out" || break
  sleep 0.2
done
kill "$aggregator"
wait "$aggregator" || true
grep -q 'a record of the package' "$root/tmp/out"

# An upgrade keeps a changed configuration.
echo '# changed' >> "$root/etc/mega-collector/collector.yaml"
inside dpkg --install /package.deb
grep -q '# changed' "$root/etc/mega-collector/collector.yaml"

# A removal keeps the configuration, a purge does not.
inside dpkg --remove mega-collector
test ! -e "$root/usr/bin/mega-collector" && test -e "$root/etc/mega-collector/collector.yaml"
inside dpkg --purge mega-collector
test ! -e "$root/etc/mega-collector"
echo "Installed, ran, upgraded, removed and purged mega-collector $version"
