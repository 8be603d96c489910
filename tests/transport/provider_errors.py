"""Providers' errors as they send them, and what becomes of a list (D7, C10)."""

from __future__ import annotations

from typing import Any, NamedTuple

from newsletter.transport.outcomes import Fault, Result


class ProviderError(NamedTuple):
    """An error that answers the first call. `result` is that of its reader, or None if the
    provider can't be used: then nobody is sent to."""

    profile: str
    http: int
    body: Any
    fault: Fault
    result: Result | None = None
    status: str = ""
    headers: tuple[tuple[str, str], ...] = ()


def _sparkpost(code: str, message: str, description: str = "") -> dict[str, Any]:
    return {"errors": [{"message": message, "code": code, "description": description}]}


def _mailjet(code: str, http: int, related: str, message: str) -> dict[str, Any]:
    error = {
        "ErrorIdentifier": "c04ac4d7-1ebd-4c26-a663-ef304578aef7",
        "ErrorCode": code,
        "StatusCode": http,
        "ErrorMessage": message,
        "ErrorRelatedTo": [related],
    }
    return {"Messages": [{"Status": "error", "Errors": [error]}]}


def _amazon(name: str) -> tuple[tuple[str, str], ...]:
    return (("x-amzn-ErrorType", name), ("x-amzn-RequestId", "1"))


def _sendgrid(message: str, field: str | None = None) -> dict[str, Any]:
    return {"errors": [{"message": message, "field": field, "help": None}]}


def _mandrill_status(status: str, reason: str) -> list[dict[str, Any]]:
    return [{"email": "{to}", "status": status, "reject_reason": reason, "_id": "1"}]


_RECIPIENT_LIMIT = (
    "Domain mg.news.example.org is not allowed to send: recipient limit exceeded, try again after "
    "Mon, 31 Jul 2017 07:00:31 UTC"
)

SENDER, READER, MESSAGE = Fault.SENDER, Fault.READER, Fault.MESSAGE
SPEED, RELAY = Fault.SPEED, Fault.RELAY

PROVIDER_ERRORS: tuple[ProviderError, ...] = (
    ProviderError(
        "amazon_ses",
        429,
        {"message": "Too many requests"},
        SPEED,
        status="4.7.0",
        headers=_amazon("TooManyRequestsException"),
    ),
    ProviderError(
        "amazon_ses",
        429,
        {"message": "Daily message quota exceeded"},
        SENDER,
        status="5.4.5",
        headers=_amazon("TooManyRequestsException"),
    ),
    ProviderError(
        "amazon_ses",
        400,
        {"message": "Sending quota exceeded"},
        SENDER,
        status="5.4.5",
        headers=_amazon("LimitExceededException"),
    ),
    ProviderError(
        "amazon_ses",
        400,
        {
            "message": "Email address is not verified. The following "
            "identities failed the check in region EU-WEST-1: {to}"
        },
        SENDER,
        status="5.1.8",
        headers=_amazon("MessageRejected"),
    ),
    ProviderError(
        "amazon_ses",
        400,
        {"message": "Contains a virus"},
        MESSAGE,
        Result.FAILED,
        "5.6.0",
        _amazon("MessageRejected"),
    ),
    ProviderError(
        "amazon_ses",
        400,
        {"message": "Mail-from domain not verified"},
        SENDER,
        status="5.1.8",
        headers=_amazon("MailFromDomainNotVerifiedException"),
    ),
    ProviderError(
        "amazon_ses",
        400,
        {"message": "Account is suspended"},
        SENDER,
        status="5.7.1",
        headers=_amazon("AccountSuspendedException"),
    ),
    ProviderError(
        "amazon_ses",
        400,
        {"message": "Sending is paused"},
        SENDER,
        status="5.7.1",
        headers=_amazon("SendingPausedException"),
    ),
    ProviderError(
        "brevo", 401, {"code": "unauthorized", "message": "Key not found"}, SENDER, status="5.7.8"
    ),
    ProviderError(
        "brevo",
        402,
        {"code": "not_enough_credits", "message": "No credits left"},
        SENDER,
        status="5.4.5",
    ),
    ProviderError(
        "brevo",
        403,
        {"code": "account_under_validation", "message": "Wait"},
        SENDER,
        status="5.7.1",
    ),
    ProviderError(
        "brevo",
        400,
        {"code": "invalid_parameter", "message": "email is not valid in to"},
        READER,
        Result.REFUSED,
    ),
    ProviderError(
        "mailersend",
        422,
        {
            "message": "The from.email domain must be verified in your "
            "account to send emails. #MS42207",
            "errors": {"from.email": ["#MS42207"]},
        },
        SENDER,
        status="5.1.8",
    ),
    ProviderError(
        "mailersend",
        422,
        {"message": "Your trial domain reached its email quota limit. #MS42222"},
        SENDER,
        status="5.4.5",
    ),
    ProviderError(
        "mailersend",
        429,
        {"message": "Too Many Attempts."},
        SPEED,
        status="4.7.0",
        headers=(("Retry-After", "17"),),
    ),
    ProviderError(
        "mailersend",
        202,
        {
            "warnings": [
                {
                    "type": "ALL_SUPPRESSED",
                    "recipients": [{"email": "{to}", "reason": ["hard_bounced"]}],
                }
            ]
        },
        READER,
        Result.REFUSED,
        headers=(("Content-Type", "application/json"),),
    ),
    ProviderError("mailgun", 420, {"message": _RECIPIENT_LIMIT}, SENDER, status="5.4.5"),
    ProviderError(
        "mailgun",
        403,
        {
            "message": "Domain mg.news.example.org is not allowed to send: "
            "The domain is unverified and requires DNS configuration."
        },
        SENDER,
        status="5.1.8",
    ),
    ProviderError("mailgun", 401, "Forbidden", SENDER, status="5.7.8"),
    ProviderError(
        "mailgun",
        400,
        {"message": "'from' parameter is not a valid address"},
        SENDER,
        status="5.1.8",
    ),
    ProviderError(
        "mailjet",
        401,
        {
            "ErrorIdentifier": "1",
            "ErrorCode": "mj-0015",
            "StatusCode": 401,
            "ErrorMessage": "API key authentication failure",
        },
        SENDER,
        status="5.7.8",
    ),
    ProviderError(
        "mailjet",
        403,
        _mailjet(
            "send-0008",
            403,
            "From",
            '"desk@news.example.org" is not an authorized sender email address',
        ),
        SENDER,
        status="5.1.8",
    ),
    ProviderError(
        "mailjet",
        400,
        _mailjet("mj-0013", 400, "To[0].Email", '"{to}" is an invalid email address.'),
        READER,
        Result.REFUSED,
    ),
    ProviderError(
        "mailtrap", 401, {"success": False, "errors": ["Unauthorized"]}, SENDER, status="5.7.8"
    ),
    ProviderError(
        "mailtrap",
        429,
        {"success": False, "errors": ["The email limit is reached. Please upgrade your plan"]},
        SENDER,
        status="5.4.5",
    ),
    ProviderError(
        "mailtrap",
        403,
        {"success": False, "errors": ["Sending from domain news.example.org is not allowed"]},
        SENDER,
        status="5.7.1",
    ),
    ProviderError(
        "mandrill",
        500,
        {"status": "error", "code": -1, "name": "Invalid_Key", "message": "Invalid API key"},
        SENDER,
        status="5.7.8",
    ),
    ProviderError(
        "mandrill",
        500,
        {
            "status": "error",
            "code": 10,
            "name": "PaymentRequired",
            "message": "The requested feature requires payment.",
        },
        SENDER,
        status="5.4.5",
    ),
    ProviderError(
        "mandrill", 200, _mandrill_status("rejected", "hard-bounce"), READER, Result.REFUSED
    ),
    ProviderError(
        "mandrill", 200, _mandrill_status("rejected", "soft-bounce"), READER, Result.DEFERRED
    ),
    ProviderError(
        "mandrill", 200, _mandrill_status("rejected", "unsigned"), SENDER, status="5.1.8"
    ),
    ProviderError(
        "postal",
        200,
        {
            "status": "error",
            "data": {
                "code": "UnauthenticatedFromAddress",
                "message": "The From address is not authorised",
            },
        },
        SENDER,
        status="5.1.8",
    ),
    ProviderError(
        "postal",
        200,
        {
            "status": "error",
            "data": {
                "code": "InvalidServerAPIKey",
                "message": "The API token was not valid.",
                "token": "key-s3cret",
            },
        },
        SENDER,
        status="5.7.8",
    ),
    ProviderError(
        "postmark",
        422,
        {"ErrorCode": 405, "Message": "Not allowed to send: your account has run out of credits."},
        SENDER,
        status="5.4.5",
    ),
    ProviderError(
        "postmark",
        422,
        {
            "ErrorCode": 406,
            "Message": "You tried to send to a recipient "
            "that has been marked as inactive. Found inactive addresses: {to}. Inactive "
            "recipients are ones that have generated a hard bounce, a spam complaint",
        },
        READER,
        Result.REFUSED,
    ),
    ProviderError(
        "postmark",
        422,
        {"ErrorCode": 412, "Message": "Your account is pending"},
        SENDER,
        status="5.7.1",
    ),
    ProviderError(
        "postmark",
        401,
        {"ErrorCode": 10, "Message": "No Account or Server API tokens"},
        SENDER,
        status="5.7.8",
    ),
    ProviderError(
        "postmark",
        422,
        {"ErrorCode": 300, "Message": "Invalid 'To' address: '{to}'."},
        READER,
        Result.REFUSED,
    ),
    ProviderError(
        "postmark",
        422,
        {"ErrorCode": 300, "Message": "Invalid 'From' address: 'desk@news.example.org'."},
        SENDER,
        status="5.1.8",
    ),
    ProviderError(
        "postmark",
        422,
        {
            "ErrorCode": 400,
            "Message": "The 'From' address you supplied "
            "(desk@news.example.org) is not a Sender Signature",
        },
        SENDER,
        status="5.1.8",
    ),
    ProviderError(
        "postmark bulk",
        422,
        {"ErrorCode": 405, "Message": "Not allowed to send"},
        SENDER,
        status="5.4.5",
    ),
    ProviderError(
        "resend",
        429,
        {
            "statusCode": 429,
            "name": "daily_quota_exceeded",
            "message": "You have reached your daily email quota.",
        },
        SENDER,
        status="5.4.5",
    ),
    ProviderError(
        "resend",
        429,
        {"statusCode": 429, "name": "rate_limit_exceeded", "message": "Too many requests."},
        SPEED,
        status="4.7.0",
        headers=(("Retry-After", "17"),),
    ),
    ProviderError(
        "resend",
        409,
        {
            "statusCode": 409,
            "name": "concurrent_idempotent_requests",
            "message": "The original request is still in progress",
        },
        SPEED,
        status="4.7.0",
    ),
    ProviderError(
        "resend",
        409,
        {
            "statusCode": 409,
            "name": "invalid_idempotent_request",
            "message": "Same idempotency key used with a different payload",
        },
        RELAY,
        status="5.3.0",
    ),
    ProviderError(
        "resend",
        403,
        {
            "statusCode": 403,
            "name": "validation_error",
            "message": "The news.example.org domain is not verified.",
        },
        SENDER,
        status="5.1.8",
    ),
    ProviderError(
        "scaleway",
        403,
        {"type": "quotas_exceeded", "message": "quota(s) exceeded"},
        SENDER,
        status="5.4.5",
    ),
    ProviderError(
        "scaleway",
        401,
        {
            "type": "denied_authentication",
            "method": "api_key",
            "message": "authentication is denied",
            "reason": "not_found",
        },
        SENDER,
        status="5.7.8",
    ),
    ProviderError("sendgrid", 401, _sendgrid("Maximum credits exceeded"), SENDER, status="5.4.5"),
    ProviderError(
        "sendgrid",
        403,
        _sendgrid(
            "The from address does not match a verified Sender "
            "Identity. Mail cannot be sent until this error is resolved.",
            "from",
        ),
        SENDER,
        status="5.1.8",
    ),
    ProviderError("sendgrid", 429, _sendgrid("too many requests"), SPEED, status="4.7.0"),
    ProviderError("sendgrid", 413, _sendgrid("payload too large"), MESSAGE, Result.FAILED, "5.3.4"),
    ProviderError(
        "sparkpost", 420, _sparkpost("2102", "Exceed Sending Limit (daily)"), SENDER, status="5.4.5"
    ),
    ProviderError(
        "sparkpost",
        400,
        _sparkpost("7001", "Invalid domain", "Unconfigured Sending Domain <news.example.org>"),
        SENDER,
        status="5.1.8",
    ),
    ProviderError(
        "sparkpost",
        400,
        _sparkpost(
            "1902",
            "Message generation rejected",
            "recipient address was suppressed due to system policy",
        ),
        READER,
        Result.REFUSED,
    ),
    ProviderError(
        "unisender_go",
        401,
        {"status": "error", "code": 114, "message": "Can not decode key"},
        SENDER,
        status="5.7.8",
    ),
    ProviderError(
        "unisender_go",
        200,
        {
            "status": "success",
            "job_id": "j",
            "emails": [],
            "failed_emails": {"{to}": "permanent_unavailable"},
        },
        READER,
        Result.REFUSED,
    ),
    ProviderError(
        "unisender_go",
        200,
        {
            "status": "success",
            "job_id": "j",
            "emails": [],
            "failed_emails": {"{to}": "temporary_unavailable"},
        },
        READER,
        Result.DEFERRED,
    ),
    ProviderError(
        "mailgun",
        404,
        "<html><body>not found, your account</body></html>",
        RELAY,
        headers=(("Content-Type", "text/html"),),
    ),
    ProviderError("brevo", 503, {"message": "unpaid spam quota"}, RELAY),
)
