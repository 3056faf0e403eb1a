#!/bin/bash
# Software devices of DPDK under the same code, against the kernel in network namespaces: ARP,
# ping of two sizes, a TCP echo of 25 MB and of eight connections at once, a clean end.
#
#     nic_devices.sh NIC_HOST NIC_PEER [DEVICE ...]     each a function run_DEVICE below
#
# Whatever it makes it removes, also when it fails. Exit 77 when not root.
set -euo pipefail

[ "$(id -u)" = 0 ] || { echo 'needs root: it makes network namespaces'; exit 77; }
[ $# -ge 2 ] || { echo "usage: $0 NIC_HOST NIC_PEER [DEVICE ...]"; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
host=$1
peer=$2
shift 2
[ $# -gt 0 ] || set -- tap tap_queues af_packet af_packet_queues af_xdp af_xdp_shared memif

near=pstn_near_$$ # the kernel's end
far=pstn_far_$$   # where a veth's other end and the host are
eal=(--no-huge -m 512 --no-shconf --no-telemetry --no-pci)
ours=198.18.0.2
theirs=198.18.0.1
work=$(mktemp -d)
pids=()

end_all() {
    for pid in ${pids[@]+"${pids[@]}"}; do
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    pids=()
}

clean() {
    end_all
    for ns in "$near" "$far"; do
        ip netns del "$ns" 2>/dev/null || true
    done
}

finish() {
    clean
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

fail() {
    echo "FAIL: $device: $*"
    sed 's/^/    /' "$work"/*.log
    exit 1
}

# start NAME NAMESPACE ADDRESS QUEUES EAL-ARGUMENT...: a host, until it is ready; sets mac.
start() {
    local name=$1 ns=$2 address=$3 queues=$4 out line
    shift 4
    exec {out}< <(exec ip netns exec "$ns" "$host" "$address" "$queues" "${eal[@]}" "$@" \
        2>"$work/$name.err.log")
    pids+=($!)
    mac=
    while read -r -t 60 -u "$out" line; do
        echo "$line" >>"$work/$name.log"
        case $line in
        mac\ *) mac=${line#mac } ;;
        eal\ * | device\ * | lacks\ *) echo "    $line" ;;
        ready) break ;;
        esac
    done
    cat <&"$out" >>"$work/$name.log" &
    exec {out}<&-
    [ -n "$mac" ] || fail "$name did not start: $(cat "$work/$name.err.log")"
}

# The host ends by SIGTERM with 0, and lost nothing on the way.
stop() {
    local pid=${pids[-1]} status=0
    unset 'pids[-1]'
    kill -TERM "$pid"
    wait "$pid" || status=$?
    [ "$status" = 0 ] || fail "the host ended with $status"
}

near() {
    ip netns exec "$near" "$@"
}

ping_host() {
    near ping -c 20 -i 0.05 -W 2 -q "$@" "$ours" >"$work/ping.log" || fail "no answer: ping $*"
}

# check MEGABYTES: everything that the kernel's end can ask of the host.
check() {
    ping_host
    ping_host -s 1472 -M do # full frames
    [ "$(near ip -4 neigh show "$ours" | sed 's/.*lladdr \([^ ]*\).*/\1/')" = "$mac" ] ||
        fail "ARP says $(near ip -4 neigh show "$ours"), not $mac"
    # The cache is emptied while packets go: it is asked anew.
    near ip neigh flush all
    ping_host
    near "$here/nic_echo.py" "$ours" "$1" 1 | tee "$work/echo.log" || fail 'one echo went wrong'
    near "$here/nic_echo.py" "$ours" 2 8 | tee "$work/echo.log" || fail 'eight echoes went wrong'
}

tap_up() {
    near ip addr add "$theirs/24" dev pstn_tap
    near ip link set pstn_tap up
}

# A veth whose far end is the host's. The near end must not leave checksums and segments to others.
veth_up() {
    ip netns add "$far"
    ip link add pstn_near netns "$near" numtxqueues "$1" numrxqueues "$1" type veth \
        peer name pstn_far netns "$far" numtxqueues "$1" numrxqueues "$1"
    near ip addr add "$theirs/24" dev pstn_near
    near ip link set pstn_near up
    ip netns exec "$far" ip link set pstn_far up
    near ethtool -K pstn_near tx off tso off gso off >"$work/ethtool.log" 2>&1 || fail ethtool
}

run_tap() {
    start host "$near" "$ours/24" 1 --vdev=net_tap0,iface=pstn_tap
    tap_up
    check 25
    stop
}

# Enough connections for two workers: by chance, one gets them all once in ten million runs.
many() {
    near "$here/nic_echo.py" "$ours" 1 24 | tee "$work/echo.log" || fail 'many echoes went wrong'
}

both_served() {
    for q in 0 1; do
        grep -q "^queue $q tcp_passive_opens" "$work/host.log" || fail "worker $q had no connection"
    done
    grep '^queue . net_strays' "$work/host.log" | sed 's/^/    /'
}

run_tap_queues() {
    start host "$near" "$ours/24" 2 --vdev=net_tap0,iface=pstn_tap
    tap_up
    check 5
    many
    stop
    both_served
}

run_af_packet() {
    veth_up 1
    start host "$far" "$ours/24" 1 --vdev=net_af_packet0,iface=pstn_far
    check 25
    stop
}

# One queue for two workers: what is of the second one is handed to it, and back.
run_af_xdp_shared() {
    veth_up 1
    start host "$far" "$ours/24" 2 --vdev=net_af_xdp0,iface=pstn_far
    check 5
    many
    stop
    both_served
    grep -q '^queue 1 net_strays_taken' "$work/host.log" || fail 'nothing was handed over'
}

run_af_packet_queues() {
    veth_up 2
    start host "$far" "$ours/24" 2 --vdev=net_af_packet0,iface=pstn_far,qpairs=2
    check 5
    many
    stop
    both_served
}

run_af_xdp() {
    veth_up 1
    start host "$far" "$ours/24" 1 --vdev=net_af_xdp0,iface=pstn_far
    check 25
    stop
}

# DPDK at both ends, over shared memory: no kernel between them.
run_memif() {
    local memif="socket=$work/memif.sock,socket-abstract=no"
    start host "$near" "$ours/24" 1 --file-prefix=pstn_a "--vdev=net_memif0,role=server,$memif"
    near "$peer" "$theirs" "$ours" "${eal[@]}" --file-prefix=pstn_b \
        "--vdev=net_memif0,role=client,$memif" 2>"$work/peer.err.log" || fail 'no answer'
    stop
}

for device in "$@"; do
    echo "$device"
    rm -f "$work"/*
    ip netns add "$near"
    near ip link set lo up
    "run_$device"
    clean
done
echo 'all devices passed'
