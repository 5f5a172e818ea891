"""Make `fields.json.gz` anew: `python -m lab.apiserver.protobuf.generate FOLDER`.

FOLDER is `k8s.io` of Kubernetes' own sources, holding `api` and `apimachinery`: Debian's packages `golang-k8s-api-dev`
and `golang-k8s-apimachinery-dev` (0.36) unpacked. From their `generated.proto` come the numbers and types of fields;
from the tags of the Go structs what the wire does not tell: names in JSON, what is inlined, and which zeros JSON leaves
out. Every stable version of every group is taken, whether the lab serves it or not; nothing of the folder is needed
afterwards.
"""

import gzip
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

TABLE = Path(__file__).with_name("fields.json.gz")
META = "apimachinery/pkg/apis/meta/v1"
OTHERS = (META, "apimachinery/pkg/runtime", "apimachinery/pkg/api/resource", "apimachinery/pkg/util/intstr")
STABLE = re.compile(r"v\d+$")

MESSAGE = re.compile(r"^message (\w+) \{\n(.*?)^\}", re.M | re.S)
PROTO_FIELD = re.compile(r"^  (?:(optional|repeated) ([\w.]+)|map<string, ([\w.]+)>) (\w+) = (\d+)", re.M)
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.M | re.S)
GO_FIELD = re.compile(r'^\t(?:\w+\s+)?([*\[\]\w.]+)\s+`json:"([^"]*)"[^`]*protobuf:"\w+,(\d+),', re.M)
GROUP = re.compile(r'const GroupName = "([^"]*)"')
SCALARS = {"string": "string", "bytes": "bytes", "bool": "bool", "int32": "int", "int64": "int"}

# What a message's fields do not tell: values that JSON writes in another form. `READERS` beside this file knows each.
SPECIAL = {
    f"{META}.Time": "time",
    f"{META}.MicroTime": "microtime",
    f"{META}.FieldsV1": "json",
    "apimachinery/pkg/runtime.RawExtension": "json",
    "apimachinery/pkg/api/resource.Quantity": "quantity",
    "apimachinery/pkg/util/intstr.IntOrString": "intorstring",
    "api/authentication/v1.ExtraValue": "strings",
    "api/authorization/v1.ExtraValue": "strings",
    "api/certificates/v1.ExtraValue": "strings",
}


def read_messages(root: Path, folder: str) -> dict[str, list[list]]:
    """Message → its fields, as `lab.apiserver.protobuf` describes them."""
    tags = go_tags(root / folder)
    text = without_comments((root / folder / "generated.proto").read_text())
    found = {}
    for message, body in MESSAGE.findall(text):
        fields = []
        for label, kind, map_value, proto_name, number in PROTO_FIELD.findall(body):
            go_type, json_tag = tags.get((message, number), ("", proto_name))
            name, *options = json_tag.split(",")
            flags = "m" if map_value else "r" if label == "repeated" else ""
            if not flags and not go_type.startswith("*") and {"omitempty", "omitzero"} & set(options):
                flags = "z"
            fields.append([int(number), name, type_of(map_value or kind, folder), flags])
        found[f"{folder}.{message}"] = fields
    return found


def without_comments(text: str) -> str:
    return re.sub(r"^\s*//.*\n", "", text, flags=re.M)


def go_tags(folder: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """(struct, number of the field) → (its Go type, its JSON tag)."""
    tags = {}
    for path in sorted(folder.glob("*.go")):
        if path.name == "generated.pb.go" or path.name.endswith("_test.go"):
            continue
        for struct, body in STRUCT.findall(path.read_text()):
            for go_type, json_tag, number in GO_FIELD.findall(body):
                tags[struct, number] = go_type, json_tag
    return tags


def type_of(kind: str, folder: str) -> str:
    """A scalar, a special form, or the full name of a message: `.k8s.io.api.core.v1.Pod` → `api/core/v1.Pod`."""
    if kind in SCALARS:
        return SCALARS[kind]
    package, _, name = kind.rpartition(".")
    home = package.removeprefix(".k8s.io.").replace(".", "/") if package else folder
    return SPECIAL.get(f"{home}.{name}", f"{home}.{name}")


def folders(root: Path) -> Iterator[tuple[str, str]]:
    """(folder of a stable version, its apiVersion)."""
    for path in sorted(root.glob("api/*/*/generated.proto")):
        if STABLE.match(path.parent.name):
            group = next(GROUP.finditer((path.parent / "register.go").read_text()))[1]
            yield str(path.parent.relative_to(root)), f"{group}/{path.parent.name}".removeprefix("/")


def reachable(messages: dict[str, list[list]], roots: set[str]) -> dict[str, list[list]]:
    found: dict[str, list[list]] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = messages[name]
            waiting += [kind for _, _, kind, _ in found[name] if "/" in kind]
    return found


def main() -> None:
    root = Path(sys.argv[1])
    versions = dict(folders(root))
    messages: dict[str, list[list]] = {}
    for folder in (*versions, *OTHERS):
        messages |= read_messages(root, folder)
    # A kind is a message with metadata; DeleteOptions come under whatever apiVersion they delete.
    roots = {
        f"{versions[folder]} {message}": f"{folder}.{message}"
        for folder, _, message in (name.rpartition(".") for name in messages)
        if folder in versions and any(field[1] == "metadata" for field in messages[f"{folder}.{message}"])
    }
    options = {" DeleteOptions": f"{META}.DeleteOptions"}
    kept = reachable(messages, {*roots.values(), *options.values()})
    text = json.dumps({"roots": roots | options, "messages": kept}, separators=(",", ":"), sort_keys=True)
    # No time in the file: the same sources give the same bytes.
    TABLE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{len(roots)} kinds, {len(kept)} messages, {TABLE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
