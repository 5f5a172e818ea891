"""What may be typed into the page's command line: kubectl, but for what reaches past the cluster. Pure.

The command runs on the server's machine, with the rights of whoever started the lab. So only what is listed here is let
through: a command or an option that a newer kubectl has, and a plug-in, are strangers. None of those listed reads or
writes a file, starts a program (but `diff`, its own), opens a port or asks another server. There is no shell; `-f -` is
what was pasted.
"""

import shlex
from itertools import zip_longest

COMMANDS = """
annotate api-resources api-versions apply attach auth autoscale cluster-info cordon create debug delete describe diff
drain events exec explain expose get help label logs patch replace rollout run scale set taint top uncordon version
wait
"""
ELSEWHERE = {
    "edit": "it opens an editor. Use patch, set, or apply -f - with the YAML",
    "cp": "it reads and writes files of this machine",
    "port-forward": "it opens a port of this machine. The front door leads to every service",
    "proxy": "it opens a port of this machine",
    "config": "it is about kubeconfigs, and this command line has the lab's own",
    "plugin": "plug-ins are programs of this machine",
    "kustomize": "it reads files of this machine",
}
# Those that change nothing, whatever their options; of some, only where the next word is one of these.
READS = """
api-resources api-versions cluster-info describe diff events explain get help logs top version wait
"""
READ_PARTS = {"apply": ["view-last-applied"], "auth": ["can-i", "whoami"], "rollout": ["history", "status"]}
LONG = """
--all --all-containers --all-namespaces --all-pods --allow-missing-template-keys --annotation --annotations
--api-group --api-version --arguments-only --as --as-group --as-uid --audience --bound-object-kind --bound-object-name
--cascade --categories --chunk-size --class --client --cluster-ip --clusterip --clusterrole --command --container
--containers --copy-to --cpu --cpu-percent --current-replicas --default-backend --delete-emptydir-data --description
--disable-eviction --dry-run --duration --env --expose --external-ip --external-name --field-manager --field-selector
--follow --for --force --force-conflicts --from --from-literal --global-default --grace-period --group --hard --help
--ignore-daemonsets --ignore-errors --ignore-not-found --image --image-pull-policy --keys --label-columns --labels
--limit-bytes --limits --list --load-balancer-ip --local --max --max-log-requests --max-unavailable --memory --min
--min-available --name --namespace --namespaced --no-headers --node-port --non-resource-url --now --output
--output-watch-events --override-type --overrides --overwrite --patch --pod-running-timeout --pod-selector --port
--preemption-policy --prefix --previous --protocol --prune --quiet --raw --recursive --replace --replicas
--request-timeout --requests --resource --resource-name --resource-version --restart --revision --role --rule
--same-node --save-config --schedule --scopes --selector --server-print --server-side --serviceaccount
--session-affinity --set-image --share-processes --show-events --show-kind --show-labels --show-managed-fields --since
--since-time --sort-by --subresource --sum --tail --target --target-port --tcp --timeout --timestamps --to-revision
--type --types --user --v --validate --value --verb --verbs --wait --watch --watch-only
"""
FLAGS = frozenset("Ahwq")  # of one letter, without a value; for logs f and p too
VALUED = frozenset("nlocLve")  # with one; for patch p too
RAW = "--raw"
TERMINAL = ("-i", "-t", "-it", "-ti", "--stdin", "--tty")
STDIN = ("-", "/dev/null")  # files that one may name: what was pasted, and nothing
OUTPUTS = ("json", "yaml", "kyaml", "wide", "name", "jsonpath", "jsonpath-as-json", "custom-columns", "go-template")


def arguments(typed: str) -> list[str]:
    """The arguments for kubectl in a line that somebody typed, with or without its name. Raises ValueError in words."""
    if "\0" in typed:
        raise ValueError("There is a character in it that no command can have.")
    words = _split(typed)
    if words[:1] == ["kubectl"]:
        words = words[1:]
    if not words:
        raise ValueError("Type a command of kubectl: get pods, describe node, rollout status deployment/web …")
    if words[0].startswith("-"):
        raise ValueError(f"The command comes first, its options after it: get {words[0]} …")
    if words[0] in ELSEWHERE:
        raise ValueError(f"{words[0]} is not for this command line: {ELSEWHERE[words[0]]}.")
    if words[0] not in COMMANDS.split():
        raise ValueError(f"This command line does not know {words[0]}. In a terminal of yours kubectl may.")
    _check(words[0], words[1:])
    return _one_address(words) if any(_is_raw(word) for word in _own(words)) else words


def addressed(words: list[str], cluster: str) -> tuple[str, list[str]]:
    """(the base path of the server, the arguments), so that it is asked within this cluster. Of `--raw` newer kubectls
    put the base before the address that is typed, older ones leave it out, and would ask whatever cluster is named."""
    base = f"/clusters/{cluster}"
    if words[1:2] != [RAW]:
        return base, words
    address = words[2] if words[2].startswith(f"{base}/") else base + words[2]
    return "", [words[0], RAW, address, *words[3:]]


def _one_address(words: list[str]) -> list[str]:
    """A command with `--raw` in its one form: without a base path, nothing else of it may be for the server to find."""
    command, raw, *rest = [part for word in words for part in (word.split("=", 1) if _is_raw(word) else [word])]
    bodies = ([], *(["-f", name] for name in STDIN))
    if raw != RAW or not rest or not rest[0].startswith("/") or rest[1:] not in bodies:
        raise ValueError("With --raw, a command has an address and no other option: get --raw /api/v1/nodes")
    return [command, raw, *rest]


def _is_raw(word: str) -> bool:
    return word.partition("=")[0] == RAW


def _own(words: list[str]) -> list[str]:
    """Without what comes after `--`, which is for the container."""
    return words[: words.index("--")] if "--" in words else words


def reads(words: list[str]) -> bool:
    """Whether a command changes nothing. A part that an option stands before is not looked for."""
    return words[0] in READS.split() or any(word in READ_PARTS.get(words[0], ()) for word in words[1:2])


def wants_input(words: list[str]) -> bool:
    """Whether the command reads what was pasted."""
    named = {"-f=-", "-f-", "--filename=-"}
    return bool(named & set(words)) or any(pair in (("-f", "-"), ("--filename", "-")) for pair in _pairs(words))


def _split(typed: str) -> list[str]:
    lexer = shlex.shlex(typed, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        words = list(lexer)
    except ValueError:
        raise ValueError("A quote is opened and not closed.") from None
    for word in words:
        if word and not word.strip("|&;<>"):
            raise ValueError(f"There is no shell here that would understand {word} — or put it in quotes.")
    return words


def _check(command: str, words: list[str]) -> None:
    """Look at every word that might be an option, even where kubectl would take it for the value of another: what is
    refused too often can be written with `=`, what is let through once too often cannot be taken back."""
    for word, following in _pairs(words):
        if word == "--":
            break  # what comes now is for the container
        if word.startswith("--"):
            _check_long(word, following)
        elif word.startswith("-") and word != "-":
            _check_short(command, word, following)
        if following == "--" and word.startswith("-") and word != "--command":
            raise ValueError(f"Write {word} somewhere else, not just before --.")


def _pairs(words: list[str]) -> list[tuple[str, str]]:
    return list(zip_longest(words, words[1:], fillvalue=""))


def _check_long(word: str, following: str) -> None:
    name, equals, value = word.partition("=")
    value = value if equals else following
    if name == "--filename":
        return _check_file(value)
    if name in TERMINAL:
        raise _no_terminal(name)
    if name not in LONG.split():
        raise ValueError(
            f"{name} is not for this command line: it is none of the options that stay within the cluster."
        )
    if name == "--output":
        _check_output(value)


def _check_short(command: str, word: str, following: str) -> None:
    logs = command == "logs"
    letter, value = word[1], word[2:].removeprefix("=") or following
    if word in TERMINAL:
        raise _no_terminal(word)
    if letter == "f" and not logs:
        return _check_file(value)
    if letter == "o":
        return _check_output(value)
    if letter in VALUED or letter == "p" and command == "patch":
        return None
    if set(word[1:]) - FLAGS - set("fp" if logs else ""):
        raise ValueError(f"{word} is not for this command line; options of one letter are written apart.")
    return None


def _check_file(name: str) -> None:
    if name not in STDIN:
        raise ValueError("Files of this machine cannot be named here: write -f - and paste what is in the file.")


def _check_output(form: str) -> None:
    if form.partition("=")[0] not in OUTPUTS:
        raise ValueError(f"-o {form} is not for this command line; there are: {', '.join(OUTPUTS)}.")


def _no_terminal(word: str) -> ValueError:
    return ValueError(f"{word} wants a terminal. Open a pod: its drawer has one.")
