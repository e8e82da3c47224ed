"""The manual page, as it is committed and installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from outside import module_at

FOLDER = Path(__file__).parents[2] / "man"


@pytest.fixture(scope="module")
def page() -> ModuleType:
    """man/page.py, which is in no package."""
    return module_at(FOLDER / "page.py")


def test_the_page_is_that_of_the_commands(page: ModuleType) -> None:
    """Whoever changes a command's help makes it anew: make man."""
    assert (FOLDER / "msctl.1").read_text("utf-8") == page.text()


def test_text_is_no_macro(page: ModuleType) -> None:
    """Whatever a line begins with, and whatever is in it, is read as it stands."""
    assert page._plain(".TH -x") == r"\&.TH \-x"
    assert page._plain("'a\\n'") == r"\&'a\en'"


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_the_page_is_read_without_a_warning(page: ModuleType) -> None:
    """By the program that `man` asks."""
    words = ["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-z", str(page.FILE)]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert (ran.stdout, ran.stderr) == ("", "")
