"""People who ask for pages: a load generator that one turns up on the board, in a process of its own, and who counts.

`agent` reads the Visitors objects through the client; `program` makes the requests. They share a protocol, no code.

What the agent publishes of each Visitors object once a second, under `lab.metrics.VISITORS` by `namespace/name`. Every
finished request is in `requests`, and in `errors` too if it failed; each error has one kind.

    epoch         when this count began, in seconds since 1970. Another epoch is another count, from zero: never take a
                  difference between two of them
    requests      how many were made and are over                errors    how many of them failed
    late          how many were due and not made, since `concurrency` were under way already
    inFlight      how many are under way
    rate          finished a second, and errorRate, the share of them that failed (0…1), over the last ten seconds
    p50 p95 p99   milliseconds until an answer was complete, over the last ten seconds; null without an answer
    statuses      {"200": n, "503": n}            all answers by their status
    failures      {"http": n, "timeout": n, …}    all errors by kind: http (an answer of 5xx), refused (nobody listens
                  at the front door), timeout, reset (closed before the answer was complete), malformed (no HTTP)
    lastFailures  the last ten, oldest first: {"time", "kind", "status", "pod", "version", "requestId", "message"}
    versions      {pod-template-hash: {"requests", "errors"; "rate", "errorRate", "p50", "p95", "p99"}}, totals and last
                  ten seconds, of who answered
    pods          {pod's name: {"requests", "errors", "version"}}, totals
    series        {"end": when the last of these seconds ended, since 1970; "requests": [n, …], "errors", "late", "p50",
                  "p95", "p99"}: up to sixty whole seconds, oldest first, all lists of one length

A pod and a version are known by the headers X-Orrery-Pod and X-Orrery-Version that the proxy adds to answers.
"""
