"""From import lines to files: what a text imports, and where in the workspace that lies."""

from pathlib import Path

import pytest

from midfill.server.context.imports import ALL, WHOLE, imports
from midfill.server.context.resolve import Here, targets
from midfill.server.context.workspace import Reader, Workspace

READ = {
    "python": (
        "from a.b import c, d as e\nfrom . import f\nfrom ..g import (\n    h,  # why\n    i as j,\n)\n"
        "import k.l, m as n\nfrom o import *\n",
        [
            ("a.b", {"c": "c", "e": "d"}), (".", {"f": "f"}), ("..g", {"h": "h", "j": "i"}),
            ("o", {"*": ALL}), ("k.l", {"l": WHOLE}), ("m", {"n": WHOLE}),
        ],
    ),
    "typescript": (
        "import a, { b, type c as d } from './x';\nimport * as e from \"../y\";\nexport { f } from './z';\n"
        "const { g: h } = require('./q');\nconst i = require('./r');\n",
        [
            ("./x", {"a": "a", "b": "b", "d": "c"}), ("../y", {"e": WHOLE}), ("./z", {"f": "f"}),
            ("./q", {"h": "g"}), ("./r", {"i": WHOLE}),
        ],
    ),
    "java": (
        "import a.b.C;\nimport static a.D.e;\nimport f.*;\n",
        [("a.b.C", {"C": "C"}), ("a.D.e", {"e": "e"}), ("f", {ALL: ALL}), (".", {ALL: ALL})],
    ),
    "go": (
        'import "x/y"\nimport (\n\tz "q/r"\n\t"s"\n)\n',
        [("x/y", {"y": WHOLE}), ("q/r", {"z": WHOLE}), ("s", {"s": WHOLE}), (".", {ALL: ALL})],
    ),
    "rust": (
        "mod a;\nuse crate::b::{C, d::E as F, g::{self, H}};\nuse super::i::*;\n",
        [
            ("self::a", {"a": WHOLE}), ("crate::b", {"C": "C"}), ("crate::b::d", {"F": "E"}),
            ("crate::b::g", {"g": WHOLE}), ("crate::b::g", {"H": "H"}), ("super::i", {ALL: "*"}),
        ],
    ),
    "c": ('#include "a/b.h"\n#include <stdio.h>\n', [("a/b.h", {ALL: ALL})]),
}  # fmt: skip


@pytest.mark.parametrize("language", READ)
def test_import_lines_are_read(language):
    text, wanted = READ[language]
    assert [(one.module, dict(one.names)) for one in imports(language, text)] == wanted


RESOLVED = [
    ("python", "src/p/m.py", "from p.q import a\n", ["src/p/q.py"], ["src/p/q.py", "q.py"]),
    ("python", "p/s/m.py", "from ..q import a\n", ["p/q.py"], ["p/q.py", "q.py"]),
    ("python", "p/m.py", "from . import q, r\n", ["p/q.py", "p/__init__.py"], ["p/q.py", "p/__init__.py"]),
    ("python", "t/m.py", "import p.q\n", ["src/p/q.py"], ["src/p/q.py"]),
    ("python", "m.py", "import os\nfrom missing import x\n", [], ["q.py"]),
    ("typescript", "a/m.ts", "import { x } from './q.js';\n", ["a/q.ts"], ["a/q.ts"]),
    ("typescript", "a/m.tsx", "import { x } from '../q';\n", ["q/index.ts"], ["q/index.ts"]),
    ("javascript", "m.js", "import x from 'react';\n", [], ["react.js"]),
    ("java", "src/a/b/M.java", "package a.b;\nimport a.c.Q;\n", ["src/a/c/Q.java"], ["src/a/c/Q.java"]),
    ("java", "src/a/M.java", "package a;\nQ q;\n", ["src/a/Q.java"], ["src/a/Q.java", "src/a/R.java"]),
    ("go", "c/m.go", 'import "x.io/y/d"\n', ["d/q.go"], ["go.mod", "d/q.go", "d/q_test.go"]),
    ("go", "c/m.go", "package c\n", ["c/q.go"], ["c/q.go"]),
    ("rust", "src/a/m.rs", "use crate::q::X;\n", ["src/q.rs"], ["Cargo.toml", "src/q.rs"]),
    ("rust", "src/a/m.rs", "use super::q::X;\n", ["src/a/q/mod.rs"], ["Cargo.toml", "src/a/q/mod.rs"]),
    ("rust", "src/lib.rs", "mod q;\n", ["src/q.rs"], ["Cargo.toml", "src/q.rs"]),
    ("c", "src/m.c", '#include "q.h"\n', ["include/q.h"], ["include/q.h"]),
    ("cpp", "src/m.cpp", '#include "q.h"\n', ["src/q.h"], ["src/q.h", "include/q.h"]),
]


@pytest.mark.parametrize(("language", "own", "text", "wanted", "files"), RESOLVED)
def test_imports_lead_to_files_of_the_workspace(tmp_path: Path, language, own, text, wanted, files):
    for name in [own, *files]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("module x.io/y\n" if name == "go.mod" else "")
    here = Here(str(tmp_path / own), str(tmp_path), text)
    reader = Reader(Workspace((str(tmp_path),)), {}, {})
    found = [
        path
        for one in imports(language, text)
        for path, _ in targets(language, one, here, reader, frozenset({"Q"}))
    ]
    assert [str(Path(path).relative_to(tmp_path)) for path in found] == wanted
