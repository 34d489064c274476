# shellcheck shell=bash
# The image of the VMs, and the base that it is built from.
: "${setup_log:?common.sh comes first}"

debian_base=berth-base:trixie

image_exists() { docker image inspect "$1" >/dev/null 2>&1; }
recipe_of() { docker image inspect --format '{{index .Config.Labels "berth.recipe"}}' "$1" 2>/dev/null || true; }

# Where no registry answers: a Debian base made from Debian's packages, once.
make_debian_base() {
  image_exists "$debian_base" && return
  [ "$(id -u)" -eq 0 ] || fail "No registry answers, and making a base image from Debian's packages needs root. Either:

  docker pull $(setting VM_BASE_IMAGE ubuntu:24.04)    # where a registry can be reached
  sudo ./scripts/start"
  require_programs debootstrap=debootstrap
  say "no registry answers: making a base image from Debian's packages"
  import_debian_base || fail "$(tail -n 10 "$setup_log")

A base image could not be made from Debian's packages."
}

# In a subshell, whose trap removes the folder whatever happens, Ctrl-C included.
import_debian_base() (
  tree=$(mktemp -d -t berth-base.XXXXXX)
  trap 'rm -rf --one-file-system "$tree"' EXIT
  trap 'exit 1' INT TERM HUP
  debootstrap --variant=minbase trixie "$tree" >"$setup_log" 2>&1 || exit 1
  # The release alone gets no security fixes: its updates, from the mirror that debootstrap chose.
  sed -n 's|^\(deb [^ ]*\)/debian trixie main|\1/debian trixie-updates main\n\1/debian-security trixie-security main|p' \
    "$tree/etc/apt/sources.list" >"$tree/etc/apt/sources.list.d/updates.list"
  rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/*
  tar -C "$tree" -c . | docker import - "$debian_base" >/dev/null
)

# Exports VM_BASE_IMAGE: the configured one where it is there or can be had, else the Debian base.
require_base_image() {
  VM_BASE_IMAGE=$(setting VM_BASE_IMAGE ubuntu:24.04)
  export VM_BASE_IMAGE
  image_exists "$VM_BASE_IMAGE" && return
  if ! image_exists "$debian_base"; then
    say "fetching the base image $VM_BASE_IMAGE"
    timeout 300 docker pull --quiet "$VM_BASE_IMAGE" >/dev/null 2>&1 && return
    make_debian_base
  fi
  VM_BASE_IMAGE=$debian_base
}

# Builds the VM image where it is missing or was built from another recipe.
require_vm_image() {
  require_base_image
  local image recipe
  image=$(setting VM_IMAGE berth-vm:latest)
  recipe=$(node scripts/setup/vm-recipe.ts "$VM_BASE_IMAGE")
  [ "$(recipe_of "$image")" = "$recipe" ] && return
  say "building the VM image $image from $VM_BASE_IMAGE (a few minutes, once)"
  tar -c Dockerfile.vm vm | timeout 1800 docker build --file Dockerfile.vm --tag "$image" \
    --build-arg "BASE_IMAGE=$VM_BASE_IMAGE" --label "berth.recipe=$recipe" - 2>&1 |
    tee "$setup_log" | grep --line-buffered -E '^(Step [0-9]|#[0-9]+ \[)' ||
    true
  [ "$(recipe_of "$image")" = "$recipe" ] || fail "$(tail -n 20 "$setup_log")

The VM image could not be built."
}
