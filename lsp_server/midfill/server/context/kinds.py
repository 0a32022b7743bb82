"""Which nodes of a grammar define something, and how much of each tells how to use it. Values only.

Sources: the node names of the grammars in `syntax/grammars.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kinds:
    """One language's node types."""

    callables: frozenset[str]
    """Shown up to their body."""
    containers: frozenset[str] = frozenset()
    """Shown as their head and their members."""
    whole: frozenset[str] = frozenset()
    """Shown as they stand."""
    wrappers: frozenset[str] = frozenset()
    """Hold definitions, and are none: `export`, decorators, namespaces, include guards."""
    elision: str = ";"
    """Stands for a body that is left out."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


PYTHON = Kinds(
    callables=_set("function_definition"),
    containers=_set("class_definition"),
    whole=_set("assignment type_alias_statement"),
    wrappers=_set("decorated_definition if_statement try_statement block expression_statement"),
    elision=" ...",
)
TYPESCRIPT = Kinds(
    callables=_set(
        "function_declaration generator_function_declaration method_definition function_signature "
        "method_signature abstract_method_signature"
    ),
    containers=_set(
        "class_declaration abstract_class_declaration class interface_declaration internal_module"
    ),
    whole=_set(
        "type_alias_declaration enum_declaration lexical_declaration variable_declaration "
        "public_field_definition field_definition property_signature"
    ),
    wrappers=_set("export_statement ambient_declaration expression_statement"),
)
JAVA = Kinds(
    callables=_set("method_declaration constructor_declaration"),
    containers=_set("class_declaration interface_declaration enum_declaration record_declaration"),
    whole=_set("field_declaration constant_declaration enum_constant"),
    wrappers=_set("enum_body_declarations"),
)
GO = Kinds(
    callables=_set("function_declaration method_declaration"),
    whole=_set("type_declaration const_declaration var_declaration"),
    elision="",
)
RUST = Kinds(
    callables=_set("function_item function_signature_item"),
    containers=_set("impl_item trait_item"),
    whole=_set("struct_item enum_item union_item type_item const_item static_item"),
    wrappers=_set("mod_item declaration_list"),
)
C = Kinds(
    callables=_set("function_definition"),
    containers=_set("class_specifier"),
    whole=_set(
        "declaration struct_specifier enum_specifier type_definition union_specifier alias_declaration "
        "field_declaration preproc_function_def"
    ),
    wrappers=_set(
        "preproc_ifdef preproc_if preproc_else linkage_specification namespace_definition declaration_list "
        "template_declaration"
    ),
)

KINDS: Mapping[str, Kinds] = {
    "python": PYTHON,
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), TYPESCRIPT),
    "java": JAVA,
    "go": GO,
    "rust": RUST,
    **dict.fromkeys(("c", "cpp", "cuda-cpp"), C),
}
"""By LSP language identifier."""
