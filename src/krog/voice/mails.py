"""The mails to the author of a proposal, in his language, and the signed link that confirms his address."""

from __future__ import annotations

from django.core import signing
from django.utils.translation import gettext as _
from django.utils.translation import override

from krog.base.errors import Forbidden
from krog.base.ids import Ref
from krog.base.settings import settings
from krog.base.text import say
from krog.journal.verbs import post_mail
from krog.voice import models

CONFIRM_DAYS = 14
_SALT = "krog.voice.confirm"


def token_of(key: str) -> str:
    """The token that confirms a proposal."""
    return signing.dumps(key, salt=_SALT).replace(":", "~")


def key_of(token: str) -> str:
    """The proposal that a token confirms, or Forbidden with what to do."""
    try:
        return str(signing.loads(token.replace("~", ":"), salt=_SALT, max_age=CONFIRM_DAYS * 86400))
    except signing.SignatureExpired:
        raise Forbidden(_("This link has run out."), todo=_("Send your proposal once more.")) from None
    except (signing.BadSignature, ValueError):
        raise Forbidden(_("This link is not valid."), todo=_("Open it from the mail again.")) from None


def address(proposal: models.Proposal) -> str:
    """The address of a proposal's page."""
    return f"{settings().url}/{proposal.language}/voice/proposals/{proposal.key}"


def ask_to_confirm(proposal: models.Proposal) -> None:
    """Asks whether the address is the author's."""
    with override(proposal.language):
        link = f"{settings().url}/{proposal.language}/voice/confirm/{token_of(proposal.key)}"
        _send(
            proposal,
            _("Please confirm your proposal"),
            _("Somebody, probably you, sent a proposal with this e-mail address:"),
            f"“{proposal.title}”",
            _("Confirm it here; until then nobody reads it:"),
            link,
            _("If it was not you, do nothing: it will not be read or published."),
        )


def tell_answer(proposal: models.Proposal) -> None:
    """Tells the author what the city answered."""
    with override(proposal.language):
        accepted = proposal.state == "accepted"
        _send(
            proposal,
            _("Your proposal is being considered") if accepted else _("Your proposal was declined"),
            _("The city has read your proposal “%(title)s”.") % {"title": proposal.title},
            _("It was accepted for consideration.") if accepted else _("It was declined."),
            proposal.answer,
            _("You can follow it here:"),
            address(proposal),
        )


def tell_adopted(proposal: models.Proposal, label: str, body: str, on: str) -> None:
    """Tells the author that the plan took the proposal up."""
    with override(proposal.language):
        _send(
            proposal,
            _("Your proposal is part of the plan"),
            _("Your proposal “%(title)s” is in the version “%(label)s” of the plan, adopted by %(body)s on %(on)s.")
            % {"title": proposal.title, "label": label, "body": body, "on": on},
            _("See what became of it:"),
            address(proposal),
        )


def _send(proposal: models.Proposal, subject: str, *parts: str) -> None:
    call = str(say(proposal.call.title, proposal.language))
    demo = [_("DEMONSTRATION DATA: this mail was sent by a demonstration.")] if settings().demo else []
    post_mail(
        to=proposal.email,
        subject=subject,
        text="\n\n".join([_("Hello,"), *(part for part in parts if part), call, *demo]) + "\n",
        ref=Ref("proposal", proposal.key),
        language=proposal.language,
    )
