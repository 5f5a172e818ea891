"""How a lesson's front matter must look, as JSON Schema: what `reading` checks it by, and what editors read.

Published by `manage.py lessons schema` and at `/lessons/schema.json`. What a schema cannot say (that a file exists,
that a claim can be read) `reading` checks after it.
"""

from typing import Any

RUNTIMES = ["docker", "process"]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _text(about: str) -> dict:
    return {"type": "string", "minLength": 1, "description": about}


def _object(about: str, properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict:
    return {
        "type": "object",
        "description": about,
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _one_of(ways: tuple[str, ...], among: str) -> dict:
    """`errorMessage` is what is said where that does not hold; editors know it too."""
    return {
        "oneOf": [{"required": [way]} for way in ways],
        "errorMessage": f"{among} has exactly one of {', '.join(ways)}",
    }


def _list(of: dict, about: str = "") -> dict:
    return {"type": "array", "items": of, "minItems": 1, "description": about}


MINUTES = {"type": "number", "exclusiveMinimum": 0, "description": "how long a careful reader takes"}
NAME = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "description": "small letters, digits and -"}
DURATION = {
    "type": "string",
    "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m)$",
    "description": "500ms, 20s or 2m",
}
CLAIM = _text("a claim of the cluster: `deployment/web ready == 3`, `pods app=web count >= 2`")
CLAIMS = {"anyOf": [CLAIM, _list(CLAIM)], "description": "one claim, or several that must hold together"}
SUBJECT = _text("`pods app=web`, `deployment/web`, or a kind alone; in another namespace: `pods app=web in shop`")

RIGHT = "true; or what the cluster has to show, when the step has passed, for this answer to be the right one"
ANSWER = _object(
    "one of the answers that can be chosen",
    {
        "id": NAME,
        "text": _text("what stands beside the button"),
        "right": {"anyOf": [{"type": "boolean"}, *CLAIMS["anyOf"]], "description": RIGHT},
        "misconception": _text("a name of misconceptions.yaml: what somebody believes who chooses this"),
        "because": _text("what is said to who chose this, when the cluster has given its verdict (Markdown)"),
    },
    ("id", "text"),
)
PREDICTION = {
    "id": NAME,
    "ask": _text("the question"),
    "answers": {**_list(ANSWER), "minItems": 2},
    "number": _text("instead of answers: the reading that a guessed number is compared with"),
    "unit": _text("of the number: ms, pods"),
    "within": {"type": "number", "exclusiveMinimum": 0, "description": "how far off is right: 0.2 is 20 %"},
}


ONE_OF_BOTH = {
    "oneOf": [{"required": ["answers"]}, {"required": ["number", "within"]}],
    "errorMessage": "it has answers, or a number and how far off is right (within)",
}
PREDICT = {**_object("what the learner commits to before they act", PREDICTION, ("ask",)), **ONE_OF_BOTH}
QUESTION = {**_object("a question of a quiz", PREDICTION, ("id", "ask")), **ONE_OF_BOTH}

MOMENT = {
    **_object(
        "something that the log tells",
        {
            "created": SUBJECT,
            "deleted": SUBJECT,
            "changed": SUBJECT,
            "by": _text("person, or who wrote it: replicaset-controller, scheduler, kubelet, kubectl"),
            "where": CLAIM,
            "within": DURATION,
            "count": {"type": "integer", "minimum": 1, "description": "so many of them"},
        },
    ),
    **_one_of(("created", "deleted", "changed"), "a moment"),
}
CHECK = {
    **_object(
        "what shows that the step is done: what came of it, not how",
        {
            "id": NAME,
            "text": _text("what is to be reached"),
            "fail": _text(
                "what is said while it is not, with readings in braces: `{deployment/web ready} of 3 are ready`"
            ),
            "state": CLAIMS,
            "always": CLAIMS,
            "history": _list(MOMENT, "what happened, in this order"),
            "questions": {"const": True, "description": "all questions of the step are answered, and rightly"},
            "within": DURATION,
            "after": {
                **NAME,
                "description": "the check further up that has to have passed before it is asked",
            },
        },
        ("id", "text"),
    ),
    **_one_of(("state", "always", "history", "questions"), "a check"),
}
HINT = _object(
    "help that fits",
    {"text": _text("Markdown"), "when": CLAIMS, "after": DURATION},
    ("text",),
)
WAYS = ("do", "kubectl", "apply", "delete", "http", "wait", "answer")
ACT = {
    "type": "object",
    "description": "one thing that is done to the cluster",
    "properties": {
        "do": _text("an act of the board: scale, image, kill, power-off …; what its form has stands beside it"),
        "kubectl": _text("what would be typed after kubectl"),
        "input": _text("the file that `-f -` reads"),
        "apply": _text("a file of the lesson, or of scenes/"),
        "delete": SUBJECT,
        "http": _text("`POST http://loans/faults?error=on`: a request to a Service, through the front door"),
        "wait": CLAIMS,
        "within": DURATION,
        "answer": {"type": "object", "description": "question → answer"},
        "label": _text("what stands on the button"),
    },
    **_one_of(WAYS, "an act"),
}
BUTTON = {**ACT, "required": ["label"]}
FAULT = _object(
    "what goes wrong by itself",
    {"after": DURATION, "every": DURATION, "acts": _list(ACT)},
    ("after", "acts"),
)

STEP = {
    "$schema": DIALECT,
    "title": "A step of a lesson of Orrery",
    **_object(
        "the front matter of a file `1-name.md`",
        {
            "title": _text("a few words"),
            "minutes": MINUTES,
            "start": _text(
                "the scene that Reset returns to: a file of the lesson, or of scenes/; without one it goes on"
            ),
            "predict": PREDICT,
            "questions": _list(QUESTION),
            "checks": _list(CHECK),
            "hints": _list(HINT),
            "faults": _list(FAULT),
            "explain": _text("`thread`: of what the learner did; or `why deployment/web`"),
            "solution": _list(ACT, "what the skip does, and what `lessons prove` proves the step by"),
            "speaker": _text("notes for who shows the slide"),
        },
        ("title", "minutes"),
    ),
}
LESSON = {
    "$schema": DIALECT,
    "title": "A lesson of Orrery",
    **_object(
        "the front matter of lesson.md",
        {
            "title": _text("a few words"),
            "track": _text("the heading that it stands under"),
            "minutes": MINUTES,
            "goals": _list(_text("what one can do afterwards")),
            "terms": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "word that is introduced here → what it means, in one sentence",
            },
            "runtimes": _list({"enum": RUNTIMES}, "where it can be played"),
            "speaker": _text("notes for who shows the slide"),
        },
        ("title", "track", "minutes"),
    ),
}
PUBLISHED = {
    "$schema": DIALECT,
    "title": "Lessons of Orrery: the front matter of lesson.md, or of a step",
    "$defs": {"lesson": LESSON, "step": STEP},
    "oneOf": [{"$ref": "#/$defs/lesson"}, {"$ref": "#/$defs/step"}],
}
