"""Programs that measure, each beside what others need for the same in the same run. Not tests: `python -m tests.bench.bench_idle`."""
