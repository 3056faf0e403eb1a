"""Frames that no honest stack would send, by a packet socket on the clients' interface of our own
namespace."""

import fcntl
import os
import socket
import struct

ETH_P_ALL = 3
SIOCGIFHWADDR = 0x8927


def _checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _macs(iface, address):
    """Our address and the gateway's, as ARP has it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        ours = fcntl.ioctl(s, SIOCGIFHWADDR, struct.pack("256s", iface.encode()))[18:24]
    with open("/proc/net/arp") as f:
        for line in f.readlines()[1:]:
            fields = line.split()
            if fields[0] == address and fields[5] == iface:
                return ours, bytes.fromhex(fields[3].replace(":", ""))
    raise RuntimeError("no ARP entry for %s on %s" % (address, iface))


def ip_frame(macs, src, dst, payload, proto=6, **wrong):
    """An Ethernet frame with IPv4; wrong: fields to be set to something else (length=, checksum=,
    version=)."""
    ours, theirs = macs
    length = wrong.get("length", 20 + len(payload))
    head = struct.pack(
        ">BBHHHBBH4s4s",
        wrong.get("version", 0x45),
        0,
        length,
        1,
        0x4000,
        64,
        proto,
        0,
        socket.inet_aton(src),
        socket.inet_aton(dst),
    )
    check = wrong.get("checksum", _checksum(head))
    return theirs + ours + b"\x08\x00" + head[:10] + struct.pack(">H", check) + head[12:] + payload


def tcp_segment(src, dst, sport, dport, flags=2, seq=1, **wrong):
    head = struct.pack(
        ">HHIIBBHHH", sport, dport, seq, 0, wrong.get("offset", 0x50), flags, 65535, 0, 0
    )
    pseudo = socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack(">BBH", 0, 6, len(head))
    check = wrong.get("checksum", _checksum(pseudo + head))
    return head[:16] + struct.pack(">H", check) + head[18:]


def _open(iface):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.bind((iface, 0))
    return s


def syn_flood(iface, address, port, count):
    """SYNs from `count` addresses and ports that nobody has. Returns how many were sent."""
    macs = _macs(iface, address)
    sent = 0
    with _open(iface) as s:
        for i in range(count):
            src = "198.19.%d.%d" % (i >> 8 & 0xFF, i & 0xFF)
            frame = ip_frame(
                macs, src, address, tcp_segment(src, address, 1024 + (i >> 16), port, seq=i)
            )
            try:
                s.send(frame)
                sent += 1
            except OSError:
                continue  # the interface's queue is full
    return sent


def broken_frames(iface, address, port):
    macs = _macs(iface, address)
    src = "198.18.0.1"
    good = tcp_segment(src, address, 5555, port)
    frames = [ip_frame(macs, src, address, good)[:n] for n in (14, 15, 20, 33, 34, 40, 53)]
    frames += [ip_frame(macs, src, address, good, length=n) for n in (0, 19, 30, 2000, 65535)]
    frames += [ip_frame(macs, src, address, good, version=v) for v in (0x40, 0x44, 0x4F, 0x55)]
    frames += [
        ip_frame(macs, src, address, good, checksum=1),
        ip_frame(macs, src, address, tcp_segment(src, address, 5555, port, checksum=1)),
        ip_frame(macs, src, address, tcp_segment(src, address, 5555, port, offset=0x10)),
        ip_frame(macs, src, address, tcp_segment(src, address, 5555, port, offset=0xF0)),
    ]
    frames += [ip_frame(macs, src, address, os.urandom(n)) for n in range(0, 60, 7)]
    with _open(iface) as s:
        for frame in frames:
            s.send(frame)
