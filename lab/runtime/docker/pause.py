"""The program of a pause container: it sleeps for ever, and its network namespace is the pod's.

Kubernetes has one too (`registry.k8s.io/pause`, 60 lines of C). Ours is so small that it is written here as machine
code, which spares a compiler, a registry and a base image. Layout: the ELF-64 specification; numbers of system calls:
Linux, `arch/*/entry/syscalls` (x86: pause is 34) and `asm-generic/unistd.h` (arm64 has no pause, but ppoll, 73).
"""

import io
import struct
import tarfile

EM_X86_64, EM_AARCH64 = 62, 183
LOAD_ADDRESS = 0x400000
HEADERS = 64 + 56  # the ELF header and one program header

X86_64 = bytes.fromhex(
    "b822000000"  # again: mov eax, 34    pause()
    "0f05"  #              syscall
    "ebf7"  #              jmp again
)
AARCH64 = struct.pack(
    "<7I",
    0xD2800000,  # again: mov x0, #0      ppoll(NULL, 0, NULL, NULL): wait for nothing, for ever
    0xD2800001,  #        mov x1, #0
    0xD2800002,  #        mov x2, #0
    0xD2800003,  #        mov x3, #0
    0xD2800928,  #        mov x8, #73
    0xD4000001,  #        svc #0
    0x17FFFFFA,  #        b again
)
# By what Docker calls the architecture in its version.
PROGRAMS = {"amd64": (EM_X86_64, X86_64), "arm64": (EM_AARCH64, AARCH64)}


def executable(architecture: str) -> bytes:
    """A static Linux executable; raises KeyError for an architecture that has no program here."""
    machine, code = PROGRAMS[architecture]
    size = HEADERS + len(code)
    header = struct.pack(
        "<4sBBBB8xHHIQQQIHHHHHH",
        b"\x7fELF",
        2,  # 64 bits
        1,  # little endian
        1,
        0,
        2,  # an executable
        machine,
        1,
        LOAD_ADDRESS + HEADERS,  # where it starts
        64,  # the program header follows at once
        0,
        0,
        64,
        56,
        1,
        0,
        0,
        0,
    )
    # One segment, readable and executable (5), that is the whole file.
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, LOAD_ADDRESS, LOAD_ADDRESS, size, size, 0x1000)
    return header + segment + code


def root_filesystem(architecture: str) -> bytes:
    """The image's only layer, as a tar archive: `/pause`."""
    program = executable(architecture)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("pause")
        entry.mode = 0o755
        entry.size = len(program)
        tar.addfile(entry, io.BytesIO(program))
    return archive.getvalue()
