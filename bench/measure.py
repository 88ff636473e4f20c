"""Takes the measurements: short blocks, the subjects taking turns with one another, so that noise hits all alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bench.subjects import Conversation, Memory, Subject


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    stages: tuple[int, ...] = (1, 100, 500)  # the turn of a conversation at which measuring begins
    blocks: int = 5  # a stage, for each subject
    turns: int = 20  # a block
    warm_up: int = 20  # turns in a conversation of their own, not counted
    starts: int = 4  # of each subject; when there are several the first, from a cold disk, does not count


QUICK = Plan(stages=(1, 100), blocks=3, turns=10, warm_up=10, starts=1)


@dataclass(frozen=True)
class Block:
    """Turns that came one after another."""

    seconds: tuple[float, ...]
    cpu_seconds: float  # of all the subject's processes, over the whole block


@dataclass(frozen=True)
class Summary:
    """The blocks of one subject at one stage, in milliseconds a turn."""

    p50: float
    p95: float
    best_block: float  # the p50 of the block that the machine's other work disturbed least
    median_block: float  # the p50 of the block in the middle
    cpu: float
    turns: int


@dataclass
class Measured:
    """Everything measured of one subject."""

    title: str
    turns: dict[int, Summary] = field(default_factory=dict)  # by stage
    starts: list[float] = field(default_factory=list)  # seconds until ready, each time
    memory_ready: Memory = field(default_factory=Memory)
    memory_after: Memory = field(default_factory=Memory)
    answers: dict[str, int] = field(default_factory=dict)


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which `percent` of the values lie, between two of them in proportion (as numpy does)."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def summarise(blocks: Sequence[Block]) -> Summary:
    """Percentiles over all turns, and over the blocks."""
    every = [second * 1000 for block in blocks for second in block.seconds]
    middles = [percentile(block.seconds, 50) * 1000 for block in blocks]
    return Summary(
        p50=percentile(every, 50),
        p95=percentile(every, 95),
        best_block=min(middles),
        median_block=statistics.median(middles),
        cpu=sum(block.cpu_seconds for block in blocks) * 1000 / len(every),
        turns=len(every),
    )


async def start(subjects: Sequence[Subject], times: int, tell: Callable[[str], None]) -> dict[str, list[float]]:
    """Start the subjects `times` times, taking turns, each by itself until the last time, when all are left running.

    Returns the seconds until each was ready, without the first of several times. The caller stops the subjects.
    """
    took: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    for number in range(times):
        for subject in subjects:
            seconds = await subject.start()
            counts = number > 0 or times == 1
            if counts:
                took[subject.name].append(seconds)
            tell(f"  {subject.title}: ready after {seconds:.1f} s{'' if counts else ', which does not count'}")
            if number < times - 1:
                await subject.stop()
    return took


async def measure_turns(
    subjects: Sequence[Subject], plan: Plan, phrases: Iterator[str], tell: Callable[[str], None]
) -> dict[str, dict[int, Summary]]:
    """The turns of every running subject at every stage: {name: {stage: summary}}."""
    warm_up = take(phrases, plan.warm_up)
    for subject in subjects:
        conversation = await subject.open()
        await _block(subject, conversation, warm_up)
        await subject.close(conversation)
        subject.answers.clear()
    blocks: dict[tuple[str, int], list[Block]] = {(s.name, stage): [] for s in subjects for stage in plan.stages}
    # The first stage needs fresh conversations, one a block; the later ones share one that grows from stage to stage.
    long = {subject.name: await subject.open() for subject in subjects}
    for stage in plan.stages:
        if stage > 1:
            tell(f"  leading the conversations to turn {stage}")
            await _lead(subjects, long, stage, phrases)
        for number in range(plan.blocks):
            texts = take(phrases, plan.turns)
            # Another one begins each time: nobody is always the one who comes after the heaviest.
            for subject in _rotated(subjects, number):
                conversation = long[subject.name] if stage > 1 else await subject.open()
                block = await _block(subject, conversation, texts)
                blocks[subject.name, stage].append(block)
                if stage == 1:
                    await subject.close(conversation)
            tell(f"  turn {stage}, block {number + 1} of {plan.blocks}: {_middles(subjects, blocks, stage)}")
    for subject in subjects:
        await subject.close(long[subject.name])
    return {s.name: {stage: summarise(blocks[s.name, stage]) for stage in plan.stages} for s in subjects}


def take(phrases: Iterator[str], count: int) -> list[str]:
    """The next phrases; asking for more than there are is an error in the plan."""
    texts = [text for text, _ in zip(phrases, range(count), strict=False)]
    if len(texts) < count:
        raise ValueError("there are not enough phrases for this plan")
    return texts


async def _block(subject: Subject, conversation: Conversation, texts: Sequence[str]) -> Block:
    cpu = subject.cpu()
    seconds = [await subject.turn(conversation, text) for text in texts]
    return Block(tuple(seconds), subject.cpu() - cpu)


async def _lead(subjects: Sequence[Subject], long: dict[str, Conversation], stage: int, phrases: Iterator[str]) -> None:
    """Have all the turns that come before the stage; they are real ones and are not counted."""
    had = long[subjects[0].name].turns
    texts = take(phrases, max(0, stage - 1 - had))
    for subject in subjects:
        await _block(subject, long[subject.name], texts)


def _rotated(subjects: Sequence[Subject], by: int) -> list[Subject]:
    by %= len(subjects)
    return [*subjects[by:], *subjects[:by]]


def _middles(subjects: Sequence[Subject], blocks: dict[tuple[str, int], list[Block]], stage: int) -> str:
    middles = ((s.name, percentile(blocks[s.name, stage][-1].seconds, 50) * 1000) for s in subjects)
    return ", ".join(f"{name} {middle:.0f} ms" for name, middle in middles)
