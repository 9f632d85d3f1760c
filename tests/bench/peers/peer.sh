# What the start scripts of the servers have in common; each sets a few names and sources this.
#
#   start PORT [WORKERS]   serves on 127.0.0.1:PORT, prints "ready PID URL" when a WebSocket can be
#                          opened, and lasts until it is ended, or its parent is
#   start --install        installs what is missing, and is done
#   start --version        prints what server that is
#
# A script has the functions `install_missing`, which must be quick when nothing is missing,
# `version`, and `serve`, which ends with exec of the server (the process whose CPU time counts), and
# sets `path` of the URL, and `scheme` when that is wss. What the server needs for a run goes to $work,
# what stays to $kept.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
name=$(basename "$here")
kept=$root/build/peers/$name
readonly start_deadline_s=120
scheme=${scheme:-ws}

usage() {
    echo "usage: $name/start PORT [WORKERS] | --install | --version" >&2
    exit 2
}

# Dies with its parent, however that ends. exec keeps the process, and what the kernel is told.
bind_to_parent() {
    local bound=${PEER_BOUND:-}
    unset PEER_BOUND
    if [ "${bound% *}" != "$$" ]; then
        PEER_BOUND="$$ $PPID" exec setpriv --pdeathsig TERM -- "$0" "$@"
    fi
    [ "$bound" = "$$ $PPID" ] || exit 1 # the parent ended before the kernel was told
}

pause() {
    read -rt 0.1 <> <(:) || true
}

is_open() { # PORT
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# One that nobody listens on now, below those that the system gives to clients.
free_port() {
    local candidate
    while :; do
        candidate=$((20000 + RANDOM % 10000))
        is_open "$candidate" || break
    done
    echo "$candidate"
}

upgrade_request() {
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' "$path" "$port"
    printf 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n'
    printf 'Sec-WebSocket-Protocol: v12.stomp\r\n\r\n'
}

# The first line of the server's answer.
ask() {
    local line=''
    if [ "$scheme" = wss ]; then
        read -rt 2 line < <({ upgrade_request; pause; } | openssl s_client -quiet -no_ign_eof -connect "127.0.0.1:$port") || true
    else
        { upgrade_request >&3; read -rt 2 line <&3; } 3<>"/dev/tcp/127.0.0.1/$port" || true
    fi
    echo "$line"
}

is_ready() {
    [[ $(ask 2>/dev/null) == "HTTP/1.1 101"* ]]
}

end() {
    trap - EXIT
    exec 2>/dev/null # on which the shell would say whom it has killed
    [ -z "${server:-}" ] || kill -KILL "$server" 2>/dev/null || true
    [ -z "${helper:-}" ] || kill -KILL "$helper" 2>/dev/null || true
    rm -rf "$work"
    exit "${1:-0}"
}

fail() { # WHY
    echo "$name: $1" >&2
    [ ! -e "$work/log" ] || tail -n 40 "$work/log" >&2
    end 1
}

run_server() {
    local deadline=$((SECONDS + start_deadline_s))
    work=$(mktemp -d)
    server='' helper=''
    trap 'end $?' EXIT
    trap 'end 0' TERM INT HUP
    ! is_open "$port" || fail "somebody listens on port $port already"
    # A thousand connections and more; not each runtime raises the limit for itself.
    ulimit -n "$(ulimit -Hn)"
    ! declare -F serve_helper >/dev/null || serve_helper
    # What dies with this script: the server is this very subshell, by exec.
    (serve) >"$work/log" 2>&1 </dev/null &
    server=$!
    until is_ready; do
        kill -0 "$server" 2>/dev/null || fail "it ended at its start"
        [ "$SECONDS" -lt "$deadline" ] || fail "not ready within $start_deadline_s s"
        pause
    done
    echo "ready $server $scheme://127.0.0.1:$port$path"
    wait "$server" || fail "it ended with $?"
    end 0
}

case ${1:-} in
--install) install_missing ;;
--version) version ;;
'' | *[!0-9]*) usage ;;
*)
    bind_to_parent "$@"
    port=$1
    workers=${2:-1}
    install_missing
    run_server
    ;;
esac
