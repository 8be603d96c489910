"""What providers' own error codes mean, as data (D7). Codes are in lower case.

Only codes that say one thing are here. A code that covers many mistakes (Brevo's
`invalid_parameter`, Postmark's 300) is left out, so that the words of the message decide.
docs/adding-a-transport.md says how to add a provider's.
"""

from __future__ import annotations

from collections.abc import Mapping

from newsletter.transport.known_replies import (
    BROKEN,
    CONTENT,
    CREDENTIALS,
    FULL,
    GONE,
    NOT_OURS,
    QUOTA,
    SUSPENDED,
    TOO_FAST,
    Meaning,
)

CODES: Mapping[str, Mapping[str, Meaning]] = {
    # The names of exceptions of the SES API v2, and of AWS in general.
    "amazon_ses": {
        "toomanyrequestsexception": TOO_FAST,
        "throttling": TOO_FAST,
        "throttlingexception": TOO_FAST,
        "limitexceededexception": QUOTA,
        "messagerejected": CONTENT,
        "accountsuspendedexception": SUSPENDED,
        "sendingpausedexception": SUSPENDED,
        "mailfromdomainnotverifiedexception": NOT_OURS,
        "notfoundexception": BROKEN,
        "accessdeniedexception": CREDENTIALS,
        "invalidclienttokenid": CREDENTIALS,
        "signaturedoesnotmatch": CREDENTIALS,
        "unrecognizedclientexception": CREDENTIALS,
        "invalidsignatureexception": CREDENTIALS,
        "expiredtokenexception": CREDENTIALS,
    },
    # https://developers.brevo.com/docs/how-it-works#error-codes
    "brevo": {
        "unauthorized": CREDENTIALS,
        "permission_denied": SUSPENDED,
        "account_under_validation": SUSPENDED,
        "not_enough_credits": QUOTA,
        "method_not_allowed": BROKEN,
        "document_not_found": BROKEN,
    },
    # Behind "#" in the message; https://developers.mailersend.com/general.html#validation-errors
    "mailersend": {
        "ms42207": NOT_OURS,
        "ms42222": QUOTA,
        "ms42225": QUOTA,
    },
    # https://dev.mailjet.com/email/guides/send-api-v31/#send-api-errors
    "mailjet": {
        "mj-0001": SUSPENDED,
        "mj-0015": CREDENTIALS,
        "send-0006": NOT_OURS,
        "send-0007": NOT_OURS,
        "send-0008": NOT_OURS,
        # The field that an error is about.
        "to.email": GONE,
        "from.email": NOT_OURS,
    },
    # https://mailchimp.com/developer/transactional/docs/error-glossary/; and why one was rejected
    "mandrill": {
        "invalid_key": CREDENTIALS,
        "paymentrequired": QUOTA,
        "unknown_subaccount": SUSPENDED,
        "validationerror": CONTENT,
        "hard-bounce": GONE,
        "soft-bounce": FULL,
        "spam": GONE,
        "unsub": GONE,
        "custom": GONE,
        "invalid": GONE,
        "invalid-sender": NOT_OURS,
        "unsigned": NOT_OURS,
        "test-mode-limit": QUOTA,
        "rule": CONTENT,
    },
    # postal/app/models/outgoing_message_prototype.rb and its API's helpers
    "postal": {
        "invalidserverapikey": CREDENTIALS,
        "accessdenied": CREDENTIALS,
        "serversuspended": SUSPENDED,
        "unauthenticatedfromaddress": NOT_OURS,
        "fromaddressmissing": NOT_OURS,
        "nocontent": CONTENT,
    },
    # https://postmarkapp.com/developer/api/overview#error-codes
    "postmark": {
        "10": CREDENTIALS,
        "100": BROKEN,
        "400": NOT_OURS,
        "401": NOT_OURS,
        "402": BROKEN,
        "403": BROKEN,
        "405": QUOTA,
        "406": GONE,
        "409": BROKEN,
        "410": BROKEN,
        "411": CONTENT,
        "412": SUSPENDED,
        "413": SUSPENDED,
        "429": TOO_FAST,
        "503": NOT_OURS,
    },
    # https://resend.com/docs/api-reference/errors
    "resend": {
        "missing_api_key": CREDENTIALS,
        "restricted_api_key": CREDENTIALS,
        "invalid_api_key": CREDENTIALS,
        "invalid_from_address": NOT_OURS,
        "invalid_attachment": CONTENT,
        "security_error": SUSPENDED,
        "monthly_quota_exceeded": QUOTA,
        "daily_quota_exceeded": QUOTA,
        "rate_limit_exceeded": TOO_FAST,
        # The same key with another payload is our fault; the same call is still running.
        "invalid_idempotent_request": BROKEN,
        "invalid_idempotency_key": BROKEN,
        "concurrent_idempotent_requests": TOO_FAST,
    },
    # https://www.scaleway.com/en/developers/api/
    "scaleway": {
        "denied_authentication": CREDENTIALS,
        "permissions_denied": CREDENTIALS,
        "quotas_exceeded": QUOTA,
        "resource_exhausted": QUOTA,
        "out_of_stock": BROKEN,
        "not_found": BROKEN,
        "too_many_requests": TOO_FAST,
        "to.email": GONE,
        "from.email": NOT_OURS,
    },
    # The field that an error is about.
    "sendgrid": {
        "personalizations.to.email": GONE,
        "from": NOT_OURS,
        "from.email": NOT_OURS,
        "subject": CONTENT,
        "content": CONTENT,
    },
    # https://developers.sparkpost.com/api/transmissions/
    "sparkpost": {
        "1902": GONE,
        "2101": QUOTA,
        "2102": QUOTA,
        "7001": NOT_OURS,
    },
    # Why an address is in `failed_emails`; https://godocs.unisender.ru/web-api-ref#email-send
    "unisender_go": {
        "invalid": GONE,
        "permanent_unavailable": GONE,
        "temporary_unavailable": FULL,
        "unsubscribed": GONE,
    },
}
"""By the name of Anymail's backend. Mailgun and Mailtrap have no codes, only messages."""
