"""Steps one after the other, each in a process of its own, each kept once it is done.

A step's record holds a key made of its command and of what the steps before it left; where the key is the same and
its files are there, it is not run again. A step that failed keeps those that need it from running, and nothing else;
what can do without it is run without it, and again once it is there.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Literal

import mesoscope
from mesoscope.atomic import explained, make_directory, replacing
from mesoscope.errors import UsageError
from mesoscope_train.studies.plan import Step

State = Literal["done", "kept", "failed", "skipped", "not here"]
_CONTENTS = ("result.json", "bundle.json", "metrics.json")
"""The file of a directory that stands for its content."""
_PROGRAM = (sys.executable, "-m", "mesoscope")
_LAST_WORDS = 5.0
"""Seconds to read on what a step said, once it is over."""


@dataclass(frozen=True, slots=True)
class Record:
    """What became of a step.

    Attributes:
        step: its name.
        state: ``kept`` is done in an earlier call.
        seconds: it took; of the call that did it.
        reason: why it failed, was skipped or is not run here; of a step that is there, what it had to do without.
    """

    step: str
    state: State
    seconds: float = 0.0
    reason: str = ""

    @property
    def there(self) -> bool:
        """Whether its files may be read."""
        return self.state in ("done", "kept")


@dataclass(frozen=True, slots=True)
class _Kept:
    key: str
    seconds: float


def run_steps(
    steps: Sequence[Step],
    out: Path,
    *,
    redo: Collection[str] = (),
    tell: Callable[[str], None] = lambda sentence: None,
) -> dict[str, Record]:
    """Run what is not done yet, in order.

    Args:
        steps: each after those it needs.
        out: the study's directory, in which the commands run.
        redo: steps to run again, and with them all that need them.
        tell: is told what runs.

    Returns:
        Step to record.

    Raises:
        UsageError: `redo` names no step, or the directory cannot be written.
    """
    names = [step.name for step in steps]
    unknown = sorted(set(redo) - set(names))
    if unknown:
        raise UsageError(f"there is no step '{unknown[0]}'; the steps are: {', '.join(names)}")
    make_directory(out / "steps")
    runner = _Runner(out, frozenset(redo), {}, {}, tell)
    for number, step in enumerate(steps, start=1):
        where = f"[{number}/{len(steps)}] {step.name}"
        record = runner.run(step, where)
        runner.records[step.name] = record
        if record.there:
            runner.keys[step.name] = _left(step, out)
        took = f", {record.seconds:,.0f} s" if record.state in ("done", "failed") else ""
        tell(f"{where}: {record.state}{took}{f' ({record.reason})' if record.reason else ''}")
    return runner.records


@dataclass(frozen=True, slots=True)
class _Runner:
    """Runs one step after the other.

    Attributes:
        out: the study's directory.
        redo: steps to run again.
        records: of the steps so far.
        keys: what each of them left.
        tell: is told what is run.
    """

    out: Path
    redo: frozenset[str]
    records: dict[str, Record]
    keys: dict[str, str]
    tell: Callable[[str], None]

    def run(self, step: Step, where: str) -> Record:
        """Run a step unless it is kept, is not run here, or lacks what it needs."""
        if step.not_here is not None:
            return Record(step.name, "not here", reason=step.not_here)
        step, without = _spared(step, self.records)
        lacking = [name for name in step.needs if not self.records[name].there]
        if lacking:
            return Record(step.name, "skipped", reason=f"it needs {', '.join(lacking)}")
        key, kept = _key(step, self.keys), _read(self.out, step)
        stale = step.name in self.redo or (kept is not None and kept.key != key)
        if kept is not None and not stale and _missing(step, self.out) is None:
            return Record(step.name, "kept", kept.seconds, without)
        resumed = step.resume if not stale and step.makes and (self.out / step.makes[0]).exists() else None
        command = resumed or step.command
        self.tell(f"{where}: {step.title}: {shlex.join(('mesoscope', *command))}")
        record = self._do(step, key, command, anew=resumed is None)
        return replace(record, reason=without) if record.there else record

    def _do(self, step: Step, key: str, command: Sequence[str], anew: bool) -> Record:
        if anew:
            for made in step.makes:
                _remove(self.out / made)
        started = time.monotonic()
        code, last = _process(command, self.out, self.out / "steps" / f"{step.name}.log")
        seconds = round(time.monotonic() - started, 1)
        missing = _missing(step, self.out)
        if code not in step.codes:
            return Record(step.name, "failed", seconds, " ".join(last) or f"exit code {code}")
        if missing is not None:
            return Record(step.name, "failed", seconds, f"it ended well but left no {missing}")
        record = self.out / "steps" / f"{step.name}.json"
        with replacing(record) as partial, explained(record):
            partial.write_text(json.dumps(asdict(_Kept(key, seconds))) + "\n", encoding="utf-8")
        return Record(step.name, "done", seconds)


def _spared(step: Step, records: Mapping[str, Record]) -> tuple[Step, str]:
    """A step as it is run without what is not there but can be spared, and what that is, in words."""
    gone = {name: words for name, words in step.spares if not records[name].there}
    if not gone or len(gone) == len(step.spares):
        return step, ""
    command, resume = step.command, step.resume
    for words in gone.values():
        command = _left_out(command, words)
        resume = resume and _left_out(resume, words)
    needs = tuple(name for name in step.needs if name not in gone)
    return replace(step, command=command, resume=resume, needs=needs), f"without {', '.join(gone)}"


def _left_out(command: tuple[str, ...], words: tuple[str, ...]) -> tuple[str, ...]:
    for start in range(len(command) - len(words) + 1):
        if command[start : start + len(words)] == words:
            return command[:start] + command[start + len(words) :]
    return command


def _process(command: Sequence[str], out: Path, log: Path) -> tuple[int, list[str]]:
    """Run a command of this program in `out`; its exit code, and what it said last of what was wrong."""
    with explained(log), log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(  # noqa: S603 - this very program
            [*_PROGRAM, *command],
            cwd=out,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        assert process.stdout is not None and process.stderr is not None  # noqa: S101 - they are pipes
        said: list[str] = []
        readers = [
            threading.Thread(target=_pass_on, args=(process.stderr, file, said), daemon=True),
            threading.Thread(target=file.writelines, args=(process.stdout,), daemon=True),
        ]
        for reader in readers:
            reader.start()
        try:
            code = process.wait()
        except KeyboardInterrupt:
            process.wait()  # it was told too, and ends in its own way
            raise
        finally:
            for reader in readers:
                # what the step left running may hold its pipes open; the step itself is over
                reader.join(_LAST_WORDS)
    # a sentence of ours where there is one; of a traceback the line that names the fault
    errors = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
    return code, (errors or said)[-1:]


def _pass_on(pipe: IO[str], log: IO[str], said: list[str]) -> None:
    """Stderr of the step to ours and to its log, line by line."""
    for line in pipe:
        sys.stderr.write(f"    {line}")
        sys.stderr.flush()
        log.write(line)
        said.append(line.strip())


def _key(step: Step, keys: Mapping[str, str]) -> str:
    parts = (mesoscope.__version__, *step.command, *(keys[name] for name in step.needs))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _left(step: Step, out: Path) -> str:
    """A digest of what a step left, for the keys of those that need it."""
    sha = hashlib.sha256()
    for made in step.makes:
        for file in _stands_for(out / made):
            sha.update(file.name.encode())
            with file.open("rb") as opened:
                sha.update(hashlib.file_digest(opened, "sha256").digest())
    return sha.hexdigest()


def _stands_for(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        yield from (path / name for name in _CONTENTS if (path / name).is_file())


def _missing(step: Step, out: Path) -> str | None:
    return next((made for made in step.makes if not (out / made).exists()), None)


def _remove(path: Path) -> None:
    """What a step left half-done, inside the study's own directory."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _read(out: Path, step: Step) -> _Kept | None:
    try:
        found = json.loads((out / "steps" / f"{step.name}.json").read_text(encoding="utf-8"))
        return _Kept(str(found["key"]), float(found["seconds"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
