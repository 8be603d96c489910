"""Phrases of relays and providers, as data (D7), and what a refusal that contains one says.

A phrase is compared with the reply in lower case, with single spaces and without addresses. The
first group that matches counts, so a group comes before those with more general phrases.
"""

from __future__ import annotations

from newsletter.transport.known_replies import (
    CREDENTIALS,
    FULL,
    GONE,
    GREYLISTED,
    NOT_OURS,
    POLICY,
    QUOTA,
    SPAM,
    SUSPENDED,
    TOO_FAST,
    TOO_LARGE,
    UNAUTHENTICATED,
    Meaning,
)

WORDS: tuple[tuple[Meaning, tuple[bytes, ...]], ...] = (
    (GREYLISTED, (b"greylist", b"graylist", b"grey-list", b"gray-list", b"grey list")),
    (
        QUOTA,
        (
            b"emails per hour",  # Exim, as cPanel configures it
            b"defers and failures per hour",
            b"hourly limit",
            b"daily limit",
            b"daily user sending",  # Gmail
            b"daily smtp relay",
            b"daily sending",
            b"daily message quota",  # Amazon SES
            b"daily email",
            b"per day",
            b"monthly limit",
            b"sending limit",
            b"sending quota",
            b"message quota",
            b"submission quota",
            b"submissionquota",  # Exchange
            b"outgoing quota",
            b"email limit is reached",  # Mailtrap
            b"email quota limit",  # MailerSend
            b"unique recipients limit",
            b"recipient limit exceeded",  # Mailgun
            b"request limit exceeded",
            b"policy rejection- quota",  # policyd
            b"quota(s) exceeded",  # Scaleway
        ),
    ),
    (
        QUOTA,
        (
            b"credits exceeded",  # SendGrid
            b"enough credits",  # Brevo
            b"out of credits",  # Postmark
            b"insufficient credits",
            b"insufficient funds",
            b"insufficient balance",
            b"payment required",
            b"unpaid",
            b"billing",
            b"past due",
        ),
    ),
    (
        SUSPENDED,
        (
            b"outgoing mail suspension",  # cPanel
            b"sending suspended",  # Amazon SES
            b"sending paused",
            b"sending is paused",
            b"bad outbound sender",  # Office 365
            b"your account",
            b"sender is blocked",
            b"sending domain is blocked",
            b"account is pending",
            b"account under validation",
        ),
    ),
    (
        NOT_OURS,
        (
            b"not owned by",  # Postfix, Yandex
            b"sender address rejected",
            b"sender rejected",
            b"sender verify failed",
            b"sender denied",
            b"sendasdenied",  # Exchange
            b"send as this sender",
            b"send on behalf of",
            b"sender identity",  # SendGrid
            b"authorized sender",  # Mailjet
            b"not authorised to send",
            b"not authorized to send",
            b"sender signature",  # Postmark
            b"sending domain",
            b"identities failed the check",  # Amazon SES
            b"not verified",
            b"unverified",
            b"must be verified",
            b"is not allowed to send",  # Mailgun
            b"invalid mail from",
            b"invalid sender",
            b"sender is not valid",
            b"from address",
            b"from.email",
            b"'from'",
            b"domain of sender",
            b"sender domain",
            b"envelope sender",
        ),
    ),
    (
        CREDENTIALS,
        (
            b"authentication required",
            b"authentication is required",
            b"authentication failed",
            b"authentication credentials",
            b"must authenticate",
            b"smtp authentication",
            b"must issue a starttls",
            b"not authenticated",
            b"unauthorized",
            b"api key",
            b"private key",
            b"api token",
            b"authorization grant",  # SendGrid
            b"wrong credentials",
            b"login denied",
            b"too many login",
        ),
    ),
    (
        UNAUTHENTICATED,
        (
            b"unauthenticated",
            b"dmarc",
            b"dkim",
            b"spf",
            b"relay access denied",
            b"relaying denied",
            b"relay not permitted",
            b"relaying not permitted",
            b"relaying is denied",
            b"unable to relay",
            b"not permitted to relay",
            b"rcpthosts",
            b"ptr record",
            b"ptr-record",
            b"reverse dns",
        ),
    ),
    (
        POLICY,
        (
            b"spamhaus",
            b"spamcop",
            b"barracuda",
            b"blacklist",
            b"blocklist",
            b"block list",
            b"dnsbl",
            b"blocked using",
            b"reputation",
            b"client host",
            b"access from ip",  # mail.ru
            b"from this ip",  # Office 365
            b"dynamic ip",
        ),
    ),
    (
        FULL,
        (
            b"mailbox full",
            b"mailbox is full",
            b"inbox is full",
            b"mailfolder is full",
            b"mailbox quota",
            b"mailbox size",
            b"mailbox limit",
            b"mailbox has exceeded",
            b"mailbox exceeded",
            b"over quota",
            b"overquota",
            b"over the quota",
            b"quota exceeded",
            b"exceeded storage",
            b"out of storage",
            b"out of disk",
            b"storage quota",
            b"not enough space",
            "переполнен".encode(),
            "перапоўнен".encode(),
        ),
    ),
    (
        TOO_LARGE,
        (
            b"size exceeds",
            b"message too large",
            b"message is too large",
            b"message too big",
            b"message is too big",
            b"message is too long",
            b"maximum message size",
            b"maximum size",
            b"size limit",
            b"message length exceeds",
            b"too large",
        ),
    ),
    (
        TOO_FAST,
        (
            b"too many messages",
            b"too many emails",
            b"too many connections",
            b"too many concurrent",
            b"too many simultaneous",
            b"too many requests",
            b"too many attempts",
            b"too many sessions",
            b"too many recipients",
            b"rate limit",
            b"rate-limit",
            b"ratelimit",
            b"sending rate",
            b"relay limit",  # Gmail's relay
            b"throttl",
            b"too fast",
            b"slow down",
            b"connection limit",
            b"connections from",
            b"concurrent connections",
            b"unusual rate",
            b"unexpected volume",  # Yahoo
        ),
    ),
    (
        GONE,
        (
            b"recipient address rejected: access denied",  # Office 365, for an unknown recipient
            b"user unknown",
            b"unknown user",
            b"user not found",
            b"no such user",
            b"no such recipient",
            b"no such mailbox",
            b"no such address",
            b"no mailbox",
            b"unknown mailbox",
            b"unknown recipient",
            b"unknown local",
            b"recipient unknown",
            b"recipient not found",
            b"recipientnotfound",
            b"invalid recipient",
            b"invalid mailbox",
            b"mailbox unavailable",
            b"mailbox not found",
            b"mailbox disabled",
            b"mailbox is disabled",
            b"account is disabled",
            b"account has been disabled",
            b"user doesn't have",  # Yahoo
            b"does not exist",
            b"doesn't exist",
            b"address unknown",
            b"unknown address",
            b"unrouteable address",
            b"not a valid mailbox",
            b"inactive",
            "не существует".encode(),
            "не найден".encode(),
            "нет такого".encode(),
            "не існуе".encode(),
            "не знойдзен".encode(),
            "няма такога".encode(),
        ),
    ),
    (
        SPAM,
        (
            b"spam",
            "спам".encode(),
            b"junk mail",
            b"unsolicited",
            b"virus",
            b"malware",
            b"phishing",
            b"message content",
            b"content rejected",
            b"message rejected",
            b"suspicious content",
        ),
    ),
    (
        POLICY,
        (
            b"policy",
            b"prohibit",
            b"access denied",
            b"not permitted",
            b"not allowed",
            b"blocked",
            b"banned",
            b"denied",
            b"refused",
        ),
    ),
)

CALL_WORDS: tuple[tuple[Meaning, tuple[bytes, ...]], ...] = (
    *(group for group in WORDS if group[0] not in {GONE, FULL, GREYLISTED, POLICY}),
    (
        GONE,
        (
            b"not a valid address",  # Mailgun: 'to' parameter is not a valid address
            b"invalid email address",
            b"email is not valid in to",  # Brevo
            b"invalid `to` field",  # Resend
            b"does not contain a valid address",  # SendGrid
            b"inactive recipient",  # Postmark
            b"recipient address was suppressed",  # SparkPost
            b"recipient address suppressed",
        ),
    ),
)
"""For a provider's API, whose errors also say that a template or a key "does not exist"."""
