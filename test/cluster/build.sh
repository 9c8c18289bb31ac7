# shellcheck shell=bash
# Builds the cluster's own programs into the user's cache, under names made from their sources: a name is never rebuilt. Sourced.
: "${here:?}" "${repository:?}"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/loadtest

# hash_of FILE... is a short name for the contents of the files.
hash_of() { cat "$@" | sha256sum | cut -c 1-16; }

# go_build MODULE OUT [GO-BUILD-FLAG...]
go_build() {
  local module=$1 out=$2
  shift 2
  ensure_go "$module"
  mkdir -p "$cache"
  (cd "$module" && CGO_ENABLED=0 go build "$@" -o "$out.$$" .) >&2
  mv "$out.$$" "$out"
}

# build_kube prints the path of the multi-call Kubernetes binary.
build_kube() {
  local module=$here/kube out version minor
  out=$cache/kube-$(hash_of "$module"/{main.go,go.mod,go.sum})
  if [ ! -x "$out" ]; then
    say "Building Kubernetes from its Go modules: about 10 minutes on two cores, once"
    version=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' "$module/go.mod")
    minor=${version#v1.}
    go_build "$module" "$out" -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version \
      -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=${minor%%.*}"
  fi
  printf '%s\n' "$out"
}

# build_pause prints the path of the image archive that every Pod's sandbox is made of.
build_pause() {
  local module=$here/pause out
  out=$cache/pause-$(hash_of "$module/main.go" "$repository/scripts/oci-image.ts").tar
  if [ ! -f "$out" ]; then
    go_build "$module" "$out.pause" -ldflags "-s -w"
    oci_image --name localhost/pause:test --out "$out" --file "$out.pause:/pause" -- /pause >&2
    rm "$out.pause"
  fi
  printf '%s\n' "$out"
}

oci_image() { "$repository/node_modules/.bin/bun" "$repository/scripts/oci-image.ts" "$@"; }
