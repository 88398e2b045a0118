"""Load catalogues, which translate the English of templates into one language each, and make Jinja environments.

`mail/letters.py` and `web/pages/template_loader.py` use them. A catalogue is read from the text file that translators
edit: no compiled file is needed.
"""

import os
from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import BaseLoader, DictLoader, Environment, StrictUndefined, TemplateSyntaxError, select_autoescape
from jinja2.bccache import Bucket, BytecodeCache

from vestibule.protocol.files import read_bounded

SOURCE_LANGUAGE = "en"
FACES = ("mail", "pages")
_MAX_TEMPLATE_BYTES = 1_000_000


class _CompiledOnce(BytecodeCache):
    """Keeps the compiled code of each template for all languages, because it is the same in each of them."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._code.get(bucket.key):
            bucket.bytecode_from_string(code)  # Jinja ignores it if the template has changed

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


_compiled_once = _CompiledOnce()


@cache
def translations(language: str) -> NullTranslations:
    """Return the translations from English to a language; raises `FileNotFoundError` if it has no catalogue."""
    if language == SOURCE_LANGUAGE:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def catalogue(language: str) -> Catalog:
    """Return the catalogue as it is edited, comments and untranslated sentences included; raises `FileNotFoundError` if
    there is none.
    """
    with (files("vestibule.translations") / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def environment_for(language: str, loader: BaseLoader, found: NullTranslations | None = None) -> Environment:
    """Return a Jinja environment for a language: in its templates `{% trans %}` and `_()` translate, and `language` is
    the language's code. `found` is used instead of the catalogue. Raises `FileNotFoundError` if the language has none.
    """
    environment = Environment(
        loader=loader,
        bytecode_cache=_compiled_once,
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    found = found or translations(language)
    environment.install_gettext_translations(found, newstyle=True)  # type: ignore[attr-defined]  # from jinja2.ext.i18n
    environment.globals["language"] = language
    return environment


def broken_templates(folder: Path) -> Iterator[str]:
    """Yield a line for each template of an operator's folder that cannot be read or parsed. Only its folders `mail` and
    `pages` are read; if it has neither, yield a line that says so.
    """
    try:
        faces = _faces_in(folder)
    except OSError as fault:
        yield f"cannot look into {fault.filename}: {fault.strerror}"
        return
    if not faces:
        yield f"{folder} has neither a folder mail nor a folder pages: nothing in it would be used"
    environment = environment_for(SOURCE_LANGUAGE, DictLoader({}))
    for path in sorted(path for face in faces for kind in ("html", "txt") for path in face.rglob(f"*.{kind}")):
        try:
            environment.parse(read_bounded(path, _MAX_TEMPLATE_BYTES).decode())
        except TemplateSyntaxError as fault:
            yield f"{path}, line {fault.lineno}: {fault.message}"
        except OSError as fault:
            yield f"cannot read {path}: {fault.strerror}"
        except UnicodeDecodeError:
            yield f"{path} is not UTF-8"
        except ValueError as fault:
            yield f"{path} {fault}"


def _faces_in(folder: Path) -> list[Path]:
    """Return the folders `mail` and `pages` that exist. Raises `OSError` if one cannot be listed: `rglob` would find
    nothing in it.
    """
    faces = [folder / face for face in FACES if (folder / face).is_dir()]
    for face in faces:
        os.scandir(face).close()
    return faces
