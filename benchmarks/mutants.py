"""Applies small errors to the engines, one at a time, and tells which check notices each.

    python benchmarks/mutants.py --results mutants.jsonl

It works in a temporary copy of this source tree, with a build folder of its own, of which only one instruction set is
built again after a mutation. Each mutant goes through the conformance campaign, which ends at its first fault, then
through the tests closest to the change, and a mutant that is left through all tests. The command ends with status 1 if
one survives, or if a mutation no longer applies. `--results` keeps results in a file, and a later call does the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from campaign.mutations import MUTATIONS, Mutation
from systems.machine import described

ROOT = Path(__file__).parents[1]
_COPIED = ("native", "src", "tests", "benchmarks", "docs", "CMakeLists.txt", "pyproject.toml", "README.md", "LICENSE")
_SEED = 1  # of the campaign: so it can be repeated
_PATIENCE = 3  # times the campaign's time, after which a mutant counts as one that hangs
_OF_TESTS = 3600  # seconds
_LEFT_OUT = (
    "--deselect",
    "tests/benchmarks/test_conformance.py::test_each_mutation_applies_once",
)  # fails in each mutant

# What an installation leaves in a virtual environment finds the package where it was installed from; not so here.
_SITECUSTOMIZE = """import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "ScikitBuildRedirectingFinder"]
"""


def unfit(mutation: Mutation, root: Path = ROOT) -> str | None:
    """Return why a mutation cannot be applied, or None."""
    file = root / mutation.file
    times = file.read_text().count(mutation.old) if file.exists() else 0
    return None if times == 1 else f"{mutation.name!r} does not apply: its text occurs {times} times in {mutation.file}"


@dataclass
class Copy:
    """A copy of the source tree that can be mutated, built and tested.

    Attributes
    ----------
    root : Path
    isa : str
        The instruction set that is built again and tested.
    """

    root: Path
    isa: str

    def make(self) -> None:
        """Copy the tree and build its native engine."""
        for name in _COPIED:
            source, target = ROOT / name, self.root / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
            else:
                shutil.copy2(source, target)
        (self.root / "src" / "sitecustomize.py").write_text(_SITECUSTOMIZE)
        options = ["-G", "Ninja", f"-DPython_EXECUTABLE={sys.executable}", "-DCMAKE_BUILD_TYPE=Release"]
        for command in (["cmake", "-S", ".", "-B", "build", *options], ["ninja", "-C", "build"]):
            subprocess.run(command, cwd=self.root, check=True, stdout=subprocess.DEVNULL)
        self._take_library()

    def build(self) -> bool:
        """Compile what has changed, for one instruction set, and link; tell whether that worked."""
        objects = [
            f"CMakeFiles/kernels_{self.isa}.dir/native/kernels.cpp.o",
            "CMakeFiles/_native.dir/native/module.cpp.o",
        ]
        library = next((self.root / "build").glob("_native*.so")).name
        if self._build_command("ninja", *objects).returncode:
            return False
        # The library is linked by its own command, so that the other instruction sets stay as they were.
        link = self._build_command("ninja", "-t", "commands", library).stdout.splitlines()[-1]
        linked = self._build_command(*shlex.split(link.removeprefix(": && ").removesuffix(" && :")))
        self._take_library()
        return linked.returncode == 0

    def _build_command(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.root / "build", capture_output=True, text=True)

    def _take_library(self) -> None:
        library = next((self.root / "build").glob("_native*.so"))
        target = self.root / "src" / "chainrule" / "engines" / library.name
        target.unlink(missing_ok=True)  # a process may have it open
        shutil.copy2(library, target)

    def run(self, *command: str, seconds: float) -> tuple[int | None, str]:
        """Run Python in the copy, and return its status, None if it took too long, and its output."""
        environment = os.environ | {"PYTHONPATH": str(self.root / "src"), "CHAINRULE_ISA": self.isa}
        try:
            done = subprocess.run(
                [sys.executable, *command],
                cwd=self.root,
                env=environment,
                timeout=seconds,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except subprocess.TimeoutExpired:
            return None, "took too long"
        return done.returncode, done.stdout

    def campaign(self, minutes: float) -> str | None:
        """Return what the campaign finds wrong, or None."""
        options = ("--first", "--seed", str(_SEED), "--minutes", str(minutes))
        status, output = self.run("benchmarks/conformance.py", *options, seconds=60.0 * minutes * _PATIENCE + 60.0)
        found = re.search(r"^FAULT: (.*)$", output, re.MULTILINE)
        return None if status == 0 else found[1] if found else output.strip().splitlines()[-1]

    def tests(self, *of: str) -> str | None:
        """Return the first test that fails, or None: of those in some files without the slow ones, or of all."""
        existing = [name for name in of if (self.root / name).exists()]
        options = ["-o", "addopts=", "-m", "not slow", *existing] if of else ["-m", "slow or not slow"]
        status, output = self.run("-m", "pytest", "-q", "-x", *options, *_LEFT_OUT, seconds=_OF_TESTS)
        found = re.search(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
        return None if status == 0 else found[1] if found else output.strip().splitlines()[-1]


def judged(copy: Copy, mutation: Mutation, minutes: float) -> tuple[str, str]:
    """Return which check notices a mutation, and what it says.

    Tests count only if they pass once the mutation is taken back.
    """
    file = copy.root / mutation.file
    text, is_native = file.read_text(), mutation.file.startswith("native/")
    file.write_text(text.replace(mutation.old, mutation.new))
    try:
        by, found = _noticed(copy, mutation, minutes) if not is_native or copy.build() else ("not built", "")
    finally:
        file.write_text(text)
        if is_native and not copy.build():
            sys.exit(f"the engine cannot be built without the mutation {mutation.name!r}")
    files = {"closest tests": mutation.tests, "all tests": ()}
    if by in files and (fails := copy.tests(*files[by])):
        sys.exit(f"tests fail without a mutation, too: {fails}")
    return by, found


def _noticed(copy: Copy, mutation: Mutation, minutes: float) -> tuple[str, str]:
    """Return which check notices that a copy is a mutant, and what it says."""
    if found := copy.campaign(minutes):
        return "campaign", found
    if found := copy.tests(*mutation.tests):
        return "closest tests", found
    if found := copy.tests():
        return "all tests", found
    return "SURVIVED", ""


def main() -> None:
    """Print a line for each mutant, and how many each check notices."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="mutants whose name, or file, contains this")
    parser.add_argument("--minutes", type=float, default=1.0, help="of the campaign")
    parser.add_argument("--isa", default="avx2", help="the instruction set that is built and tested")
    parser.add_argument("--results", type=Path, help="a file that keeps results; mutants in it are not tried again")
    options = parser.parse_args()
    wanted = [one for one in MUTATIONS if (options.only or "") in f"{one.file} {one.name}"]
    flaws = [flaw for one in wanted if (flaw := unfit(one))]
    known: dict[str, list[str]] = {}
    if options.results is not None and options.results.exists():
        known = {one["name"]: one["result"] for one in map(json.loads, options.results.read_text().splitlines())}
    print(described(), *flaws, sep="\n")
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder), options.isa)
        copy.make()
        if found := copy.campaign(0.2):
            sys.exit(f"the campaign fails without a mutation: {found}")
        print(f"\n{'mutant':52}{'noticed by':16}{'seconds':>8}  what it says")
        for mutation in wanted:
            if unfit(mutation):
                continue
            begin = time.monotonic()
            if mutation.name not in known:
                known[mutation.name] = list(judged(copy, mutation, options.minutes))
                if options.results is not None:
                    with options.results.open("a") as file:
                        print(json.dumps({"name": mutation.name, "result": known[mutation.name]}), file=file)
            by, what = known[mutation.name]
            counts[by] += 1
            print(f"{mutation.name:52}{by:16}{time.monotonic() - begin:8.1f}  {what:.100}", flush=True)
    print(f"\n{counts.total()} mutants: " + ", ".join(f"{number} by {by}" for by, number in counts.most_common()))
    sys.exit(bool(flaws or counts["SURVIVED"] or counts["not built"]))


if __name__ == "__main__":
    main()
