"""Commands of kubectl in all their ways against the API alone: word by word what is read.

What is tried already elsewhere, one by one, is not tried again here: see test_kubectl*.py here and in tests/flow.
"""

from pathlib import Path

import pytest

from ..transcripts import deviations, shell

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)
def test_what_is_read_is_what_kubernetes_says(transcript, kubectl, kubeconfig, tmp_path):
    read_otherwise = deviations(transcript.read_text(), shell(kubectl, kubeconfig, tmp_path))
    if read_otherwise:
        pytest.fail(read_otherwise, pytrace=False)
