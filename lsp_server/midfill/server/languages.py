"""LSP language identifiers, the file extensions they go with, and what some editors say instead."""

from pathlib import PurePath

PLAIN_TEXT = "plaintext"

# Identifiers: LSP 3.17, "Text Document Language Identifiers", and VS Code's own where that list has none.
EXTENSIONS: dict[str, tuple[str, ...]] = {
    "c": (".c", ".h"),
    "clojure": (".clj", ".cljs", ".cljc"),
    "cpp": (".cpp", ".cc", ".cxx", ".hpp", ".hh", ".hxx"),
    "csharp": (".cs",),
    "css": (".css",),
    "cuda-cpp": (".cu", ".cuh"),
    "dart": (".dart",),
    "elixir": (".ex", ".exs"),
    "erlang": (".erl", ".hrl"),
    "fsharp": (".fs", ".fsx"),
    "go": (".go",),
    "haskell": (".hs",),
    "html": (".html", ".htm"),
    "java": (".java",),
    "javascript": (".js", ".mjs", ".cjs"),
    "javascriptreact": (".jsx",),
    "json": (".json",),
    "julia": (".jl",),
    "kotlin": (".kt", ".kts"),
    "latex": (".tex",),
    "less": (".less",),
    "lua": (".lua",),
    "markdown": (".md",),
    "objective-c": (".m",),
    "ocaml": (".ml", ".mli"),
    "perl": (".pl", ".pm"),
    "php": (".php",),
    "powershell": (".ps1", ".psm1"),
    "proto": (".proto",),
    "python": (".py", ".pyi", ".pyw"),
    "r": (".r",),
    "ruby": (".rb",),
    "rust": (".rs",),
    "scala": (".scala", ".sc"),
    "scss": (".scss",),
    "shellscript": (".sh", ".bash", ".zsh"),
    "sql": (".sql",),
    "svelte": (".svelte",),
    "swift": (".swift",),
    "terraform": (".tf",),
    "toml": (".toml",),
    "typescript": (".ts", ".mts", ".cts"),
    "typescriptreact": (".tsx",),
    "vue": (".vue",),
    "xml": (".xml",),
    "yaml": (".yaml", ".yml"),
    "zig": (".zig",),
}

OTHER_NAMES: dict[str, str] = {
    **dict.fromkeys(("bash", "ksh", "sh", "zsh"), "shellscript"),
    **dict.fromkeys(("c-sharp", "cs"), "csharp"),
    **dict.fromkeys(("javascript.jsx", "jsx"), "javascriptreact"),
    **dict.fromkeys(("typescript.tsx", "tsx"), "typescriptreact"),
    **dict.fromkeys(("plaintex", "tex"), "latex"),
    "cuda": "cuda-cpp",
    "gitcommit": "git-commit",
    "make": "makefile",
    "objc": "objective-c",
    "protobuf": "proto",
    "ps1": "powershell",
    "rst": "restructuredtext",
    "text": PLAIN_TEXT,
}
"""What Neovim (its filetypes) and Helix (its languages) call some of them."""

_BY_EXTENSION = {extension: language for language, all_of in EXTENSIONS.items() for extension in all_of}
_BY_NAME = {
    "cmakelists.txt": "cmake",
    "dockerfile": "dockerfile",
    "gemfile": "ruby",
    "makefile": "makefile",
    "rakefile": "ruby",
}


def identifier(language: str) -> str:
    """LSP's identifier for what an editor calls a language."""
    return OTHER_NAMES.get(language, language)


def language_of(path: str | PurePath) -> str:
    """The language identifier for a file's name, `plaintext` when it says nothing."""
    name = PurePath(path)
    by_name = _BY_NAME.get(name.name.lower())
    return by_name or _BY_EXTENSION.get(name.suffix.lower(), PLAIN_TEXT)
