# shellcheck shell=bash
# What all steps of the set-up share. Every step looks first: what is there already costs no time.

say() { printf '• %s\n' "$*"; }
fail() { printf '\n%s\n' "$*" >&2; exit 1; }

# A setting from the environment or from .env, else the default.
setting() {
  local name=$1 default=${2-} value
  value=${!name-}
  if [ -z "$value" ] && [ -f .env ]; then
    value=$(sed -n "s/^[[:space:]]*$name=//p" .env | tail -n 1)
    value=${value%$'\r'} value=${value#[\"\']} value=${value%[\"\']}
  fi
  printf '%s' "${value:-$default}"
}

# require_programs PROGRAM=PACKAGE…: installs the packages whose program is not there, all in one go.
require_programs() {
  local pair missing=()
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local install="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  command -v apt-get >/dev/null 2>&1 ||
    fail "Missing here: ${missing[*]}. Install them with this system's package manager, then start again."
  [ "$(id -u)" -eq 0 ] ||
    fail "Missing here: ${missing[*]}, and installing them needs root. Run this, then start again:

  sudo sh -c '$install'"
  say "installing ${missing[*]}"
  # RUNLEVEL=1: packages must not start services of their own (Berth runs its own Redis).
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive sh -c "$install" >"$setup_log" 2>&1 ||
    fail "$(tail -n 20 "$setup_log")

Installing ${missing[*]} failed; the whole log is in $setup_log. By hand:

  $install"
}

setup_log=$(mktemp -t berth-setup.XXXXXX.log)
trap 'rm -f "$setup_log"' EXIT
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
