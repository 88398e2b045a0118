"""The lines of the URL map for operators: the admin API, and the console. `map_reading` joins them to `routes`.

Each line names its permission, but not the one that ends acting. `web.operator_guard` asks for that permission, for a
second factor and for a recent sign-in, after the guards of the line.
"""

from vestibule.model import errors as e
from vestibule.model import operator_errors as oe
from vestibule.model.limits import RateClass
from vestibule.model.permissions import Permission
from vestibule.web import shared_refusals as no
from vestibule.web.api import answers
from vestibule.web.api.admin import (
    acting,
    acts,
    admin_answers,
    events,
    events_answers,
    export,
    health,
    health_answers,
    keys,
    letters,
    me,
    people,
    people_answers,
    person_answers,
    roles,
    roles_answers,
    services,
)
from vestibule.web.api.admin import installation_answers as shown
from vestibule.web.console import act_pages, impersonation, new_person_pages, person, start
from vestibule.web.console import events as event_pages
from vestibule.web.console import export as export_page
from vestibule.web.console import health as health_page
from vestibule.web.console import keys as key_pages
from vestibule.web.console import letters as letter_pages
from vestibule.web.console import people as people_pages
from vestibule.web.console import roles as role_pages
from vestibule.web.console import services as service_pages
from vestibule.web.console.act import Act
from vestibule.web.console.acts import ACTS, END_SESSION, EVERY_ACT
from vestibule.web.console.new_people import WAYS
from vestibule.web.map_lines import Page, Route
from vestibule.web.routes import (
    ACCOUNT,
    BROWSER,
    BROWSER_FORM,
    HASHES,
    HOLDER,
    HOLDER_OWN_SITE,
    NO_HASH,
    OWN_PAGES,
    SIGN_IN,
)


def _limit(act: Act) -> RateClass:
    """Return the rate class of an act: an act that hashes costs as much as a sign-in."""
    return SIGN_IN if act.hashes else ACCOUNT


# fmt: off
ADMIN_ROUTES = (
    Route("GET",   "/api/admin/me",                        me.admin_me,                   HOLDER,               ACCOUNT,   NO_HASH, 200, admin_answers.OperatorMe, no.OPERATOR, permission=Permission.PEOPLE_READ),
    Route("GET",   "/api/admin/people",                    people.list_people,            HOLDER,               ACCOUNT,   NO_HASH, 200, people_answers.People, (*no.OPERATOR, oe.CursorInvalid), permission=Permission.PEOPLE_READ),
    Route("POST",  "/api/admin/people",                    people.create_person,          HOLDER_OWN_SITE,      SIGN_IN,   HASHES,  201, people_answers.OnePerson, (*no.ACT, e.EmailTaken), permission=Permission.PEOPLE_CHANGE),
    Route("POST",  "/api/admin/invitations",               people.invite_person,          HOLDER_OWN_SITE,      SIGN_IN,   HASHES,  201, people_answers.OnePerson, (*no.ACT, e.EmailTaken, oe.TooManyLinks), permission=Permission.PEOPLE_CHANGE),
    Route("GET",   "/api/admin/people/{account_id}",       people.show_person,            HOLDER,               ACCOUNT,   NO_HASH, 200, person_answers.ShownPerson, (*no.OPERATOR, oe.PersonUnknown), permission=Permission.PEOPLE_READ),
    Route("GET",   "/api/admin/letters",                   letters.list_letters,          HOLDER,               ACCOUNT,   NO_HASH, 200, shown.ListedLetters, (*no.OPERATOR, oe.CursorInvalid), permission=Permission.LETTERS_READ),
    Route("POST",  "/api/admin/letters/retry",             letters.retry_all,             HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, shown.LettersRetried, no.ACT, permission=Permission.LETTERS_RETRY),
    Route("POST",  "/api/admin/letters/{letter_id}/retry", letters.retry_one,             HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, shown.LettersRetried, no.ACT, permission=Permission.LETTERS_RETRY),
    Route("GET",   "/api/admin/keys",                      keys.list_keys,                HOLDER,               ACCOUNT,   NO_HASH, 200, shown.ListedKeys, no.OPERATOR, permission=Permission.KEYS_READ),
    Route("POST",  "/api/admin/keys/rotate",               keys.rotate,                   HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, shown.ListedKeys, (*no.ACT, oe.KeysNotRotated), permission=Permission.KEYS_ROTATE),
    Route("GET",   "/api/admin/services",                  services.list_services,        HOLDER,               ACCOUNT,   NO_HASH, 200, shown.ListedServices, no.OPERATOR, permission=Permission.SERVICES_READ),
    Route("POST",  "/api/admin/services/{name}",           services.create,               HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 201, shown.ServiceCreated, (*no.ACT, oe.ServiceNameInvalid, oe.ServiceNameTaken), permission=Permission.SERVICES_CHANGE),
    Route("DELETE", "/api/admin/services/{name}",          services.revoke,               HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, answers.Success, (*no.ACT, oe.ServiceUnknown), permission=Permission.SERVICES_CHANGE),
    Route("GET",   "/api/admin/health",                    health.show_health,            HOLDER,               ACCOUNT,   NO_HASH, 200, health_answers.Health, no.OPERATOR, permission=Permission.HEALTH_READ),
    Route("GET",   "/api/admin/events",                    events.list_events,            HOLDER,               ACCOUNT,   NO_HASH, 200, events_answers.ListedEvents, (*no.OPERATOR, *no.QUERY), permission=Permission.EVENTS_READ),
    Route("GET",   "/api/admin/events/export",             events.export,                 HOLDER,               ACCOUNT,   NO_HASH, 200, None, (*no.OPERATOR, *no.QUERY), media_type="application/jsonl", permission=Permission.EVENTS_READ),
    Route("GET",   "/api/admin/roles",                     roles.list_roles,              HOLDER,               ACCOUNT,   NO_HASH, 200, roles_answers.ListedRoles, no.OPERATOR, permission=Permission.ROLES_READ),
    Route("POST",  "/api/admin/roles",                     roles.create_role,             HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 201, roles_answers.RoleCreated, (*no.ACT, oe.RoleTaken, oe.TooManyRoles), permission=Permission.ROLES_CHANGE),
    Route("PATCH", "/api/admin/roles/{name}",              roles.set_permissions,         HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, admin_answers.ActDone, (*no.ACT, oe.RoleUnknown), permission=Permission.ROLES_CHANGE),
    Route("DELETE", "/api/admin/roles/{name}",             roles.delete_role,             HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, answers.Success, (*no.ACT, oe.RoleUnknown, oe.RoleInUse), permission=Permission.ROLES_CHANGE),
    Route("DELETE", "/api/admin/roles/{name}/holders",     roles.take_role,               HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, roles_answers.RoleTakenFrom, (*no.ACT, oe.RoleUnknown), permission=Permission.PEOPLE_ROLES),
    *(Route("POST", f"/api/admin/people/{{account_id}}/{act.slug}", acts.doing(act),         HOLDER_OWN_SITE,      _limit(act), act.hashes, 200, admin_answers.ActDone, (*no.ACT_ON_PERSON, *act.refusals), permission=act.permission) for act in ACTS),
    Route("POST",  "/api/admin/people/{account_id}/export", export.export,                HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, None, no.ACT_ON_PERSON, media_type="application/json", permission=Permission.PEOPLE_EXPORT),
    Route("DELETE", f"/api/admin/people/{{account_id}}/{END_SESSION.slug}", acts.end_session, HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, admin_answers.ActDone, no.ACT_ON_PERSON, permission=END_SESSION.permission),
    Route("POST",  "/api/admin/people/{account_id}/impersonate", acting.begin,            HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 201, acting.ActingBegun, (*no.ACT_ON_PERSON, oe.CannotBeActedAs, oe.OwnerNotTold), permission=Permission.PEOPLE_IMPERSONATE),
)

ADMIN_PAGES = (
    Page("GET",  "/admin",                                  start.start,                 BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.PEOPLE_READ),
    Page("GET",  "/admin/people",                           people_pages.search,             BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.PEOPLE_READ),
    Page("GET",  "/admin/people/{account_id}",              person.show,                 BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.PEOPLE_READ),
    Page("GET",  "/admin/letters",                          letter_pages.show,           BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.LETTERS_READ),
    Page("POST", "/admin/letters/retry",                    letter_pages.retry,          BROWSER_FORM, ACCOUNT,   NO_HASH, None, "/admin/letters", permission=Permission.LETTERS_RETRY),
    Page("GET",  "/admin/keys",                             key_pages.show,              BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.KEYS_READ),
    Page("GET",  "/admin/keys/rotate",                      key_pages.ask_rotate,        BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.KEYS_ROTATE),
    Page("POST", "/admin/keys/rotate",                      key_pages.rotate,            BROWSER_FORM, ACCOUNT,   NO_HASH, permission=Permission.KEYS_ROTATE),
    Page("GET",  "/admin/services",                         service_pages.show,          BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.SERVICES_READ),
    Page("GET",  "/admin/services/new",                     service_pages.ask_create,    BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.SERVICES_CHANGE),
    Page("POST", "/admin/services/new",                     service_pages.create,        BROWSER_FORM, ACCOUNT,   NO_HASH, permission=Permission.SERVICES_CHANGE),
    Page("GET",  "/admin/services/created",                 service_pages.show_created,  BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.SERVICES_CHANGE),
    Page("GET",  "/admin/services/{name}/revoke",           service_pages.ask_revoke,    BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.SERVICES_CHANGE),
    Page("POST", "/admin/services/{name}/revoke",           service_pages.revoke,        BROWSER_FORM, ACCOUNT,   NO_HASH, permission=Permission.SERVICES_CHANGE),
    Page("GET",  "/admin/roles",                            role_pages.show,             BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.ROLES_READ),
    Page("GET",  "/admin/roles/new",                        role_pages.ask_create,       BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.ROLES_CHANGE),
    Page("POST", "/admin/roles/new",                        role_pages.create,           BROWSER_FORM, ACCOUNT,   NO_HASH, permission=Permission.ROLES_CHANGE),
    Page("GET",  "/admin/roles/{name}/permissions",         role_pages.ask_change,       BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.ROLES_CHANGE),
    Page("POST", "/admin/roles/{name}/permissions",         role_pages.change,           BROWSER_FORM, ACCOUNT,   NO_HASH, permission=Permission.ROLES_CHANGE),
    Page("GET",  "/admin/roles/{name}/take",                role_pages.ask_take,         BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.PEOPLE_ROLES),
    Page("POST", "/admin/roles/{name}/take",                role_pages.take,             BROWSER_FORM, ACCOUNT,   NO_HASH, permission=Permission.PEOPLE_ROLES),
    Page("GET",  "/admin/roles/{name}/delete",              role_pages.ask_delete,       BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.ROLES_CHANGE),
    Page("POST", "/admin/roles/{name}/delete",              role_pages.delete,           BROWSER_FORM, ACCOUNT,   NO_HASH, permission=Permission.ROLES_CHANGE),
    Page("GET",  "/admin/health",                           health_page.show,            BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.HEALTH_READ),
    Page("GET",  "/admin/events",                           event_pages.show,            BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.EVENTS_READ),
    Page("GET",  "/admin/events/export",                    event_pages.take_along,      BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.EVENTS_READ),
    Page("GET",  "/admin/people/{account_id}/export",       export_page.ask,             BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.PEOPLE_EXPORT),
    Page("POST", "/admin/people/{account_id}/export",       export_page.export,          BROWSER_FORM, ACCOUNT,   NO_HASH, permission=Permission.PEOPLE_EXPORT),
    *(Page("GET",  f"/admin/{way.slug}",                    new_person_pages.asking(way), BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.PEOPLE_CHANGE) for way in WAYS),
    *(Page("POST", f"/admin/{way.slug}",                    new_person_pages.making(way), BROWSER_FORM, SIGN_IN,   HASHES,  permission=Permission.PEOPLE_CHANGE) for way in WAYS),
    Page("GET",  "/admin/people/{account_id}/impersonate",  impersonation.ask,           BROWSER,      ACCOUNT,   NO_HASH, permission=Permission.PEOPLE_IMPERSONATE),
    Page("POST", "/admin/people/{account_id}/impersonate",  impersonation.begin,         BROWSER_FORM, ACCOUNT,   NO_HASH, permission=Permission.PEOPLE_IMPERSONATE),
    Page("POST", impersonation.END,                         impersonation.end,           OWN_PAGES,    ACCOUNT,   NO_HASH, None, "/login"),
    *(Page("GET",  f"/admin/people/{{account_id}}/{act.slug}", act_pages.asking(act),    BROWSER,      ACCOUNT,   NO_HASH, permission=act.permission) for act in EVERY_ACT),
    *(Page("POST", f"/admin/people/{{account_id}}/{act.slug}", act_pages.doing(act),     BROWSER_FORM, _limit(act), act.hashes, permission=act.permission) for act in EVERY_ACT),
)
# fmt: on
