#!/usr/bin/env bash
# Real Kubernetes control planes for tests and for trying things by hand.
#
#   hack/envtest.sh assets   build the server binaries once, print their folder
#   hack/envtest.sh where    print that folder; fail if it is not built yet
#   hack/envtest.sh up       start three control planes and leave them running
#   hack/envtest.sh status   say what runs, and where its kubeconfigs are
#   hack/envtest.sh down     stop them and remove every trace
#
# Variables:
#   KUBEBUILDER_ASSETS    a folder with the binaries; used as it is, nothing is built
#   ENVTEST_K8S_VERSION   a Kubernetes minor that has a folder in hack/envtest
#                         (default: the one named in hack/envtest/default)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
modules=$here/envtest
tools=(etcd kube-apiserver kube-controller-manager kubectl)

say() { printf '%s\n' "$*" >&2; }
die() { say "envtest: $*"; exit 1; }

minor=${ENVTEST_K8S_VERSION:-$(<"$modules/default")}
# A full version is accepted too; its minor chooses the folder.
minor=$(cut -d. -f1,2 <<<"${minor#v}")
[[ -f $modules/$minor/go.mod ]] || die "no Kubernetes $minor here; there is: $(cd "$modules" && echo [0-9]*)"

# The version that a go.mod requires: the go.mod is where versions are pinned.
required() { sed -nE "s|^(require)?[[:space:]]*$2 (v[^ ]+).*|\2|p" "$modules/$1/go.mod" | head -n 1; }

k8s_version=$(required "$minor" k8s.io/kubernetes)
etcd_version=$(required etcd go.etcd.io/etcd/server/v3)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/carrier/envtest
built=$cache/$k8s_version-etcd-$etcd_version

complete() {
    local tool
    for tool in "${tools[@]}"; do [[ -x $1/$tool ]] || return 1; done
}

where() {
    if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
        printf '%s\n' "$KUBEBUILDER_ASSETS"
    elif complete "$built"; then
        printf '%s\n' "$built"
    else
        return 1
    fi
}

# Builds into a folder of its own and moves that into place as the last step, so
# that an interrupted build is never mistaken for a finished one. Of two that run
# at once the second waits for the lock and then finds the work done.
build() {
    command -v go >/dev/null || die "go is needed to build the servers: https://go.dev/doc/install"
    mkdir -p "$cache"
    exec 9>"$built.lock"
    if command -v flock >/dev/null; then
        flock --nonblock 9 || { say "envtest: waiting for another build"; flock 9; }
    fi
    if complete "$built"; then return; fi

    unfinished=$(mktemp -d "$built.unfinished.XXXXXX")
    trap 'rm -rf "$unfinished"' EXIT
    trap 'exit 130' INT TERM HUP
    say "envtest: building Kubernetes $k8s_version and etcd $etcd_version into $built"
    say "envtest: once only; about 7 minutes on 2 cores"

    # Without these the server calls itself v0.0.0, and clients refuse it.
    local version=k8s.io/component-base/version
    local stamp="-X $version.gitVersion=$k8s_version -X $version.gitTreeState=clean"
    stamp+=" -X $version.gitMajor=${minor%%.*} -X $version.gitMinor=${minor#*.}"
    # kubectl reads a second copy of the same variables.
    stamp+=" ${stamp//$version/k8s.io/client-go/pkg/version}"

    local tool started
    for tool in "${tools[@]}"; do
        started=$SECONDS
        case $tool in
        etcd) compile "$modules/etcd" "$tool" go.etcd.io/etcd/server/v3 "-s -w" ;;
        *) compile "$modules/$minor" "$tool" "k8s.io/kubernetes/cmd/$tool" "-s -w $stamp" ;;
        esac
        say "envtest: $tool built in $((SECONDS - started)) s"
    done
    complete "$unfinished" || die "the build is not complete"
    rm -rf "$built"
    mv "$unfinished" "$built"
    # Left by builds that were killed outright; the lock says nobody is at work on them.
    rm -rf "$built".unfinished.*
}

compile() { # module folder, binary, package, linker flags
    (cd "$1" && CGO_ENABLED=0 GOWORK=off GOFLAGS= go build -buildvcs=false -mod=readonly -trimpath -ldflags "$4" -o "$unfinished/$2" "$3")
}

assets() {
    [[ -n ${KUBEBUILDER_ASSETS:-} ]] || complete "$built" || (build)
    where
}

# The control planes for a person live here, and nothing of them elsewhere.
planes=$cache/up
names=(management eu-west-1 eu-west-2)

up() {
    if [[ -e $planes/stay ]] && running; then
        say "envtest: up already"
        usage_of_planes
        return
    fi
    [[ ! -e $planes ]] || down

    # Not in one: within $(…) a failure would not end the script.
    assets >/dev/null
    KUBEBUILDER_ASSETS=$(where)
    export KUBEBUILDER_ASSETS
    # The harness of the tests starts them, so that both are the same. cargo says on stderr what it compiles.
    local harness
    say "envtest: building the harness; a minute or two the first time"
    harness=$(cd "$here/.." && cargo build --locked --package planes --message-format=json-render-diagnostics |
        sed -nE 's/.*"executable":"([^"]*)".*/\1/p' | tail -n 1)
    say "envtest: starting three control planes"
    [[ -n $harness ]] || die "the test harness does not build"

    local log=$cache/up.log
    # In a process group of its own, so that Ctrl-C on this terminal does not reach it.
    set -m
    nohup "$harness" "$planes" </dev/null >"$log" 2>&1 &
    local pid=$!
    set +m
    while [[ ! -e $planes/stay ]]; do
        kill -0 "$pid" 2>/dev/null || { cat "$log" >&2; rm -f "$log"; die "the control planes did not start"; }
        sleep 0.2
    done
    rm -f "$log"
    usage_of_planes
}

running() { kill -0 "$(<"$planes/stay")" 2>/dev/null; }

usage_of_planes() {
    local name all=""
    for name in "${names[@]}"; do all+=${all:+:}$planes/$name.kubeconfig; done
    cat <<EOF
Three control planes are up. Their kubeconfigs:

$(for name in "${names[@]}"; do echo "  $planes/$name.kubeconfig"; done)

Use one:
  kubectl --kubeconfig $planes/management.kubeconfig get namespaces

Use all, by context:
  export KUBECONFIG=$all
  kubectl --context eu-west-1 get namespaces

Without a kubectl of your own:
  export PATH="\$PATH:$(where)"

They have no nodes: objects are stored, checked and watched, but no Pod runs.
hack/envtest.sh down stops them and removes their data.
EOF
}

status() {
    if [[ -e $planes/stay ]] && running; then
        local kubectl name
        kubectl=$(where)/kubectl
        for name in "${names[@]}"; do
            printf '%-12s %s\n' "$name" \
                "$("$kubectl" --kubeconfig "$planes/$name.kubeconfig" --request-timeout=5s get --raw /readyz 2>&1 | tail -n 1)"
        done
        usage_of_planes
    else
        echo "Nothing is up. hack/envtest.sh up starts three control planes."
    fi
}

down() {
    if [[ ! -e $planes ]]; then
        say "envtest: nothing is up"
        return
    fi
    # The harness ends when this file goes, and removes the folder when all is stopped.
    rm -f "$planes/stay"
    local tries=0
    while [[ -e $planes ]] && ((tries++ < 100)); do sleep 0.2; done
    # Still there after 20 s: nobody is left to remove it, as after a restart of the machine.
    rm -rf "$planes"
    say "envtest: all is stopped and removed"
}

main() {
    case ${1:-} in
    assets) assets ;;
    where) where || die "not built yet; run: hack/envtest.sh assets" ;;
    up) up ;;
    status) status ;;
    down) down ;;
    *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2; exit 64 ;;
    esac
}

# One line, so that bash reads no further: a build is long, and this file may change meanwhile.
main "$@"; exit
