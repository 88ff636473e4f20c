"""Names of files as people and programs give them."""

from __future__ import annotations

import pytest

from bot.channels.web_files import clean_name


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\scan.dcm", "scan.dcm"),
        ("报告 März.pdf", "报告 März.pdf"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ('a"b<c>\r\nX: y.pdf', "abcX y.pdf"),
        ("..", "file"),
        ("", "file"),
        (".hidden", "hidden"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_file_names_are_made_harmless(given: str, shown: str):
    assert clean_name(given) == shown
