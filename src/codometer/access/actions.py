"""Every act that the audit log knows, as data."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Action(StrEnum):
    """What was done. A name never changes its meaning, for the log outlives versions."""

    CREDENTIAL_CREATE = "credential.create"
    CREDENTIAL_ROTATE = "credential.rotate"
    CREDENTIAL_REVOKE = "credential.revoke"
    CREDENTIAL_FIRST_USE = "credential.first_use"
    CREDENTIAL_REFUSED = "credential.refused"
    ACCOUNT_INVITE = "account.invite"
    ACCOUNT_WITHDRAW = "account.withdraw"
    ACCOUNT_CREATE = "account.create"
    ACCOUNT_CHANGE = "account.change"
    ACCOUNT_CONNECT = "account.connect"
    ACCOUNT_DISCONNECT = "account.disconnect"
    ACCOUNT_DISABLE = "account.disable"
    ACCOUNT_RESET = "account.reset"
    PASSWORD_CHANGE = "account.password"  # noqa: S105 - the name of an act
    FACTOR_ADD = "account.factor_add"
    FACTOR_CODES = "account.factor_codes"
    FACTOR_REMOVE = "account.factor_remove"
    SIGN_IN = "session.sign_in"
    CONFIRM = "session.confirm"
    SIGN_OUT = "session.sign_out"
    SESSION_END = "session.end"
    KEY_CREATE = "key.create"
    KEY_REWRAP = "key.rewrap"
    KEY_DELETE = "key.delete"
    SETTING_CHANGE = "setting.change"
    PRIVACY_CHANGE = "privacy.change"
    PRIVACY_CANCEL = "privacy.cancel"
    PERSON_SHOW = "person.show"
    PERSON_EXPORT = "person.export"
    PERSON_FORGET = "person.forget"
    PERSON_MERGE = "person.merge"
    PERSON_SPLIT = "person.split"
    ACCOUNT_LINK = "account.link"
    ACCOUNT_UNLINK = "account.unlink"
    REVEAL_LEND = "reveal.lend"
    REVEAL_END = "reveal.end"
    REVEAL_ASK = "reveal.ask"
    REVEAL_DECIDE = "reveal.decide"
    REVEAL_OPEN = "reveal.open"
    GRANT = "grant"
    AUDIT_EXPORT = "audit.export"
    CONTENT_OPEN = "content.open"
    CONTENT_CLOSE = "content.close"
    CONTENT_AGREE = "content.agree"
    CONTENT_WITHDRAW = "content.withdraw"
    CONTENT_VIEW = "content.view"
    CONTENT_DELETE = "content.delete"
    PERSON_TREAT = "person.treat"
    TEAM_ASSIGN = "team.assign"
    TEAM_REMOVE = "team.remove"
    REQUEST_ASK = "request.ask"
    REQUEST_DECIDE = "request.decide"
    HOLD_SET = "hold.set"
    HOLD_LIFT = "hold.lift"
    RETENTION_RUN = "retention.run"
    AUDIT_BEGIN = "audit.begin"
    AUDIT_SEAL = "audit.seal"


ACTIONS: Final = {
    Action.CREDENTIAL_CREATE: "A credential was made. Its secret was shown once and is not here.",
    Action.CREDENTIAL_ROTATE: "A credential got a second secret; until when the first is good.",
    Action.CREDENTIAL_REVOKE: "A credential was revoked, with all of its secrets.",
    Action.CREDENTIAL_FIRST_USE: "A secret was used for the first time.",
    Action.CREDENTIAL_REFUSED: "Requests were refused for their credential: how many, and why.",
    Action.ACCOUNT_INVITE: "A link was made that lets one person make an account.",
    Action.ACCOUNT_WITHDRAW: "A link was withdrawn before anybody used it.",
    Action.ACCOUNT_CREATE: "Somebody made an account with such a link.",
    Action.ACCOUNT_CHANGE: "The role or the teams of an account changed; its sessions ended.",
    Action.ACCOUNT_CONNECT: "An account can be signed in to with a provider of identities.",
    Action.ACCOUNT_DISCONNECT: "That ended; so did the sessions that came by that provider.",
    Action.ACCOUNT_DISABLE: "An account was disabled, and all its sessions ended.",
    Action.ACCOUNT_RESET: "A link was made with which somebody gets a new password.",
    Action.PASSWORD_CHANGE: "A password was replaced; the account's other sessions ended.",
    Action.FACTOR_ADD: "Somebody set up an authenticator as their second factor.",
    Action.FACTOR_CODES: "Somebody made new recovery codes, or used one.",
    Action.FACTOR_REMOVE: "A second factor was removed, by its owner or by an administrator.",
    Action.SIGN_IN: "Somebody signed in, or tried to.",
    Action.CONFIRM: "Somebody who is signed in showed again that it is them, or tried to.",
    Action.SIGN_OUT: "Somebody signed out.",
    Action.SESSION_END: "Sessions of an account were ended.",
    Action.KEY_CREATE: "A key for one purpose was made; its number, never the key.",
    Action.KEY_REWRAP: "The main key was replaced, and locks all the others now.",
    Action.KEY_DELETE: "A key that was replaced was deleted; what only it made is of nobody.",
    Action.SETTING_CHANGE: "The server started with another value of a setting than before.",
    Action.PRIVACY_CHANGE: "A privacy profile or purpose was decided on; from when on it holds.",
    Action.PRIVACY_CANCEL: "What was decided about privacy for later will not happen.",
    Action.PERSON_SHOW: "Somebody looked at what is known about a person.",
    Action.PERSON_EXPORT: "All that is stored of a person was given out, for them.",
    Action.PERSON_FORGET: "A person was erased; the entry has the pseudonym only.",
    Action.PERSON_MERGE: "Two persons were decided to be one.",
    Action.PERSON_SPLIT: "A pseudonym was taken out of a person.",
    Action.ACCOUNT_LINK: "An account was confirmed to be its owner's, by the name in it.",
    Action.ACCOUNT_UNLINK: "That was taken back.",
    Action.REVEAL_LEND: "An account may ask for the names behind pseudonyms, until when.",
    Action.REVEAL_END: "That was taken back before its time.",
    Action.REVEAL_ASK: "Somebody asked for the name behind a pseudonym; no name is here.",
    Action.REVEAL_DECIDE: "A second person agreed that it is told, or did not.",
    Action.REVEAL_OPEN: "Somebody was told the name behind a pseudonym.",
    Action.GRANT: "Somebody tried to grant more than they have, or to change what may do more.",
    Action.AUDIT_EXPORT: "Entries of this log were given out as a file: how many, and which.",
    Action.CONTENT_OPEN: "A project was opened for content: what for, and who may review it.",
    Action.CONTENT_CLOSE: "A project was closed for content, and what was kept of it deleted.",
    Action.CONTENT_AGREE: "A person agreed that content of theirs is kept.",
    Action.CONTENT_WITHDRAW: "A person took that back, and what was kept of it was deleted.",
    Action.CONTENT_VIEW: "Somebody read content of a person; how many texts.",
    Action.CONTENT_DELETE: "Content was deleted because its time was over; how many texts.",
    Action.PERSON_TREAT: "Somebody's records are treated as a person's, a service's or nobody's.",
    Action.TEAM_ASSIGN: "A person was said to belong to a team, from when until when.",
    Action.TEAM_REMOVE: "That was taken back for some days: what clients say holds there.",
    Action.REQUEST_ASK: "Somebody asked for erasure, objected, or asked for a correction; not who.",
    Action.REQUEST_DECIDE: "Such a request was done, or declined; the person reads the reason.",
    Action.HOLD_SET: "Data of a person, a team or all was put under a legal hold, and stays.",
    Action.HOLD_LIFT: "A legal hold was lifted.",
    Action.RETENTION_RUN: "What was past its retention was let go: how many rows of what.",
    Action.AUDIT_BEGIN: "The log began, with the first start of this installation.",
    Action.AUDIT_SEAL: "Entries past their retention were let go, up to the one named.",
}
"""What each means, for the reference."""


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    REFUSED = "refused"
