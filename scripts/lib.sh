# Words that all scripts share: where things live, how a script talks, how it fails.
#
# Source it: . "$(dirname "$0")/lib.sh"
# A script says what it does before it does it (step), shows that a long thing is alive
# (run_quiet), and when something fails says what failed and what to do (fail).

POSTERN_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
POSTERN_CACHE=${POSTERN_CACHE:-/var/cache/postern}
POSTERN_JOBS=${POSTERN_JOBS:-$(nproc)}
# Scripts that call scripts share one clock.
export POSTERN_START=${POSTERN_START:-$EPOCHSECONDS}

# say TEXT...: one line, with the seconds since the first script began.
say()
{
    printf '[%4ds] %s\n' $((EPOCHSECONDS - POSTERN_START)) "$*"
}

# step TEXT...: a new stage begins.
step()
{
    printf '[%4ds] == %s\n' $((EPOCHSECONDS - POSTERN_START)) "$*"
}

# fail WHAT [TO-DO...]: what failed, then what to do, one line each; ends the script.
fail()
{
    printf '\n%s: failed: %s\n' "$(basename "$0")" "$1" >&2
    shift
    local line
    for line in "$@"; do
        printf '    %s\n' "$line" >&2
    done
    exit 1
}

# run_quiet LOG COMMAND...: runs with its output in LOG; while it runs, shows its last line every
# ten seconds so that a person sees it alive. Returns the command's status.
run_quiet()
{
    local log=$1 pid status beat=$SECONDS
    shift
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        if [ $((SECONDS - beat)) -ge 10 ]; then
            beat=$SECONDS
            say "   ... $(tail -c 2000 "$log" | tr '\r' '\n' | sed '/^[[:space:]]*$/d' |
                tail -n 1 | cut -c 1-100)"
        fi
    done
    status=0
    wait "$pid" || status=$?
    return "$status"
}

# end_children: ends what run_quiet left running, when the script itself ends early.
end_children()
{
    local pids
    pids=$(jobs -p)
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill $pids 2>/dev/null || true
    wait
}

# need_root WHY: the rest of the script needs root.
need_root()
{
    [ "$(id -u)" -eq 0 ] || fail "not root: $1" "Run it again as root (sudo $0)."
}

# disk_free DIR: MiB free where DIR is, or will be.
disk_free()
{
    local dir=$1
    while [ ! -e "$dir" ]; do
        dir=$(dirname "$dir")
    done
    df -Pm "$dir" | awk 'NR == 2 { print $4 }'
}
