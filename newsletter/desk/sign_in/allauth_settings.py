"""Settings of django-allauth, of which only the second factor is used. newsletter.settings takes
them over; those that depend on the environment stand there."""

from __future__ import annotations

ACCOUNT_ADAPTER = "newsletter.desk.sign_in.adapters.StaffAccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_REAUTHENTICATION_METHODS = {"password", "mfa"}
# Its limits keep hashes of IP addresses and need the cache; newsletter/desk/sign_in/throttle.py
# takes their place.
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False
MFA_ADAPTER = "newsletter.desk.sign_in.adapters.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "newsletter.desk.sign_in.forms.CodeForm",
    "reauthenticate": "newsletter.desk.sign_in.forms.ConfirmCodeForm",
    "activate_totp": "newsletter.desk.sign_in.forms.FirstCodeForm",
    "add_webauthn": "newsletter.desk.sign_in.forms.AddPasskeyForm",
    "edit_webauthn": "newsletter.desk.sign_in.forms.RenamePasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1
MFA_TRUST_ENABLED = True
MFA_TRUST_COOKIE_AGE = 30 * 24 * 3600
MFA_TRUST_COOKIE_NAME = "desk-trusted"
