"""`python -m engine.train`: train the model from data/, domain.yml and config.yml into models/waypoint.tar.gz."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow comes with Rasa, and nothing here uses it

from engine.log import configure

MODEL = Path("models/waypoint.tar.gz")
SOURCES = ("data/nlu", "data/stories")


def train(output: Path = MODEL, config: str = "config.yml", domain: str = "domain.yml") -> Path:
    """Check the data, train, and replace the model in one step. Raises SystemExit when the data is wrong."""
    from rasa.model_training import train as rasa_train
    from rasa.shared.importers.importer import TrainingDataImporter
    from rasa.validator import Validator

    started = time.monotonic()
    importer = TrainingDataImporter.load_from_config(config, domain, list(SOURCES))
    validator = Validator.from_importer(importer)
    if not (
        validator.verify_domain_validity() and validator.verify_intents(False) and validator.verify_story_structure()
    ):
        raise SystemExit("The training data is not consistent; see the warnings above.")
    examples = importer.get_nlu_data().intent_examples
    print(f"Training on {len(examples)} examples of {len({e.get('intent') for e in examples})} intents ...", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        result = rasa_train(
            domain, config, list(SOURCES), output=folder, force_training=True, fixed_model_name="waypoint"
        )
        if result.code != 0 or result.model is None:
            raise SystemExit("Training failed; see the messages above.")
        output.parent.mkdir(parents=True, exist_ok=True)
        # Into the same folder first, so that the last step is a rename and no half model is ever loaded.
        new = output.with_name(f".{output.name}.new")
        shutil.copyfile(result.model, new)
        new.replace(output)
    print(f"Trained {output} in {time.monotonic() - started:.0f} s", flush=True)
    return output


def main() -> int:
    """The command line; returns the exit code."""
    configure()
    logging.getLogger("engine").setLevel(logging.INFO)
    train()
    return 0


if __name__ == "__main__":
    sys.exit(main())
