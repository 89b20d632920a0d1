from pathlib import Path

import pytest
from tests.publish.press import Press

from winnow.publish.dataset import Dataset


@pytest.fixture
def press(tmp_path: Path) -> Press:
    return Press(Dataset(tmp_path / "dataset"), tmp_path / "work")
