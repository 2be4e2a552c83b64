"""What was done, in words: the journal's verbs as people read them in a history."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

#: Verb, or only what follows its noun → words. The whole verb is looked for first.
WORDS: dict[str, Any] = {
    "declare": _("entered from the city's files"),
    "retire": _("taken out of use"),
    "undo": _("last change undone"),
    "note": _("note added"),
    "publish": _("published"),
    "cases.open": _("opened"),
    "cases.assign": _("assigned"),
    "cases.take": _("taken"),
    "cases.hand-over": _("handed over to another office"),
    "cases.wait": _("waits for somebody else"),
    "cases.snooze": _("put off or brought back"),
    "cases.close": _("closed"),
    "cases.decline": _("closed without action"),
    "cases.reopen": _("opened again"),
    "cases.tick": _("step of the protocol done"),
    "cases.reply": _("answered"),
    "cases.receive": _("message received"),
    "cases.publish": _("changed what the public sees"),
    "cases.publish-photos": _("photos published"),
    "cases.forget-reporter": _("personal data erased"),
    "indicators.ask": _("value asked for"),
    "indicators.ask-check": _("recomputation asked for"),
    "indicators.change-responsible": _("responsible person changed"),
    "indicators.check-differs": _("recomputation gave another result"),
    "indicators.compute": _("computed"),
    "indicators.confirm": _("confirmed"),
    "indicators.enter": _("entered"),
    "indicators.reject": _("rejected"),
    "indicators.remind": _("reminder sent"),
    "journal.erase": _("personal data erased"),
    "journal.erase-mails": _("personal data erased"),
    "journal.mail-again": _("mail sent again"),
    "people.create-key": _("key made"),
    "people.revoke-key": _("key revoked"),
    "people.set-password": _("password set"),
    "people.create-account": _("account opened"),
    "people.change-account": _("account changed"),
    "people.close-account": _("account closed"),
    "people.reopen-account": _("account opened again"),
    "people.end-sessions": _("signed out everywhere"),
    "people.enrol-factor": _("second factor set up"),
    "people.reset-factor": _("second factor reset"),
    "people.use-recovery-code": _("recovery code used"),
    "people.renew-recovery-codes": _("recovery codes made anew"),
    "people.link-identity": _("linked with the organisation's sign-in"),
    "people.unlink-identity": _("link with the organisation's sign-in undone"),
    "plans.adopt": _("adopted"),
    "plans.consult": _("put out for comments"),
    "plans.draft-add": _("added in a draft"),
    "plans.draft-begin": _("draft begun"),
    "plans.draft-bulk": _("changed in a draft, with others at once"),
    "plans.draft-rows": _("rows of a draft changed"),
    "plans.milestone": _("milestone changed"),
    "plans.draft-change": _("changed in a draft"),
    "plans.draft-declare": _("entered into a draft from the city's files"),
    "plans.draft-indicator": _("indicators changed in a draft"),
    "plans.draft-link": _("link added in a draft"),
    "plans.draft-remove": _("removed in a draft"),
    "plans.draft-undo": _("change of a draft undone"),
    "plans.draft-unlink": _("link removed in a draft"),
    "plans.reopen": _("draft opened again"),
    "plans.repeal": _("repealed"),
    "plans.review": _("reviewed"),
    "plans.withdraw": _("given up"),
    "registers.add-record": _("added"),
    "registers.change-record": _("changed"),
    "registers.retire-record": _("taken out of use"),
    "rules.acknowledge": _("acknowledged"),
    "rules.clear": _("over"),
    "rules.link-case": _("case opened"),
    "rules.raise": _("raised"),
    "rules.set-mode": _("switched"),
    "voice.answer": _("answered"),
    "voice.confirm": _("e-mail address confirmed"),
    "voice.erase-author": _("personal data erased"),
    "voice.propose": _("proposed"),
    "voice.tell-adopted": _("author told of the adoption"),
}


def words_of(verb: str) -> str:
    """`rules.raise` → raised; a verb that has no words yet, and what already is words, stay as they are."""
    action = verb.partition(".")[2]
    declared = "declare" if action.startswith("declare") else action
    found = WORDS.get(verb) or WORDS.get(declared)
    return str(found) if found else verb
