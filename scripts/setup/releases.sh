# shellcheck shell=bash
# Berth as a service of systemd: releases below /opt/berth, each whole, with its packages and its Node, so that the way
# forward and the way back are a link. `stage` is a folder that stands for the root of the machine, in tests.
: "${setup_log:?common.sh comes first}"

stage=${stage-} dry_run=${dry_run-}
releases=$stage/opt/berth/releases
current=$stage/opt/berth/current
settings=$stage/etc/berth/berth.env
# shellcheck disable=SC2034 # for those who source this
state=$stage/var/lib/berth
unit=$stage/etc/systemd/system/berth.service

# Does it, or with --dry-run says what it would do.
act() { if [ -n "$dry_run" ]; then printf '  %s\n' "$*"; else "$@"; fi; }

require_systemd() {
  [ -n "$stage$dry_run" ] && return
  [ "$(id -u)" -eq 0 ] || fail "This changes the machine and needs root: sudo ./scripts/${0##*/}"
  [ -d /run/systemd/system ] ||
    fail "This machine is not run by systemd. ./scripts/start runs Berth in the foreground, under whatever you like."
}

# The tracked and untracked files of this checkout, without what a release makes for itself or must not have.
source_files() {
  find . -mindepth 1 \( -path ./.git -o -path ./node_modules -o -path ./.tools -o -path ./data -o -path ./.env \) -prune \
    -o -type f ! -name '*.log' -print0 | LC_ALL=C sort -z
}

# A name that is the same for the same files: a release that is there already is not made again.
release_name() {
  local hash commit
  hash=$(source_files | xargs -0 sha256sum | sha256sum | cut -c 1-12)
  commit=$(git rev-parse --short HEAD 2>/dev/null || node -p 'require("./package.json").version')
  printf '%s-%s' "$commit" "$hash"
}

# make_release NAME: complete or not at all.
make_release() {
  local folder=$releases/$1
  if [ -d "$folder" ]; then say "release $1 is there"; return; fi
  if [ -n "$dry_run" ]; then printf '  make release %s: this checkout, its packages and Node\n' "$folder"; return; fi
  say "making release $1"
  mkdir -p "$releases"
  unpack_release "$folder" || fail "$(tail -n 20 "$setup_log")

The release could not be made."
}

# In a subshell, whose trap removes what is half done whatever happens, Ctrl-C included.
unpack_release() (
  new=$(mktemp -d "$releases/.new.XXXXXX") || exit 1
  trap 'rm -rf --one-file-system "$new"' EXIT
  trap 'exit 1' INT TERM HUP
  source_files | tar --null --files-from=- --create | tar -C "$new" --extract --no-same-owner || exit 1
  mkdir "$new/bin" && cp -L "$(node -p process.execPath)" "$new/bin/node" || exit 1
  cd "$new" || exit 1
  # As in require_packages: a registry without the packages of other platforms leaves a lock file that `npm ci` refuses.
  npm ci --omit=dev --no-audit --no-fund >"$setup_log" 2>&1 ||
    npm install --omit=dev --no-save --no-audit --no-fund >"$setup_log" 2>&1 || exit 1
  chmod -R u=rwX,go=rX . && mv "$new" "$1"
)

# use_release NAME: the link changes in one step.
use_release() {
  act ln -sfn "releases/$1" "$current.new"
  act mv -T "$current.new" "$current"
  act install -D -m 0644 "$releases/$1/scripts/systemd/berth.service" "$unit"
  act mkdir -p "$stage/usr/local/bin"
  act ln -sfn /opt/berth/current/scripts/systemd/berth "$stage/usr/local/bin/berth"
}

current_release() { basename "$(readlink "$current" 2>/dev/null)" 2>/dev/null || true; }

# The newest three stay, and the one in use.
remove_old_releases() {
  local name
  for name in $(find "$releases" -mindepth 1 -maxdepth 1 -type d ! -name '.*' -printf '%T@ %f\n' |
    sort -rn | tail -n +4 | cut -d ' ' -f 2); do
    [ "$name" = "$(current_release)" ] || act rm -rf --one-file-system "${releases:?}/$name"
  done
}

# A stage may hold a systemctl of its own.
systemd() {
  if [ -z "$stage" ] || [ -n "$dry_run" ]; then act systemctl "$@"
  elif [ -x "$stage/usr/bin/systemctl" ]; then "$stage/usr/bin/systemctl" "$@"
  else say "staged: systemctl $*"; fi
}

# as_berth COMMAND…: with the service's rights.
as_berth() { if [ -n "$stage" ]; then "$@"; else runuser --user berth -- "$@"; fi; }

# With the installed settings, as the service itself reads them.
check_settings() {
  local faults
  [ -n "$dry_run" ] && return
  faults=$("$releases/$1/bin/node" --env-file="$settings" "$releases/$1/scripts/supervise/main.ts" --check 2>&1) ||
    fail "$faults

Correct it in $settings, then run this again."
}
