"""Collect every sentence of the templates and pages, and bring the catalogues up to date: `make translations`.

A new sentence is added to each catalogue without a translation. A sentence that is no longer used is removed.
"""

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

import vestibule
from vestibule.model.languages import LANGUAGES
from vestibule.translations.catalogues import SOURCE_LANGUAGE, catalogue

PACKAGE = Path(vestibule.__file__).parent
CATALOGUES = PACKAGE / "translations"
_METHODS = [
    ("**/pages/**.py", "python"),
    ("**/console/**.py", "python"),
    ("**/templates/**.html", "jinja2"),
    ("**/templates/**.txt", "jinja2"),
]
_OPTIONS = {"**/templates/**.html": {"trimmed": "true"}, "**/templates/**.txt": {"trimmed": "true"}}
_KEYWORDS = {"_": None, "gettext": None}


def collected() -> Catalog:
    """Return every sentence, with the file and the line where it is."""
    found = Catalog(project="Vestibule", charset="utf-8", fuzzy=False)
    for file, line, message, _, context in extract_from_dir(
        PACKAGE, _METHODS, _OPTIONS, _KEYWORDS, comment_tags=(), strip_comment_tags=True
    ):
        found.add(message, locations=[(file, line)], context=context)
    return found


def translated_languages() -> list[str]:
    """Return every language except the one in which the sentences are written."""
    return [language for language in LANGUAGES if language != SOURCE_LANGUAGE]


def main() -> None:
    """Write the catalogues anew."""
    template = collected()
    for language in translated_languages():
        path = CATALOGUES / f"{language}.po"
        known = catalogue(language) if path.exists() else Catalog(locale=language)
        known.update(template, no_fuzzy_matching=True)
        known.obsolete.clear()
        known.fuzzy = False
        known.header_comment = f"# What Vestibule's letters and pages say, in {LANGUAGES[language]}."
        known.project, known.version, known.last_translator, known.language_team = "Vestibule", "", "", ""
        known.msgid_bugs_address = ""
        written = BytesIO()
        write_po(written, known, width=116, omit_header=False, sort_by_file=True, include_lineno=False)
        # Without line numbers and dates, which would change with every edit elsewhere.
        lines = written.getvalue().splitlines(keepends=True)
        path.write_bytes(b"".join(line for line in lines if not line.startswith(b'"POT-Creation-Date:')))
        done = sum(1 for message in known if message.id and message.string)
        print(f"{path.relative_to(PACKAGE.parent.parent)}: {done} of {len(known)}")


if __name__ == "__main__":
    main()
