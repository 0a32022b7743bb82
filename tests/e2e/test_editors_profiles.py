"""Each editor's profile gets what that editor can show, in its own position encoding."""

from lsprotocol import types
from pytest_lsp import LanguageClient

from tests.e2e.conftest import document
from tests.e2e.profiles import ENCODINGS

URI = "file:///w/a.py"
BEFORE = 's = "𝛼é😀"; return '
TEXT = f"\x0c# form feed\r\n{BEFORE}\r\nlast"


def units(text: str, encoding: str) -> int:
    codec, size = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}[encoding]
    return len(text.encode(codec)) // size


def at_end(editor: LanguageClient) -> types.Position:
    return types.Position(line=1, character=units(BEFORE, ENCODINGS[editor.profile]))


async def ask(editor: LanguageClient) -> types.InlineCompletionList:
    editor.text_document_did_open(document(TEXT))
    params = types.InlineCompletionParams(
        text_document=types.TextDocumentIdentifier(uri=URI),
        position=at_end(editor),
        context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic),
    )
    return await editor.text_document_inline_completion_async(params)


async def test_inline_completion_is_advertised_to_everybody(editor: LanguageClient) -> None:
    capabilities = editor.found
    assert capabilities.inline_completion_provider is not None
    assert capabilities.position_encoding == ENCODINGS[editor.profile]


async def test_the_menu_is_for_clients_without_inline_completion(editor: LanguageClient) -> None:
    capabilities = editor.found
    assert (capabilities.completion_provider is not None) == (editor.profile == "helix")


async def test_a_suggestion_has_a_range_at_the_cursor_in_every_encoding(editor: LanguageClient) -> None:
    found = await ask(editor)
    (item,) = found.items
    assert item.insert_text == "a + b"
    assert item.range == types.Range(start=at_end(editor), end=at_end(editor))


async def test_the_accept_command_is_one_that_the_server_knows(editor: LanguageClient) -> None:
    (item,) = (await ask(editor)).items
    known = editor.found.execute_command_provider.commands
    assert item.command.command in known
    await editor.workspace_execute_command_async(
        types.ExecuteCommandParams(command=item.command.command, arguments=item.command.arguments)
    )


async def test_the_helix_menu_has_one_short_line_and_the_whole_text_behind_it(
    editor: LanguageClient,
) -> None:
    if editor.profile != "helix":
        return
    editor.text_document_did_open(document("def mean(xs):\n    retu\n"))
    params = types.CompletionParams(
        text_document=types.TextDocumentIdentifier(uri=URI),
        position=types.Position(line=1, character=8),
        context=types.CompletionContext(trigger_kind=types.CompletionTriggerKind.Invoked),
    )
    found = await editor.text_document_completion_async(params)
    (item,) = found.items
    assert found.is_incomplete
    assert item.label == "retua + b"
    assert item.filter_text.startswith("retu")
    assert item.text_edit.new_text == "retua + b"
    assert item.text_edit.range.start.character == 4
    assert item.documentation == "retua + b"


async def test_no_message_pops_up_for_a_completion(editor: LanguageClient) -> None:
    await ask(editor)
    assert editor.messages == []
