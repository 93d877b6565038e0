"""The office's sentences and their translations, without GNU gettext: what code and templates ask for, what
`central/locale` has, and how the two are brought together.

    .venv/bin/python -m tests.central.web.messages

adds to django.po what is new, drops what is no longer asked for, and compiles django.mo. Then translate what it names.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polib  # type: ignore[import-untyped]  # ships none

CENTRAL = Path(__file__).resolve().parents[3] / "central"
PO = CENTRAL / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")
_CALLS = {"_": "", "gettext": "", "gettext_lazy": "", "ngettext": "n", "pgettext": "c", "pgettext_lazy": "c"}


class Message(NamedTuple):
    """One sentence that is asked for."""

    text: str
    plural: str = ""
    context: str = ""


def asked_for() -> set[Message]:
    """Every sentence that the office's code and templates ask for."""
    from django.utils.translation.template import templatize  # Django's own, which makes a template into such calls

    code = [path.read_text("utf-8") for path in CENTRAL.rglob("*.py") if "migrations" not in path.parts]
    pages = [templatize(path.read_text("utf-8")) for path in CENTRAL.rglob("*.html")]
    found = {message for text in code for message in _in_python(ast.parse(text))}
    # what templatize leaves is a line of calls, each of which is Python, between letters that are not
    return found | {message for page in pages for message in _in_template(page)}


def _in_python(tree: ast.AST) -> Iterator[Message]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
            words = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            kind = _CALLS[node.func.id]
            if words:
                yield Message(words[-1], context=words[0]) if kind == "c" else Message(*words[: 1 + (kind == "n")])


def _in_template(page: str) -> Iterator[Message]:
    for start in range(len(page)):
        if page.startswith((" gettext(", " ngettext(", " pgettext(", " _("), start):
            yield from _in_python(ast.parse(_call(page, start + 1), mode="eval"))


def _call(page: str, start: int) -> str:
    for end in range(page.index(")", start) + 1, len(page) + 1):
        try:
            ast.parse(page[start:end], mode="eval")
        except SyntaxError:
            continue
        # templatize passes a name as the number of an ngettext: it need not exist to be parsed
        return page[start:end]
    raise ValueError(f"no call at {page[start : start + 60]!r}")


def message_of(entry: polib.POEntry) -> Message:
    """The sentence of an entry."""
    return Message(entry.msgid, entry.msgid_plural, entry.msgctxt or "")


def bring_together() -> list[str]:
    """Write django.po and django.mo anew; the sentences that have no translation yet."""
    wanted = asked_for()
    catalogue = polib.pofile(str(PO), wrapwidth=120) if PO.exists() else _empty()
    for entry in [entry for entry in catalogue if entry.obsolete or message_of(entry) not in wanted]:
        catalogue.remove(entry)
    for new in wanted - {message_of(entry) for entry in catalogue}:
        plural = {"msgid_plural": new.plural, "msgstr_plural": {0: ""}} if new.plural else {}
        catalogue.append(polib.POEntry(msgid=new.text, msgctxt=new.context or None, **plural))
    catalogue.sort(key=message_of)
    PO.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(PO))
    catalogue.save_as_mofile(str(MO))
    return [entry.msgid for entry in catalogue.untranslated_entries()]


def _empty() -> polib.POFile:
    catalogue = polib.POFile(wrapwidth=120)
    catalogue.metadata = {
        "Language": "zh_Hans",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=1; plural=0;",
    }
    return catalogue


if __name__ == "__main__":
    import django
    from django.conf import settings

    settings.configure(USE_I18N=True)
    django.setup()
    for sentence in bring_together():
        sys.stdout.write(f"not translated: {sentence}\n")
