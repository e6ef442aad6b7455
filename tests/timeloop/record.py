"""Record anew what timeloop-model says: python tests/timeloop/record.py PATH/TO/timeloop-model"""

from __future__ import annotations

import json
import lzma
import re
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from conftest import POINTS, RECORDED, Recording  # type: ignore[import-not-found]

from dse.timeloop import TimeloopEvaluator, write_inputs
from dse.timeloop.process import Finished, run_model

# Where the program was built and run is nobody's business.
_OWN_PLACE = re.compile(r"/[^ :]*(?=/problem-shapes|/timeloop-model)")


def _recording(finished: Finished) -> dict[str, object]:
    xml = None if finished.xml is None else finished.xml.decode()
    stderr = _OWN_PLACE.sub("/opt/timeloop", finished.stderr)
    return asdict(Recording(finished.status, stderr, xml, finished.statistics))


def main(path: str) -> None:
    evaluator = TimeloopEvaluator(path)
    recordings: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, point in POINTS.items():
            files = write_inputs(Path(scratch, name), *point)
            recordings[name] = _recording(run_model(evaluator.executable, files[0].parent, files, evaluator.seconds))
        lonely = Path(shutil.copy(evaluator.executable, scratch))
        files = write_inputs(Path(scratch, "no-library"), *POINTS["probe"])
        recordings["no-library"] = _recording(run_model(lonely, files[0].parent, files, evaluator.seconds))
        for name, text in {
            "unknown-shape": "problem: {shape: hexagonal}",
            "no-yaml": "problem: [",
            "no-arch": "problem: {}",
        }.items():
            file = Path(scratch, name, "in.yaml")
            file.parent.mkdir()
            file.write_text(text)
            recordings[name] = _recording(run_model(evaluator.executable, file.parent, [file], evaluator.seconds))
    with lzma.open(RECORDED, "wt", encoding="utf-8", preset=9) as file:
        json.dump({"origin": f"recorded from timeloop-model {evaluator.version}", "recordings": recordings}, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
