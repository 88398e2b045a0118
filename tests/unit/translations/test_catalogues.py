"""Every language says everything, and says it with the same names and links in it."""

import re
from typing import Any

import pytest
from babel.messages.pofile import read_po
from jinja2 import DictLoader, Environment

from tools.translations import CATALOGUES, collected, translated_languages
from vestibule.model.languages import LANGUAGES, preferred
from vestibule.translations.catalogues import catalogue, environment_for

PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]")


def sentences() -> set[str]:
    return {str(message.id) for message in collected() if message.id}


def test_sentences_are_found_in_letters_and_pages_and_python() -> None:
    found = sentences()
    assert "Hello %(first_name)s," in found
    assert "Send me a link" in found
    assert "Take your account back" in found


@pytest.mark.parametrize("language", translated_languages())
def test_nothing_is_missing_unsure_or_left_over(language: str) -> None:
    known = {str(message.id): message for message in catalogue(language) if message.id}
    assert set(known) == sentences(), "run: make translations, and translate what is new"
    assert [text for text, message in known.items() if not message.string or message.fuzzy] == []
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        assert not read_po(file, locale=language).obsolete


@pytest.mark.parametrize("language", translated_languages())
def test_a_translation_keeps_what_is_filled_in(language: str) -> None:
    for message in catalogue(language):
        if message.id:
            assert set(PLACEHOLDERS.findall(str(message.string))) == set(PLACEHOLDERS.findall(str(message.id)))


# Formal address in every language, one word for one thing, and French punctuation.
OUT_OF_TUNE = {
    "de": r"\b(du|dich|dir|dein\w*|knopf)\b",
    "es": r"\b(tú|tu|tus|mensaje|email|link)\b",
    "fr": r"'| [:;?!]|\b(tu|ton|ta|tes|courriel|message)\b",
    "pt": r"\b(tu|teu|tua|email|link|senha|mensagem)\b",
}


@pytest.mark.parametrize("language", translated_languages())
def test_a_language_keeps_its_form_of_address_and_its_terms(language: str) -> None:
    for message in catalogue(language):
        words = PLACEHOLDERS.sub("", str(message.string))
        assert not re.search(OUT_OF_TUNE[language], words, re.IGNORECASE)


def test_there_is_a_catalogue_for_each_language_and_no_other() -> None:
    assert {path.stem for path in CATALOGUES.glob("*.po")} == set(LANGUAGES) - {"en"}


WANTED = {
    "de": "de",
    "de-AT": "de",
    "DE": "de",
    "it, de;q=0.5, fr;q=0.7": "fr",
    "fr;q=0, de;q=0.1": "de",
    "pt-BR,pt;q=0.9,en;q=0.8": "pt",
    "es ; q = 0.3 , en;q=0.2": "es",
    "en;q=0.5, de;q=0.5": "en",
    "*": None,
    "it": None,
    "": None,
    "de;q=x": None,
    "de;level=1": None,
    ";q=1": None,
    "-": None,
    "de;q=nan, fr;q=0.1": "fr",
}


@pytest.mark.parametrize(("header", "language"), WANTED.items(), ids=WANTED)
def test_the_language_wanted_most_is_chosen(header: str, language: str | None) -> None:
    assert preferred(header) == language


def test_a_flood_of_languages_costs_nothing() -> None:
    assert preferred("x," * 20 + "de") is None


def test_a_template_is_compiled_once_for_all_languages_and_anew_when_it_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled: list[str | None] = []
    as_it_is = Environment.compile

    def compile_it(templates: Environment, source: str, name: str | None = None, *others: Any, **named: Any) -> Any:
        compiled.append(name)
        return as_it_is(templates, source, name, *others, **named)

    monkeypatch.setattr(Environment, "compile", compile_it)
    for source, said in (("{{ language }} once", "once"), ("{{ language }} anew", "anew")):
        for language in ("en", "de", "fr"):
            loader = DictLoader({"compiled-once.txt": source})
            assert environment_for(language, loader).get_template("compiled-once.txt").render() == f"{language} {said}"
    assert compiled == ["compiled-once.txt"] * 2
