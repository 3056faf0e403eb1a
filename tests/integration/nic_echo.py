#!/usr/bin/env python3
"""nic_echo.py HOST MEGABYTES CONNECTIONS: sends so much on each of so many connections to port 7,
all at once, reads the same bytes back, compares them by SHA-256. Exit 1: some differ."""
import hashlib
import random
import socket
import sys
import threading
import time

TIMEOUT_S = 30


def echo(host, seed, size, results):
    data = random.Random(seed).randbytes(size)
    back = hashlib.sha256()
    got = 0
    try:
        with socket.create_connection((host, 7), timeout=TIMEOUT_S) as sock:
            def send():
                try:
                    sock.sendall(data)
                    sock.shutdown(socket.SHUT_WR)
                except OSError as error:
                    print(f'connection {seed}: sending: {error}')
            sender = threading.Thread(target=send)
            sender.start()
            while chunk := sock.recv(1 << 16):
                back.update(chunk)
                got += len(chunk)
            sender.join()
    except OSError as error:
        print(f'connection {seed}: {error} after {got} of {size} bytes')
    results[seed] = back.digest() == hashlib.sha256(data).digest()
    if not results[seed]:
        print(f'connection {seed}: {got} bytes back of {size}, not the same')


def main():
    host, size, count = sys.argv[1], int(float(sys.argv[2]) * 1e6), int(sys.argv[3])
    results = {}
    begin = time.monotonic()
    threads = [threading.Thread(target=echo, args=(host, i, size, results)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = 2 * size * count / 1e6 / (time.monotonic() - begin)
    right = sum(results.values())
    print(f'{right} of {count} connections echoed {size} bytes right, {rate:.1f} MB/s both ways')
    return 0 if right == count else 1


if __name__ == '__main__':
    sys.exit(main())
