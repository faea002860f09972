"""Lives here: withdrawing pictures: what learned from them and shows them, what is done about it, the signed statement.

Not here: consents (`limner.rights`), versions of a collection (`limner.collection`), that a superseded model is refused
(`limner.models.superseded`), finishing a work anew (`limner.works.refinishing`). Floor 6 (docs/architecture.md).
"""
