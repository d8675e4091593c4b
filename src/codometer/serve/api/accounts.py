"""`/api/v1/accounts`: who can sign in, and links for those who shall, or who forgot how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from codometer.access.account import Account, Invitation
from codometer.access.accounts import INVITATION_LIFETIME, RESET_LIFETIME, Accounts
from codometer.access.actor import ActorKind
from codometer.access.federation import Federation
from codometer.access.permissions import Permission, Role
from codometer.errors import BadRequest
from codometer.serve.api.resource import Action, Call, Resource, Schema
from codometer.serve.api.schema import array_schema, object_schema
from codometer.settings import Settings, pages_url

_TEXT: Final = {"type": "string"}
_INSTANT: Final = {"type": "string", "format": "date-time"}
_SCHEMA: Final = object_schema(
    id=_TEXT,
    login=_TEXT,
    role={"enum": [*Role, None], "description": "null: its provider gives it none"},
    teams={"type": ["array", "null"], "items": _TEXT, "description": "null: all"},
    email={**_TEXT, "description": "that a provider vouched for; else empty"},
    has_password={"type": "boolean"},
    has_second_factor={"type": "boolean"},
    identities={
        **array_schema(object_schema(issuer=_TEXT, label=_TEXT, since=_INSTANT)),
        "description": "the providers it is signed in to with",
    },
    created=_INSTANT,
    disabled={"type": ["string", "null"], "format": "date-time"},
)
_GONE: Final = {404: "there is no such account in use"}
_ROLE_BODY: Final = {
    "type": "object",
    "properties": {
        "role": {"enum": [*Role]},
        "teams": {"type": ["array", "null"], "items": _TEXT},
    },
    "required": ["role"],
}
_ROLE_EXAMPLE: Final = {"role": "team_lead", "teams": ["checkout"]}
_ISSUER_BODY: Final = {
    "type": "object",
    "properties": {"issuer": _TEXT},
    "required": ["issuer"],
}
_NOTHING: Final = {"type": "object", "properties": {}}
_INVITATION_SCHEMA: Final = object_schema(
    id=_TEXT,
    role={"enum": [*Role]},
    teams={"type": ["array", "null"], "items": _TEXT, "description": "null: all"},
    account={
        "type": ["string", "null"],
        "description": "whose password it is for; null: it makes an account",
    },
    maker_kind={"enum": [*ActorKind]},
    maker={**_TEXT, "description": "the id of who made it, as in the audit log"},
    created=_INSTANT,
    expires=_INSTANT,
)
_LINK_SCHEMA: Final = object_schema(
    link={**_TEXT, "description": "shown this once; good for one person"}, expires=_INSTANT
)


def accounts_resource(accounts: Accounts, federation: Federation) -> Resource:
    """Return the resource that lists them."""
    return Resource(
        path="/api/v1/accounts",
        name="accounts",
        summary="Every account, the oldest first, disabled ones included",
        permission=Permission.READ_ACCOUNTS,
        answer=lambda _: {
            "accounts": [_document(each, federation) for each in accounts.list_accounts()]
        },
        schema=object_schema(accounts=array_schema(_SCHEMA)),
        example={"accounts": [_EXAMPLE]},
    )


def invitations_resource(accounts: Accounts) -> Resource:
    """Return the resource that lists links that nobody has used yet."""
    return Resource(
        path="/api/v1/invitations",
        name="invitations",
        summary="Every link that is good, the oldest first; its secret is known to nobody here",
        permission=Permission.READ_ACCOUNTS,
        answer=lambda _: {
            "invitations": [_invitation_document(each) for each in accounts.list_invitations()]
        },
        schema=object_schema(invitations=array_schema(_INVITATION_SCHEMA)),
        example={"invitations": [_INVITATION_EXAMPLE]},
    )


def invitation_actions(accounts: Accounts, settings: Settings) -> Sequence[Action]:
    """Return what can be done with links."""
    base = pages_url(settings.listen)

    def invite(call: Call) -> object:
        role, teams = _read_role(call.body), _read_teams(call.body)
        return _link(accounts.invite(role, call.actor, teams=teams), base)

    def withdraw(call: Call) -> object:
        withdrawn = accounts.withdraw(call.path["id"], call.actor)
        return {"invitation": _invitation_document(withdrawn)}

    return (
        Action(
            path="/api/v1/accounts/invite",
            name="invite_account",
            summary="Make a link with which one person makes an account",
            permission=Permission.WRITE_ACCOUNTS,
            act=invite,
            body=_ROLE_BODY,
            body_example=_ROLE_EXAMPLE,
            schema=_LINK_SCHEMA,
            example={"link": f"{base}/join?link=…", "expires": _EXAMPLE_TIME + INVITATION_LIFETIME},
            status=201,
        ),
        Action(
            path="/api/v1/invitations/{id}/withdraw",
            name="withdraw_invitation",
            summary="End a link before somebody uses it",
            permission=Permission.WRITE_ACCOUNTS,
            act=withdraw,
            body=_NOTHING,
            body_example={},
            schema=object_schema(invitation=_INVITATION_SCHEMA),
            example={"invitation": _INVITATION_EXAMPLE},
            errors={404: "there is no such link that is good"},
        ),
    )


def account_actions(
    accounts: Accounts, federation: Federation, settings: Settings
) -> Sequence[Action]:
    """Return what can be done with accounts."""
    base = pages_url(settings.listen)

    return (
        Action(
            path="/api/v1/accounts/{id}/reset",
            name="reset_account",
            summary="Make a link with which whoever has the account chooses a new password",
            permission=Permission.WRITE_ACCOUNTS,
            act=lambda call: _link(accounts.reset(call.path["id"], call.actor), base),
            body=_NOTHING,
            body_example={},
            schema=_LINK_SCHEMA,
            example={"link": f"{base}/join?link=…", "expires": _EXAMPLE_TIME + RESET_LIFETIME},
            errors=_GONE,
            status=201,
        ),
        *_changing_actions(accounts, federation),
    )


def _changing_actions(accounts: Accounts, federation: Federation) -> Sequence[Action]:
    def change(call: Call) -> Account:
        role, teams = _read_role(call.body), _read_teams(call.body)
        return accounts.change(call.path["id"], call.actor, role=role, teams=teams)

    def disable(call: Call) -> Account:
        return accounts.disable(call.path["id"], call.actor)

    def remove_factor(call: Call) -> Account:
        return accounts.remove_factor(call.path["id"], call.actor)

    def disconnect(call: Call) -> Account:
        return federation.disconnect(call.path["id"], _read_issuer(call.body), call.actor)

    def answer(act: Callable[[Call], Account]) -> Callable[[Call], object]:
        return lambda call: {"account": _document(act(call), federation)}

    role, issuer = (_ROLE_BODY, _ROLE_EXAMPLE), (_ISSUER_BODY, {"issuer": _EXAMPLE_ISSUER})
    nothing: tuple[Schema, object] = (_NOTHING, {})
    acts: Sequence[tuple[str, str, Callable[[Call], Account], tuple[Schema, object], str]] = (
        (
            "change",
            "change_account",
            change,
            role,
            "Give an account a role and teams; its sessions end",
        ),
        ("disable", "disable_account", disable, nothing, "Disable an account and end its sessions"),
        (
            "disconnect",
            "disconnect_account",
            disconnect,
            issuer,
            "Have an account be signed in to with a provider no more; sessions by it end",
        ),
        (
            "second-factor/remove",
            "remove_second_factor",
            remove_factor,
            nothing,
            "Take the second factor of an account away; its sessions end",
        ),
    )
    return [
        Action(
            path=f"/api/v1/accounts/{{id}}/{path}",
            name=name,
            summary=summary,
            permission=Permission.WRITE_ACCOUNTS,
            act=answer(act),
            body=body,
            body_example=example,
            schema=object_schema(account=_SCHEMA),
            example={"account": _EXAMPLE},
            errors=_GONE,
        )
        for path, name, act, (body, example), summary in acts
    ]


def invitation_link(invitation: Invitation, base: str) -> str:
    """Return the address that the invited person opens."""
    return f"{base}/join?link={invitation.secret}"


def _link(invitation: Invitation, base: str) -> dict[str, Any]:
    return {"link": invitation_link(invitation, base), "expires": invitation.expires}


def _read_role(body: Mapping[str, Any]) -> Role:
    role = body.get("role")
    if role not in [*Role]:
        raise BadRequest(f"{role!r} is no role", hint=f"one of {', '.join(Role)}")
    return Role(str(role))


def _read_teams(body: Mapping[str, Any]) -> frozenset[str] | None:
    teams = body.get("teams")
    if teams is None:
        return None
    if not isinstance(teams, list) or not all(isinstance(team, str) for team in teams):
        raise BadRequest("teams is no list of texts", hint='such as ["checkout"]')
    return frozenset(teams)


def _read_issuer(body: Mapping[str, Any]) -> str:
    issuer = body.get("issuer")
    if not isinstance(issuer, str):
        raise BadRequest("issuer is no text", hint="`codometer account list` has the issuers")
    return issuer


def _document(account: Account, federation: Federation) -> dict[str, Any]:
    return {
        "id": account.id,
        "login": account.login,
        "role": account.role,
        "teams": None if account.teams is None else sorted(account.teams),
        "email": account.email,
        "has_password": account.has_password,
        "has_second_factor": account.has_second_factor,
        "identities": [
            {
                "issuer": each.issuer,
                "label": federation.find_label(each.issuer),
                "since": each.since,
            }
            for each in account.identities
        ],
        "created": account.created,
        "disabled": account.disabled,
    }


def _invitation_document(link: Invitation) -> dict[str, Any]:
    return {
        "id": link.id,
        "role": link.role,
        "teams": None if link.teams is None else sorted(link.teams),
        "account": link.account.id if link.account else None,
        "maker_kind": link.maker.kind,
        "maker": link.maker.id,
        "created": link.created,
        "expires": link.expires,
    }


_EXAMPLE_TIME: Final = datetime(2026, 11, 23, 14, 3, 20, tzinfo=UTC)
_EXAMPLE_ISSUER: Final = "https://login.example.com/tenant"
_EXAMPLE: Final = {
    "id": "acc_5f0c9a1e7b",
    "login": "grace@example.com",
    "role": Role.TEAM_LEAD,
    "teams": ["checkout"],
    "email": "grace@example.com",
    "has_password": True,
    "has_second_factor": False,
    "identities": [{"issuer": _EXAMPLE_ISSUER, "label": "Company", "since": _EXAMPLE_TIME}],
    "created": _EXAMPLE_TIME,
    "disabled": None,
}
_INVITATION_EXAMPLE: Final = {
    "id": "inv_5f0c9a1e7b",
    "role": Role.TEAM_LEAD,
    "teams": ["checkout"],
    "account": None,
    "maker_kind": ActorKind.ACCOUNT,
    "maker": "acc_5f0c9a1e7b",
    "created": _EXAMPLE_TIME,
    "expires": _EXAMPLE_TIME + INVITATION_LIFETIME,
}
