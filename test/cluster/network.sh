# shellcheck shell=bash disable=SC2034 # the sourcing script uses the addresses
# The cluster's addresses, all from 198.18.0.0/15, which RFC 2544 sets apart for benchmarks; nothing sent there leaves the machine. Sourced.
: "${run:?}"

network=loadtest-cluster
bridge=ltbr0
pod_cidr=198.18.0.0/24
service_cidr=198.19.0.0/16
node_ip=198.18.255.1
dns_ip=198.19.0.10
api_service_ip=198.19.0.1

# What the kubelet, kube-proxy and the CNI plugins change for the whole machine.
sysctls=(
  net.ipv4.ip_forward vm.overcommit_memory kernel.panic kernel.panic_on_oops
  kernel.keys.root_maxkeys kernel.keys.root_maxbytes
)

# require_free_addresses fails if any interface has one of our addresses: it would swallow the Pods' traffic.
require_free_addresses() {
  local taken
  taken=$(ip -4 -o addr show | awk '$4 ~ /^198\.1[89]\./ { print $4 " on " $2 }')
  [ -z "$taken" ] || fail "Cannot start the cluster: 198.18.0.0/15 is in use ($taken), must be free"
}

add_network() {
  sysctl "${sysctls[@]}" >"$run/sysctl" 2>/dev/null || true
  sysctl -qw net.ipv4.ip_forward=1
  # On lo, because not every kernel has dummy devices.
  ip addr add "$node_ip/32" dev lo
  ip route add blackhole 198.18.0.0/16
  # A process of the host (the API server calling a webhook) gets EINVAL for a Service's address without a route that names its source.
  ip route add "$service_cidr" dev lo src "$node_ip"
}

remove_network() {
  local link
  # The host's end of each Pod's veth pair; its name reads veth1234@if2.
  for link in $(ip -o link show master "$bridge" 2>/dev/null | awk -F '[: @]+' '{ print $2 }' || true); do
    ip link delete "$link" 2>/dev/null || true
  done
  ip link delete "$bridge" 2>/dev/null || true
  ip route delete "$service_cidr" dev lo 2>/dev/null || true
  ip route delete blackhole 198.18.0.0/16 2>/dev/null || true
  ip addr delete "$node_ip/32" dev lo 2>/dev/null || true
  remove_chains iptables
  remove_chains ip6tables
  if [ -f "$run/sysctl" ]; then sysctl -q -p "$run/sysctl" || true; fi
}

# remove_chains PROGRAM deletes every chain of Kubernetes and every rule that leads to one, and leaves the others as they are.
remove_chains() {
  "$1-save" 2>/dev/null | awk '
    /^\*/ { print; chains = 0 }
    /^:KUBE-/ { chain[++chains] = substr($1, 2) }
    /^-A / && $2 !~ /^KUBE-/ && / -[jg] KUBE-/ { sub(/^-A/, "-D"); print }
    /^COMMIT/ {
      for (i = 1; i <= chains; i++) print "-F " chain[i]
      for (i = 1; i <= chains; i++) print "-X " chain[i]
      print
    }' | "$1-restore" --noflush
}
