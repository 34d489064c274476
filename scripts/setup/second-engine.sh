# shellcheck shell=bash
# A tree of files with a newer Docker engine (Debian trixie's), for the tests that need what the machine's own may
# not have, such as CDI. tests/support/second-engine.sh runs it.
: "${setup_log:?common.sh comes first}" "${debian_base:?images.sh comes before}"

second_engine=.tools/second-engine
# iproute2 joins its network with the machine's.
second_engine_packages="docker.io iptables iproute2 ca-certificates"

# The stamp stands in the tree, which comes into its place whole or not at all.
require_second_engine() {
  [ "$(cat "$second_engine/tree/etc/berth-packages" 2>/dev/null)" = "$second_engine_packages" ] && return
  if ! image_exists "$debian_base"; then
    require_programs debootstrap=debootstrap
    say "making a Debian base for the second Docker engine"
    import_debian_base || fail "$(tail -n 10 "$setup_log")

A base for the tests' second Docker engine could not be made from Debian's packages."
  fi
  say "unpacking a second Docker engine for the tests (once)"
  unpack_second_engine || fail "$(tail -n 20 "$setup_log")

The tests' second Docker engine could not be installed."
}

# In a subshell, whose trap removes what is half done whatever happens, Ctrl-C included.
unpack_second_engine() (
  mkdir -p "$second_engine"
  new=$(mktemp -d "$second_engine/new.XXXXXX") || exit 1
  container=
  trap '[ -z "$container" ] || docker rm --force "$container" >/dev/null 2>&1; rm -rf --one-file-system "$new"' EXIT
  trap 'exit 1' INT TERM HUP
  # RUNLEVEL=1: the package must not start its engine in there.
  container=$(docker create --env RUNLEVEL=1 --env DEBIAN_FRONTEND=noninteractive "$debian_base" sh -c \
    "apt-get update && apt-get install -y --no-install-recommends $second_engine_packages") || exit 1
  timeout 600 docker start --attach "$container" >"$setup_log" 2>&1 || exit 1
  chmod 0755 "$new"
  docker export "$container" | tar -C "$new" -x || exit 1
  printf '%s\n' "$second_engine_packages" >"$new/etc/berth-packages" || exit 1
  # The old tree holds the old engine's images as well; nothing of it is mounted outside of its own namespace.
  rm -rf --one-file-system "$second_engine/tree"
  mv "$new" "$second_engine/tree"
)
