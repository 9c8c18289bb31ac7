# shellcheck shell=bash
# The cluster's processes and cgroups. A process is ours by its command line and a container's by its cgroup, so no pid file can be stale. Sourced.
: "${state:?}" "${run:?}"

cgroup=loadtest-cluster
components=(etcd kube-apiserver kube-controller-manager kube-scheduler containerd kubelet kube-proxy coredns)

# start COMPONENT [ARG...] runs it in a session of its own, so that it outlives the caller.
# With an empty environment, because a proxy's address in it would divert the API server's calls to webhooks.
start() {
  local name=$1
  shift
  env -i PATH="$PATH" HOME=/ setsid "$state/bin/$name" "$@" </dev/null >>"$state/logs/$name.log" 2>&1 9>&- &
  disown
}

# our_processes prints "PID NAME" for each component, shim and runc of this cluster.
our_processes() {
  local file argv
  for file in /proc/[0-9]*/cmdline; do
    { mapfile -d '' -t argv <"$file"; } 2>/dev/null || continue
    case ${argv[0]-} in
      "" | "$state/bin/kubectl") continue ;;
      "$state/bin/"*) ;;
      *containerd-shim* | *runc) [[ " ${argv[*]} " == *" $run/"* ]] || continue ;;
      *) continue ;;
    esac
    file=${file%/cmdline}
    printf '%s %s\n' "${file#/proc/}" "${argv[0]##*/}"
  done
}

# pid_of COMPONENT prints its pid, or fails.
pid_of() { our_processes | awk -v name="$1" '$2 == name { print $1; found = 1; exit } END { exit !found }'; }

all_running() {
  local running name
  running=$(our_processes)
  for name in "${components[@]}"; do
    grep -q " $name\$" <<<"$running" || return 1
  done
}

# cgroup_trees prints our directory in each hierarchy: many with cgroup v1, one with v2.
cgroup_trees() { find /sys/fs/cgroup -maxdepth 2 -type d -name "$cgroup"; }

container_processes() { cgroup_trees | while read -r tree; do find "$tree" -name cgroup.procs -exec cat {} +; done 2>/dev/null | sort -un; }

add_cgroups() {
  local procs controller
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    for controller in $(</sys/fs/cgroup/cgroup.controllers); do
      echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || true
    done
    mkdir -p "/sys/fs/cgroup/$cgroup"
  else
    for procs in /sys/fs/cgroup/*/cgroup.procs; do mkdir -p "${procs%/*}/$cgroup"; done
  fi
}

# kill_processes kills until nothing is left, because what it kills may be starting another. Nothing here has a state worth a graceful end.
kill_processes() {
  local pids deadline=$((SECONDS + 20))
  while pids=$({ our_processes | cut -d ' ' -f 1; container_processes; } | sort -un) && [ -n "$pids" ]; do
    ((SECONDS < deadline)) || fail "Cannot take the cluster down: processes do not die: ${pids//$'\n'/ }"
    # shellcheck disable=SC2086 # one word per pid
    kill -9 $pids 2>/dev/null || true
    sleep 0.1
  done
}

remove_cgroups() {
  local deadline=$((SECONDS + 10))
  while [ -n "$(cgroup_trees)" ]; do
    ((SECONDS < deadline)) || fail "Cannot take the cluster down: cgroups stay busy: $(cgroup_trees | tr '\n' ' ')"
    cgroup_trees | while read -r tree; do find "$tree" -depth -type d -exec rmdir {} + 2>/dev/null || true; done
    [ -z "$(cgroup_trees)" ] || sleep 0.1
  done
}
