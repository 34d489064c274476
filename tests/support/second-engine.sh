#!/usr/bin/env bash
# Runs the Docker engine of an unpacked tree beside the machine's own, until standard input ends; each line in it
# restarts the engine: `restart` as a service manager does, `power-cycle` without a chance to end anything.
# Usage: second-engine.sh TREE SHARE ADDRESS PEER
#   TREE     made by scripts/setup/second-engine.sh; the engine's images stay in it from run to run
#   SHARE    a folder with daemon.json, whose cgroup parent is named like the folder; docker.sock appears in it;
#            removed at the end
#   ADDRESS  the engine's address, and PEER this side's, in a network /30 of the two
#
# The engine lives in mount, process and network namespaces of its own. The end of its first process therefore
# ends all of it (engine, containerd, shims, containers) and takes mounts and interfaces along, whatever state
# they are in. Standard input is a lease: it ends also when the one who started this is killed.
# (`docker run --privileged` would be the other way; it fails where the machine is a container itself.)
set -euo pipefail
tree=$(realpath "$1") share=$(realpath "$2") address=$3 peer=$4
exec 3<&0 </dev/null

# In the new namespaces; descriptor 3 is the lease, 5 the machine's network.
inside() {
  # Without this every mount below would appear in the machine as well.
  mount --make-rprivate /
  mount --bind "$tree" "$tree"
  mount --bind "$share" "$tree/share"
  mount -t proc proc "$tree/proc"
  mount --rbind /sys "$tree/sys"
  mount --rbind /dev "$tree/dev"
  mount -t tmpfs tmpfs "$tree/run"
  cd "$tree"
  pivot_root . old
  umount -l /old
  PATH=/usr/sbin:/usr/bin:/sbin:/bin

  # A cable to the machine, so that published ports are reachable there under the engine's address.
  local here=/proc/self/fd/5 cable
  cable=berth-$(printf '%04x%04x' $RANDOM $RANDOM)
  ip link set lo up
  ip link add eth0 type veth peer name "$cable"
  ip link set "$cable" netns "$here"
  nsenter --net="$here" ip address add "$peer/30" dev "$cable"
  nsenter --net="$here" ip link set "$cable" up
  ip address add "$address/30" dev eth0
  ip link set eth0 up
  exec 5<&-

  dockerd --config-file /share/daemon.json --host unix:///share/docker.sock --data-root /var/lib/engine \
    --exec-root /run/engine --pidfile /run/engine.pid --shutdown-timeout 3 3<&- &
  local engine=$!
  { read -r order <&3 && if [ "$order" = power-cycle ]; then exit 76; else exit 75; fi; } &
  local status=0
  wait -n || status=$?
  # All that lives here is killed with this, its first process.
  if [ "$status" = 76 ]; then exit 75; fi
  kill "$engine" 2>/dev/null || true
  wait "$engine" || true
  exit "$status"
}

exec 4<"$tree" 5</proc/self/ns/net
# Two engines on one set of images would ruin it.
flock --wait 100 4 || { echo "another second engine runs on $tree" >&2; exit 1; }
mkdir -p "$tree"/{old,share}
cp -f /etc/resolv.conf "$tree/etc/resolv.conf"

export -f inside
export tree share address peer
clean_up() {
  kill -KILL "$namespaces" 2>/dev/null || true
  wait "$namespaces" 2>/dev/null || true
  rm -rf --one-file-system "$share"
  # Of containers that did not end by themselves the kernel keeps their empty cgroups.
  find /sys/fs/cgroup -depth -type d -path "*/$(basename "$share")*" -exec rmdir {} + 2>/dev/null || true
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP
status=75
while [ "$status" = 75 ]; do
  unshare --mount --net --pid --fork --kill-child bash -euo pipefail -c inside 4<&- &
  namespaces=$! status=0
  wait "$namespaces" || status=$?
done
