# shellcheck shell=bash
# The files of the cluster below $state: links to its programs, certificates, kubeconfigs and configurations. Sourced.

# certificate NAME SUBJECT SANS
certificate() {
  local base=$state/pki/$1
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$base.key" -out "$base.csr" -subj "$2" 2>/dev/null
  openssl x509 -req -in "$base.csr" -CA "$state/pki/ca.crt" -CAkey "$state/pki/ca.key" -CAcreateserial -days 365 -out "$base.crt" \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$3") 2>/dev/null
}

write_certificates() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=test-ca \
    -keyout "$state/pki/ca.key" -out "$state/pki/ca.crt" 2>/dev/null
  certificate apiserver /CN=kube-apiserver \
    "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:$node_ip,IP:$api_service_ip"
  certificate admin /O=system:masters/CN=admin DNS:admin
  certificate node /O=system:nodes/CN=system:node:node1 "DNS:node1,IP:$node_ip"
  openssl ecparam -name prime256v1 -genkey -noout -out "$state/pki/service-account.key"
}

base64_of() { base64 -w 0 "$1"; }

# write_kubeconfig USER FILE embeds the certificates, so that a copy works anywhere.
write_kubeconfig() {
  cat >"$2" <<YAML
apiVersion: v1
kind: Config
clusters:
  - name: test
    cluster: { server: "https://$node_ip:6443", certificate-authority-data: $(base64_of "$state/pki/ca.crt") }
users:
  - name: $1
    user: { client-certificate-data: $(base64_of "$state/pki/$1.crt"), client-key-data: $(base64_of "$state/pki/$1.key") }
contexts:
  - name: test
    context: { cluster: test, user: $1 }
current-context: test
YAML
  chmod 600 "$2"
}

# render TEMPLATE FILE
render() {
  sed -e "s|@state@|$state|g" -e "s|@run@|$run|g" -e "s|@cgroup@|$cgroup|g" -e "s|@network@|$network|g" -e "s|@bridge@|$bridge|g" \
    -e "s|@pod_cidr@|$pod_cidr|g" -e "s|@node_ip@|$node_ip|g" -e "s|@dns_ip@|$dns_ip|g" "$here/config/$1" >"$2"
}

# write_state KUBE
write_state() {
  local name containerd
  containerd=$(command -v containerd)
  mkdir -p "$state"/{bin,cni,config,logs,pki}
  for name in "${components[@]}" kubectl; do ln -s "$1" "$state/bin/$name"; done
  ln -sf "$containerd" "$state/bin/containerd"
  write_certificates
  write_kubeconfig admin "$state/kubeconfig"
  write_kubeconfig node "$state/config/node.kubeconfig"
  for name in containerd.toml kubelet.yaml dns.yaml Corefile; do render "$name" "$state/config/$name"; done
  render cni.conflist "$state/cni/10-bridge.conflist"
}
