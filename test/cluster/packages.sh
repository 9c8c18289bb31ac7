# shellcheck shell=bash
# What the scripts ask of the machine: Debian packages and Go; and words on stderr, so that stdout is data. Sourced.

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

is_root() { [ "$(id -u)" = 0 ]; }

# ensure_commands COMMAND:PACKAGE... installs the packages whose commands are missing, as root on Debian, or else names them.
# A COMMAND that is a path stands for that file.
ensure_commands() {
  local pair packages=()
  for pair in "$@"; do
    [ -e "${pair%%:*}" ] || command -v "${pair%%:*}" >/dev/null || packages+=("${pair##*:}")
  done
  [ ${#packages[@]} -gt 0 ] || return 0
  if ! is_root || ! command -v apt-get >/dev/null; then
    fail "Cannot go on without these Debian packages: ${packages[*]}; install them and try again"
  fi
  say "Installing ${packages[*]}"
  apt-get update -q >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}" >&2
}

# ensure_go MODULE sees to it that there is a Go which can build the module in that directory.
ensure_go() {
  local needed found
  needed=$(awk '$1 == "go" { print $2 }' "$1/go.mod")
  ensure_commands go:golang-go
  found=$(GOTOOLCHAIN=local go env GOVERSION)
  found=${found#go}
  printf '%s\n' "$needed" "$found" | sort -V -C || fail "Cannot build \"$1\": Go is $found, must be $needed or newer, as in Debian 13 or from go.dev/dl"
}
