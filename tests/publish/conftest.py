from pathlib import Path

import pytest

from flows.publish.dataset import Dataset
from tests.publish.press import Press


@pytest.fixture
def press(tmp_path: Path) -> Press:
    return Press(Dataset(tmp_path / "dataset"), tmp_path / "work")
