"""One end of a cluster's network where that stands on several engines: what is for nodes elsewhere goes out by standard
output, and what comes from there by standard input is put into the network. Linux only.

`python -m program.link RANGE…`: the ranges of the other end. In Kubernetes a network plugin does this; flannel's oldest
way ("udp") is this one, a program between two wires. Frames go as they are, so a pod elsewhere is a neighbour: it is
asked for by ARP, and answers. The kernel hands over whole segments of a TCP stream, up to 64 KiB in a frame, with a
note on how to cut them and where the checksum is missing (virtio's header); the other kernel takes both back.
"""

import ctypes
import ipaddress
import os
import socket
import struct
import sys
import threading

# linux/if_packet.h, linux/if_ether.h, linux/virtio_net.h; Python does not name them all.
SOL_PACKET, ADD_MEMBERSHIP, VNET_HEADER, PROMISCUOUS, ATTACH_FILTER = 263, 1, 15, 1, 26
ALL, IPV4, ARP = 0x0003, 0x0800, 0x0806
ETHER_TYPE, ARP_TARGET, IPV4_DESTINATION = 12, 38, 30
MOST = 1 << 17  # of a frame with its header
LENGTH = struct.Struct(">I")

# Classic BPF, linux/filter.h: the opcodes of what is needed.
LOAD_HALF, LOAD_WORD, AND, JUMP_IF_EQUAL, JUMP, RETURN = 0x28, 0x20, 0x54, 0x15, 0x05, 0x06
STORE, LOAD_STORED = 0x02, 0x60


def program(ranges: list[str]) -> list[tuple[int, int, int, int]]:
    """A filter that takes IPv4 and ARP for these ranges: (opcode, jump if true, if false, constant) of each step."""
    steps = [
        (LOAD_HALF, 0, 0, ETHER_TYPE),
        (JUMP_IF_EQUAL, 0, 2, IPV4),
        (LOAD_WORD, 0, 0, IPV4_DESTINATION),
        (JUMP, 0, 0, 3),
        (JUMP_IF_EQUAL, 1, 0, ARP),
        (RETURN, 0, 0, 0),
        (LOAD_WORD, 0, 0, ARP_TARGET),
        (STORE, 0, 0, 0),
    ]
    for network in map(ipaddress.IPv4Network, ranges):
        steps += [
            (LOAD_STORED, 0, 0, 0),
            (AND, 0, 0, int(network.netmask)),
            (JUMP_IF_EQUAL, 0, 1, int(network.network_address)),
            (RETURN, 0, 0, MOST),
        ]
    return [*steps, (RETURN, 0, 0, 0)]


def tap(ranges: list[str], device: str) -> socket.socket:
    """A socket that hears what passes for these ranges, whoever it is addressed to. Raises OSError."""
    steps = b"".join(struct.pack("HBBI", *step) for step in program(ranges))
    kept = ctypes.create_string_buffer(steps)
    attached = struct.pack("HP", len(steps) // 8, ctypes.addressof(kept))
    found = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # nothing comes before it is bound
    found.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, attached)
    found.setsockopt(SOL_PACKET, VNET_HEADER, 1)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    found.bind((device, ALL))
    everybody = struct.pack("IHH8s", socket.if_nametoindex(device), PROMISCUOUS, 0, b"")
    found.setsockopt(SOL_PACKET, ADD_MEMBERSHIP, everybody)
    return found


def outward(wire: socket.socket, out: int) -> None:
    buffer = memoryview(bytearray(LENGTH.size + MOST))
    while True:
        size = wire.recv_into(buffer[LENGTH.size :])
        LENGTH.pack_into(buffer, 0, size)
        left = buffer[: LENGTH.size + size]
        while left:
            left = left[os.write(out, left) :]


def inward(wire: socket.socket, source: int) -> None:
    """Until it ends. A frame that the kernel does not take is lost, as on any wire."""
    with open(source, "rb", buffering=1 << 18, closefd=False) as frames:
        while len(head := frames.read(LENGTH.size)) == LENGTH.size:
            frame = frames.read(LENGTH.unpack(head)[0])
            try:
                wire.send(frame)
            except OSError as error:
                print(f"a frame of {len(frame)} bytes is lost: {error}", file=sys.stderr)


def main() -> None:
    wire = tap(sys.argv[1:], "eth0")
    threading.Thread(target=outward, args=(wire, 1), daemon=True).start()
    inward(wire, 0)
    os._exit(0)  # the other thread waits for the kernel


if __name__ == "__main__":
    main()
