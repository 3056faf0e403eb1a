#!/usr/bin/env python3
"""Models of real NICs: QEMU boots a Debian kernel in which virtio-net and e1000e belong to vfio-pci
behind an IOMMU, Postern takes each in turn with DPDK's driver, and a client on the host submits
mail over 465. The guest prints what is in the spool on its console.

    qemu_nic.py             POSTERN_BUILD: the build directory, without sanitizers

Needs qemu-system-x86, busybox-static and cpio; the kernel's package is fetched once, unpacked into
/var/cache/postern/qemu, and never installed. Exit 77 with the reason where one is missing.
Run by hand: with QEMU's emulated processor it takes half a minute, and the kernel a download.
"""

import glob
import os
import re
import shutil
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from harness import HEADER, PASSWORD, USER, Problem, password_hash, run, wait_for

CACHE = os.environ.get("POSTERN_CACHE", "/var/cache/postern") + "/qemu"
GUEST, ROUTER = "10.0.2.15", "10.0.2.2"  # of QEMU's user network
NICS = {"virtio-net-pci": "0000:00:03.0", "e1000e": "0000:00:04.0"}
OPTIONS = {"virtio-net-pci": ",disable-legacy=on,iommu_platform=on", "e1000e": ""}
MODULES = ("irqbypass", "vfio", "vfio_virqfd", "vfio_iommu_type1", "vfio-pci-core", "vfio-pci",
           "loop")
DRIVERS = ("bus_pci", "bus_vdev", "mempool_ring", "net_virtio", "net_e1000")
BOOT_S = 120
MESSAGE = b"Subject: by a NIC\r\n" + HEADER + b"\r\nover %s\r\n"

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mkdir -p /dev/shm /tmp /run /spool
mount -t tmpfs tmp /run
for m in %(modules)s; do insmod /modules/$m.ko || echo "MODULE $m FAILED"; done
dd if=/dev/zero of=/disk bs=1M count=200 2>/dev/null
mke2fs -F /disk >/dev/null 2>&1
mount -t ext4 -o loop /disk /spool || echo "MOUNT FAILED"
ifconfig lo 127.0.0.1
for nic in %(nics)s; do
    echo vfio-pci > /sys/bus/pci/devices/$nic/driver_override
    echo $nic > /sys/bus/pci/drivers_probe
    echo "GUEST $nic group $(basename $(readlink /sys/bus/pci/devices/$nic/iommu_group))"
    sed "s/NIC/$nic/" /postern.conf > /run/postern.conf
    rm -rf /spool/*
    /postern -c /run/postern.conf &
    pid=$!
    until /postern-spool -d /spool list 2>/dev/null | grep -q example || ! kill -0 $pid; do
        sleep 1
    done
    kill $pid
    wait $pid
    echo "GUEST $nic ended $?"
    cat /run/log
    rm -f /run/log
    for id in $(/postern-spool -d /spool list | grep -v ^ID | cut -d' ' -f1); do
        echo "GUEST $nic MESSAGE"; /postern-spool -d /spool cat $id; echo "GUEST $nic END"
    done
done
echo "GUEST done"
poweroff -f
"""

CONFIG = """hostname = "mail.example.org"
user = ""
users = "/users"
log { level = info file = "/run/log" }
device {
    eal = { "--no-huge", "--no-shconf", "-m", "256", "--no-telemetry", "-a", "NIC" }
    address = "%s/24"
    gateway = "%s"
}
workers { count = 1 helpers = 1 idle = sleep }
listener submissions { address = "%s" path = dpdk }
tls { certificate { chain = "/cert.pem" key = "/key.pem" } }
spool { directory = "/spool" size = 160M }
"""


def skip(reason):
    print("skipped: " + reason)
    sys.exit(77)


def kernel():
    """The folder with Debian's kernel, unpacked: boot/ and lib/modules/."""
    if not glob.glob(CACHE + "/boot/vmlinuz-*"):
        os.makedirs(CACHE, exist_ok=True)
        try:
            text = run("apt-cache", "depends", "linux-image-cloud-amd64").decode()
            name = re.search(r"Depends: (linux-image-\S+)", text).group(1)
            run("apt-get", "download", name, cwd=CACHE, timeout=300)
        except (Problem, AttributeError, subprocess.TimeoutExpired) as e:
            skip("no kernel to boot: %s" % e)
        for package in glob.glob(CACHE + "/*.deb"):
            run("dpkg-deb", "-x", package, CACHE)
            os.unlink(package)
    return CACHE


def libraries(paths):
    """All that these programs and libraries load."""
    found = set()
    for path in paths:
        found.update(re.findall(r"(/\S+) \(0x", run("ldd", path).decode()))
    return found


class Image:
    """An initramfs as a folder."""

    def __init__(self, root):
        self.root = root

    def put(self, source, target):
        path = self.root + target
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(source, path)

    def put_library(self, path):
        """As one file, whatever its names: a driver that is loaded twice registers twice."""
        real = os.path.realpath(path)
        if not os.path.exists(self.root + real):
            self.put(real, real)
        if not os.path.lexists(self.root + path):
            os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
            os.symlink(real, self.root + path)

    def write(self, target, text, mode=0o644):
        with open(self.root + target, "w") as f:
            f.write(text)
        os.chmod(self.root + target, mode)

    def pack(self, target):
        with open(target, "wb") as out:
            run_shell("find . | cpio -o -H newc -R 0:0 --quiet", self.root, out)


def run_shell(command, folder, out):
    if subprocess.run(command, shell=True, cwd=folder, stdout=out, check=False).returncode != 0:
        raise Problem(command)


def build_image(work, base):
    build = os.environ["POSTERN_BUILD"]
    image = Image(work + "/root")
    pmds = glob.glob("/usr/lib/x86_64-linux-gnu/dpdk/pmds-*")[0]
    drivers = [p for d in DRIVERS for p in glob.glob("%s/librte_%s.so.*" % (pmds, d))]
    programs = [build + "/gateway/postern", build + "/spool/postern-spool"]
    for path in libraries(programs + drivers) | set(drivers):
        image.put_library(path)
    for path in programs:
        image.put(path, "/" + os.path.basename(path))
    image.put("/bin/busybox", "/bin/busybox")
    for name in MODULES:
        image.put(glob.glob(base + "/lib/modules/*/kernel/**/%s.ko" % name, recursive=True)[0],
                  "/modules/%s.ko" % name)
    for name in ("proc", "sys", "dev"):
        os.makedirs(image.root + "/" + name)
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-days", "2", "-subj", "/CN=mail.example.org", "-keyout", image.root + "/key.pem", "-out",
        image.root + "/cert.pem")
    image.write("/users", "%s:%s\n" % (USER, password_hash(PASSWORD)))
    image.write("/postern.conf", CONFIG % (GUEST, ROUTER, GUEST))
    image.write("/init", INIT % {"modules": " ".join(MODULES), "nics": " ".join(NICS.values())},
                0o755)
    image.pack(work + "/initramfs")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Guest:
    def __init__(self, work, base):
        self.said = ""
        self.ports = {nic: free_port() for nic in NICS}
        command = ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-cpu", "max",
                   "-smp", "2", "-m", "1280", "-nographic", "-no-reboot",
                   "-kernel", glob.glob(base + "/boot/vmlinuz-*")[0],
                   "-initrd", work + "/initramfs",
                   "-append", "console=ttyS0 quiet intel_iommu=on panic=-1",
                   "-device", "intel-iommu"]
        for nic, at in NICS.items():
            command += ["-netdev", "user,id=%s,hostfwd=tcp:127.0.0.1:%d-%s:465"
                        % (nic, self.ports[nic], GUEST),
                        "-device",
                        "%s,netdev=%s,addr=%s,romfile=%s" % (nic, nic, at[-4:], OPTIONS[nic])]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.said += line.decode(errors="replace").replace("\r", "")

    def wait_for(self, text):
        wait_for("'%s' on the console" % text,
                 lambda: text in self.said or self.process.poll() is not None, BOOT_S)
        if text not in self.said:
            raise Problem("the guest ended before '%s'" % text)

    def end(self):
        self.process.kill()
        self.process.wait()


def submit(guest, nic):
    """As soon as the gateway answers."""
    end = time.monotonic() + BOOT_S
    context = ssl._create_unverified_context()
    while True:
        try:
            with smtplib.SMTP_SSL("127.0.0.1", guest.ports[nic], context=context, timeout=20) as c:
                c.login(USER, PASSWORD)
                c.sendmail(USER, ["bob@example.net"], MESSAGE % nic.encode())
            return
        except (OSError, smtplib.SMTPServerDisconnected):
            if time.monotonic() > end or "GUEST %s ended" % NICS[nic] in guest.said:
                raise


def main():
    for program in ("qemu-system-x86_64", "busybox", "cpio"):
        if shutil.which(program) is None:
            skip("no " + program)
    begin = time.monotonic()
    base = kernel()
    work = tempfile.mkdtemp(prefix="postern-qemu-")
    guest = None
    try:
        build_image(work, base)
        guest = Guest(work, base)
        for nic, at in NICS.items():
            guest.wait_for("GUEST %s group" % at)
            submit(guest, nic)
            guest.wait_for("GUEST %s END" % at)
            kept = guest.said.split("GUEST %s MESSAGE\n" % at)[1].split("GUEST %s END" % at)[0]
            if "over %s\n" % nic not in kept:
                raise Problem("%s: not what was sent: %s" % (nic, kept))
            print("%s: kept as sent, after %.0f s" % (nic, time.monotonic() - begin))
        guest.wait_for("GUEST done")
        for at in NICS.values():
            if "GUEST %s ended 0\n" % at not in guest.said:
                raise Problem("%s: Postern did not end well" % at)
    except (Problem, OSError, smtplib.SMTPException) as problem:
        print(guest.said[-6000:] if guest else "")
        sys.exit("%s: %s" % (type(problem).__name__, problem))
    finally:
        if guest is not None:
            guest.end()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
