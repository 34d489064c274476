# shellcheck shell=bash
# A Docker engine that answers: the one that DOCKER_HOST names, the machine's, or the distribution's package.

docker_answers() { timeout 10 docker version >/dev/null 2>&1; }

require_docker() {
  local host; host=$(setting DOCKER_HOST)
  [ -n "$host" ] && export DOCKER_HOST=$host
  if command -v docker >/dev/null 2>&1 && docker_answers; then return; fi
  [ -z "$host" ] || fail "No Docker engine answers at DOCKER_HOST=$host. Start it, or empty DOCKER_HOST to use this machine's."
  # The program may be there without an engine; the engine's package brings iptables along where it is missing.
  require_programs dockerd=docker.io iptables=iptables
  # Debian 13 has the client in a package of its own; before, it came with the engine.
  require_programs docker=docker-cli
  docker_answers && return
  [ "$(id -u)" -eq 0 ] || fail "Docker does not answer. Start it, or let yourself use it, then start again:

  sudo systemctl start docker
  sudo usermod -aG docker $(id -un)   # then log in again"
  say "starting the Docker engine"
  if [ -d /run/systemd/system ]; then
    systemctl start docker || fail "systemd could not start Docker: journalctl -u docker says why."
  else
    start_dockerd
  fi
  docker_answers || fail "The Docker engine was started and does not answer. Its log: $dockerd_log"
}

dockerd_log=/var/log/dockerd.log

# Without systemd: in a session of its own, so that it outlives Berth, and the VMs with it.
start_dockerd() {
  setsid dockerd >>"$dockerd_log" 2>&1 </dev/null &
  local engine=$!
  until docker_answers; do
    kill -0 "$engine" 2>/dev/null || fail "$(tail -n 5 "$dockerd_log")

The Docker engine ended at once; the whole log is in $dockerd_log."
    # Waits for the engine's own word, a line of its log, at most a second at a time.
    timeout 1 tail -n 0 -f "$dockerd_log" 2>/dev/null | head -n 1 >/dev/null || true
  done
}
